// Any bytes as a record: they are refused with reasons, or become a record that can be checked,
// written, and read again with the same content.
#include <cstdint>

#include "base/check.h"
#include "model/decode_record.h"

namespace {

using namespace trialward::model;

constexpr const char* kStudy = R"toml(
[study]
id = "fuzz"
subject_pattern = "S[0-9]+"
[[sites]]
id = "1"
time_zone = "America/New_York"
[[arms]]
id = "A"
[kinds.adverse_event]
open = true
[[codes]]
kind = "lab"
code = "ALT"
unit = "U/L"
also = [{ unit = "ukat/L", factor = 60 }]
possible = [0, 50000]
plausible = [1, 5000]
[[codes]]
kind = "lab"
code = "HCG"
type = "text"
values = ["Y", "N"]
)toml";

const Study& study() {
  static const Study loaded = [] {
    auto result = load_study({{"study.toml", kStudy}});
    TW_CHECK(result.ok());
    return std::move(result).value();
  }();
  return loaded;
}

void check_faults(const Faults& faults) {
  TW_CHECK(!faults.empty() && faults.size() <= kFaultsMax);
  for (const Fault& fault : faults) {
    TW_CHECK(fault.path.empty() || fault.path.front() == '/');
    TW_CHECK(!fault.reason.empty());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static RecordDecoder decoder;
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto record = decoder.decode(json);
  if (!record) {
    check_faults(record.error());
    return 0;
  }
  TW_CHECK(record->original == json);
  TW_CHECK(check_form(*record).empty());
  const auto again = decoder.decode(json);
  TW_CHECK(again.ok() && canonical_content(*again) == canonical_content(*record));

  std::uint16_t flags = 0;
  const Faults faults = check_record(study(), *record, 1'700'000'000'000, flags);
  if (!faults.empty()) check_faults(faults);
  StoredRecord stored;
  stored.record = *record;
  for (const char* zone : {"America/New_York", "America/Havana", "Pacific/Apia", "UTC"}) {
    const auto interval = resolve_effective(record->effective, zone);
    TW_CHECK(interval.ok() == check_effective(record->effective).ok());
    if (!interval) continue;
    TW_CHECK(interval->from_ms < interval->until_ms);
    TW_CHECK(parse_instant(format_utc(interval->from_ms)) == interval->from_ms);
    stored.interval = *interval;
  }
  TW_CHECK(!to_json(stored, true).empty());
  TW_CHECK(to_json(stored, false).size() <= to_json(stored, true).size());
  return 0;
}
