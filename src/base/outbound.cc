#include "base/outbound.h"

#include <array>

namespace trialward::base {

std::string_view to_string(OutboundFailure failure) {
  static constexpr std::array<std::string_view, kOutboundFailures> kNames = {
      "none",    "unresolved", "connect", "tls",   "deadline",
      "stalled", "too_large",  "broken",  "login", "cancelled"};
  return kNames[static_cast<std::size_t>(failure)];
}

}  // namespace trialward::base
