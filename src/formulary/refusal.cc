#include "formulary/refusal.h"

#include <array>

namespace trialward::formulary {

std::string_view to_string(RefusalKind kind) {
  static constexpr std::array<std::string_view, kRefusalKinds> kNames = {
      "unreachable", "deadline", "stalled", "broken", "status", "redirected", "too_large",
      "changed",     "invalid",  "limit",   "empty",  "shrunk", "disk",       "cancelled",
      "failed"};
  return kNames[static_cast<std::size_t>(kind)];
}

Refusal refusal_of(const base::Error& error) {
  const auto kind = [&] {
    switch (error.code) {
      case base::Errc::refused:
        return RefusalKind::limit;
      case base::Errc::cancelled:
        return RefusalKind::cancelled;
      case base::Errc::unavailable:
        return RefusalKind::disk;
      case base::Errc::not_found:
        return RefusalKind::unreachable;
      default:
        return RefusalKind::invalid;
    }
  }();
  return {.kind = kind, .reason = error.message};
}

Refusal refusal_of(const std::string& place, const base::OutboundAnswer& answer) {
  using enum base::OutboundFailure;
  const auto kind = [&] {
    switch (answer.failure) {
      case none:
        return RefusalKind::status;
      case deadline:
        return RefusalKind::deadline;
      case stalled:
        return RefusalKind::stalled;
      case too_large:
        return answer.status == 200 || answer.status == 0 ? RefusalKind::too_large
                                                          : RefusalKind::status;
      case broken:
        return RefusalKind::broken;
      case cancelled:
        return RefusalKind::cancelled;
      default:
        return RefusalKind::unreachable;
    }
  }();
  return {.kind = kind,
          .reason = place + ": " +
                    (kind == RefusalKind::status ? "it answered " + std::to_string(answer.status)
                                                 : answer.error)};
}

}  // namespace trialward::formulary
