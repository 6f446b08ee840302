#include "store/postgres_errors.h"

#include <array>

namespace trialward::store {
namespace {

using base::Errc;

// The longest that fits counts; the first two characters are the class.
struct Meaning {
  std::string_view begins;
  Errc code;
};
constexpr std::array kMeanings = {
    Meaning{"08", Errc::unavailable},     // the connection
    Meaning{"23", Errc::conflict},        // constraints
    Meaning{"25006", Errc::unavailable},  // read only: it has become a standby
    Meaning{"25P03", Errc::unavailable},  // idle in a transaction for too long
    Meaning{"28", Errc::unavailable},     // who we are
    Meaning{"3D", Errc::unavailable},     // the database is gone
    Meaning{"40001", Errc::retry},        // not serializable
    Meaning{"40P01", Errc::retry},        // a deadlock
    Meaning{"42501", Errc::unavailable},  // a right that was taken away
    Meaning{"42P01", Errc::unavailable},  // a table that is gone: no statement of ours invents one
    Meaning{"53", Errc::unavailable},     // resources: memory, disk, connections
    Meaning{"55P03", Errc::retry},        // a lock that cannot be had
    Meaning{"57", Errc::unavailable},     // an operator: shut down, crashed, dropped
    Meaning{"57014", Errc::cancelled},
    Meaning{"58", Errc::unavailable},  // the system below it
    Meaning{"XX001", Errc::corrupt},
    Meaning{"XX002", Errc::corrupt},
};

}  // namespace

base::Errc errc_of_sqlstate(std::string_view state) {
  const Meaning* found = nullptr;
  for (const Meaning& one : kMeanings) {
    if (!state.starts_with(one.begins)) continue;
    if (found == nullptr || found->begins.size() < one.begins.size()) found = &one;
  }
  return found != nullptr ? found->code : Errc::invalid;
}

std::string postgres_words(const char* words) {
  std::string text = words != nullptr ? words : "";
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

}  // namespace trialward::store
