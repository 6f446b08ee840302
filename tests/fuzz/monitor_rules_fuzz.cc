// After a first byte that says what they are, any bytes as rules.toml, or as a saved watch: refused
// with reasons, or good for watching, saving and opening again.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "base/sha256.h"
#include "monitor/rules.h"

namespace {

using namespace trialward;

constexpr const char* kStudy = R"toml(
[study]
id = "fuzz"
[[sites]]
id = "1"
time_zone = "UTC"
[kinds.adverse_event]
open = true
[[codes]]
kind = "lab"
code = "ALT"
unit = "U/L"
also = [{ unit = "ukat/L", factor = 60 }]
range = [5, 40]
[[codes]]
kind = "lab"
code = "ALP"
unit = "U/L"
range = [35, 100]
[[codes]]
kind = "lab"
code = "HCG"
type = "text"
)toml";

constexpr const char* kRules = R"toml(
[[rules]]
id = "often"
title = "t"
kind = "lab"
codes = ["ALT"]
above = 100
unit = "U/L"
count = 3
within = "1 h"
[[rules]]
id = "double"
title = "t"
kind = "lab"
codes = ["ALT"]
rise_percent = 100
from = "last"
[[rules]]
id = "cluster"
title = "t"
within = "1 d"
all = [{ kind = "adverse_event", serious = true }, { kind = "lab", codes = ["ALT"] }]
[[rules]]
id = "ratio"
title = "t"
kind = "lab"
codes = ["ALT"]
at_least = 2
of = "ULN"
ratio_to = "ALP"
apart = "1 d"
[[rules]]
id = "missing"
title = "t"
within = "1 min"
missing = { kind = "lab", codes = ["ALP"] }
after_each = { kind = "lab", codes = ["ALT"] }
)toml";

std::shared_ptr<const model::Study> study_with(std::string rules) {
  auto study = model::load_study(
      std::vector<model::DefinitionFile>{{"study.toml", kStudy}, {"rules.toml", std::move(rules)}});
  TW_CHECK(study.ok());
  return std::make_shared<const model::Study>(std::move(*study));
}

void check(const model::Monitor& monitor, const model::Observation& found) {
  for (const auto* matches : {&found.matches, &found.ended}) {
    for (const model::Match& match : *matches) {
      TW_CHECK(match.rule < monitor.rules().size() && !match.causes.empty());
    }
  }
}

// Observes a few records, and checks that what is saved opens and saves the same again.
void watch(const model::Monitor& monitor, model::Watch& watch) {
  for (std::int64_t id = 1; id <= 12; ++id) {
    model::StoredRecord stored;
    stored.id = id;
    stored.interval = model::Interval{id % 5 * 60'000, id % 5 * 60'000 + 1};
    model::Record& record = stored.record;
    record.source = "s";
    record.source_id = std::to_string(id);
    record.kind = id % 4 == 0 ? model::Kind::adverse_event : model::Kind::lab;
    record.code = id % 7 == 0 ? "HCG" : id % 5 == 0 ? "ALP" : "ALT";
    record.unit = "U/L";
    record.serious = true;
    record.severity = "SEVERE";
    record.baseline = id == 3;
    record.value.number = static_cast<double>(id * 37 % 400);
    record.amends = id == 11 ? 5 : 0;
    check(monitor, watch.observe(stored));
    if (id % 3 == 0) check(monitor, watch.pass(id * 60'000));
  }
  const std::string saved = watch.save();
  auto again = monitor.open(saved);
  TW_CHECK(again.ok() && (*again)->save() == saved);
}

void fuzz_rules(std::string rules) {
  const auto monitor = monitor::load_rules(study_with(std::move(rules)));
  if (!monitor) {
    TW_CHECK(!monitor.error().empty());
    for (const model::DefinitionFault& fault : monitor.error()) {
      TW_CHECK(fault.file == "rules.toml" && fault.line >= 0 && !fault.reason.empty());
    }
    return;
  }
  auto opened = (*monitor)->open({});
  TW_CHECK(opened.ok());
  watch(**monitor, **opened);
}

void fuzz_saved(std::string saved) {
  static const auto monitor = [] {
    auto loaded = monitor::load_rules(study_with(kRules));
    TW_CHECK(loaded.ok());
    return std::move(*loaded);
  }();
  // With the checksum that it needs to be looked at.
  saved += base::as_bytes(base::sha256(saved)).substr(0, 8);
  auto opened = monitor->open(saved);
  if (!opened) {
    TW_CHECK(opened.error().code == base::Errc::corrupt);
    return;
  }
  TW_CHECK((*opened)->save() == saved && !(*opened)->changed());
  watch(*monitor, **opened);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] % 2 == 0) {
    fuzz_rules(std::move(bytes));
  } else {
    fuzz_saved(std::move(bytes));
  }
  return 0;
}
