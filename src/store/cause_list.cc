#include "store/cause_list.h"

#include <charconv>

namespace trialward::store {

std::vector<std::int64_t> causes_in(std::string_view text) {
  std::vector<std::int64_t> ids;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc()) {
      ++at;  // a bracket or comma
      continue;
    }
    at = next;
    ids.push_back(id);
  }
  return ids;
}

}  // namespace trialward::store
