// Any bytes as schedule.toml: they are refused with lines and reasons, or become activities within
// the limits, each anchored to what stands before it.
#include <cstdint>

#include "base/check.h"
#include "model/schedule.h"
#include "model/study.h"

using namespace trialward::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto study =
      load_study({{"schedule.toml", text},
                  {"study.toml",
                   "[study]\nid = \"s\"\n[[sites]]\nid = \"A\"\ntime_zone = \"UTC\"\n"
                   "[kinds]\nquestionnaire.open = true\n"}});
  if (!study) {
    TW_CHECK(!study.error().empty());
    for (const DefinitionFault& fault : study.error()) {
      TW_CHECK(fault.file == "schedule.toml" && fault.line >= 0 && !fault.reason.empty());
    }
    return 0;
  }
  const auto& activities = study->schedule->activities;
  TW_CHECK(activities.size() <= kActivitiesMax);
  int planned = 0;
  for (std::size_t i = 0; i < activities.size(); ++i) {
    const Activity& one = activities[i];
    TW_CHECK(one.count >= 1 && one.count <= kRepeatsMax);
    TW_CHECK(one.codes.size() <= kActivityCodesMax && (one.is_visit() ? !one.visit.empty() : true));
    TW_CHECK(one.anchor.type != Anchor::Type::activity || one.anchor.activity < i);
    TW_CHECK(*parse_iso_duration(to_string(one.offset), Sign::allowed) == one.offset);
    // 31 December in the last year that a record may have.
    (void)day_after(84'371, times(one.every, one.count));
    if (!one.by_events()) planned += one.count;
  }
  TW_CHECK(planned <= kPlannedMax);
  return 0;
}
