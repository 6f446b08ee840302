// Why a new list was not taken over: what kind of refusal, in words for people, and where its files
// are wrong if that is it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/outbound.h"
#include "base/result.h"
#include "formulary/read_file.h"

namespace trialward::formulary {

enum class RefusalKind : std::uint8_t {
  unreachable,  // no address, no connection, not who it should be
  deadline,     // it did not answer, or not to its end, in time
  stalled,      // its answer stood still
  broken,       // the connection broke, or it speaks no HTTP
  status,       // it answered, but not with a file
  redirected,   // too often, or to where it may not
  too_large,
  changed,    // while it was read
  invalid,    // what it sent is no such file
  limit,      // a list that does not fit
  empty,      // a list without drugs
  shrunk,     // implausibly
  disk,       // ours
  cancelled,  // the server stops
  failed,     // this program
};
inline constexpr std::size_t kRefusalKinds = 15;
std::string_view to_string(RefusalKind kind);

struct Refusal {
  RefusalKind kind = RefusalKind::invalid;
  std::string reason;
  Troubles faults;
};

Refusal refusal_of(const base::Error& error);
// Of an answer that failed; `place` is who was asked.
Refusal refusal_of(const std::string& place, const base::OutboundAnswer& answer);

}  // namespace trialward::formulary
