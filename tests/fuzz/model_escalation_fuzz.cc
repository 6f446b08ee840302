// Any bytes as escalation.toml: they are refused with lines and reasons, or become tiers within the
// limits, of which one always leads to the next.
#include <cstdint>

#include "base/check.h"
#include "model/study.h"

using namespace trialward::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto study = load_study(
      {{"escalation.toml", text},
       {"study.toml", "[study]\nid = \"s\"\n[[sites]]\nid = \"A\"\ntime_zone = \"UTC\"\n"}});
  if (!study) {
    TW_CHECK(!study.error().empty());
    for (const DefinitionFault& fault : study.error()) {
      TW_CHECK(fault.file == "escalation.toml" && fault.line >= 0 && !fault.reason.empty());
    }
    return 0;
  }
  for (std::size_t i = 0; i < kAlertSeverities; ++i) {
    const auto severity = static_cast<AlertSeverity>(i);
    const auto& tiers = study->escalation->ladder(severity).tiers;
    TW_CHECK(tiers.size() <= kTiersMax);
    for (int told = 0; told <= static_cast<int>(kTiersMax); ++told) {
      const auto next = study->escalation->next(severity, told);
      if (!next) continue;
      TW_CHECK(!study->escalation->tier(severity, next->tier)->targets.empty());
      TW_CHECK(told == 0 || next->after_ms > 0);
    }
  }
  return 0;
}
