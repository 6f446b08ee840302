// Any bytes as the body of a request about an alert: they are refused with reasons, or become a
// command that says all that it must.
#include <cstdint>

#include "api/alert_body.h"
#include "base/check.h"

using namespace trialward;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > api::kAlertBodyBytesMax) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  const auto seen = api::parse_acknowledgement(body, 1);
  if (seen) {
    TW_CHECK(!seen->note.empty());
    TW_CHECK(seen->values.size() <= api::kReadBackGivenMax);
    for (const auto& value : seen->values) TW_CHECK(value.record > 0);
  } else {
    TW_CHECK(!seen.error().empty());
  }
  using enum model::AlertEventType;
  for (const auto type : {assessed, closed, reopened, merged}) {
    const auto change = api::parse_alert_change(body, 1, type);
    if (!change) {
      TW_CHECK(!change.error().empty());
      continue;
    }
    TW_CHECK(change->type == type && (type == assessed || !change->note.empty()));
    TW_CHECK((type == merged) == (change->detail.duplicate_of != 0));
    TW_CHECK((type == assessed) == change->detail.assessment.has_value());
    const auto again = model::parse_alert_detail(model::to_json(change->detail));
    TW_CHECK(again.ok() && *again == change->detail);
  }
  return 0;
}
