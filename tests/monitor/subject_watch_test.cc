// A Watch is a function of the records, not of the order in which they come: random trials.
#include "monitor/subject_watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

constexpr const char* kWatchedRules = R"(
[[rules]]
id = "fast"
title = "t"
kind = "vital"
codes = ["HR"]
above = 120
unit = "/min"
count = 3
within = "1 h"
[[rules]]
id = "double"
title = "t"
kind = "lab"
codes = ["ALT"]
at_least = 2
of = "baseline"
[[rules]]
id = "jump"
title = "t"
one_alert_per = "code"
kind = "lab"
codes = ["ALT", "BILI"]
rise_percent = 50
from = "last"
[[rules]]
id = "cluster"
title = "t"
kind = "adverse_event"
count = 3
within = "1 h"
[[rules]]
id = "both"
title = "t"
within = "4 h"
all = [
  { kind = "vital", codes = ["HR"], above = 140, unit = "/min" },
  { kind = "lab", codes = ["BILI"], above = 2, unit = "mg/dL" },
  { kind = "adverse_event", serious = true },
]
)";
// Those whose alerts, too, name the same records whatever the order: what they take as a cause
// never stops to be one when more comes. (The value before a value may change.)
const std::set<std::string> kMonotone = {"fast", "cluster", "both"};

// An invented subject's records; ids follow no order of theirs.
class Trial {
 public:
  explicit Trial(std::uint32_t seed) : random_(seed) {}

  std::vector<model::StoredRecord> records(std::size_t count, bool with_corrections) {
    std::vector<model::StoredRecord> all;
    for (std::size_t i = 0; i < count; ++i) {
      model::StoredRecord stored = record(static_cast<std::int64_t>(i) + 1);
      if (with_corrections && i > 0 && below(6) == 0) correct(all[below(i)], stored);
      all.push_back(std::move(stored));
    }
    return all;
  }

  // Any order in which a correction comes after what it corrects.
  std::vector<model::StoredRecord> shuffled(std::vector<model::StoredRecord> records) {
    std::shuffle(records.begin(), records.end(), random_);
    std::vector<model::StoredRecord> ordered;
    std::set<std::int64_t> there;
    while (ordered.size() < records.size()) {
      for (const auto& stored : records) {
        const std::int64_t amended = stored.record.amends;
        if (there.contains(stored.id) || (amended != 0 && !there.contains(amended))) continue;
        there.insert(stored.id);
        ordered.push_back(stored);
      }
    }
    return ordered;
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  model::StoredRecord record(std::int64_t id) {
    model::StoredRecord stored;
    stored.id = id;
    model::Record& record = stored.record;
    record.subject = "S1";
    record.source = below(2) == 0 ? "site" : "device";
    record.source_id = std::to_string(random_());
    const std::int64_t from_ms = 60'000 * static_cast<std::int64_t>(below(3000));
    if (below(30) != 0) stored.interval = model::Interval{from_ms, from_ms + 1};
    record.baseline = below(25) == 0;
    if (below(20) != 0) record.value.number = static_cast<double>(below(200)) / 4;
    switch (below(5)) {
      case 0:
        return with_code(stored, model::Kind::lab, "ALT", "U/L", 10);
      case 1:
        return with_code(stored, model::Kind::lab, "BILI", "mg/dL", 0.1);
      case 2:
        record.serious = below(3) == 0;
        record.value = {};
        return with_code(stored, model::Kind::adverse_event, "RASH", "", 1);
      default:
        return with_code(stored, model::Kind::vital, "HR", "/min", 4);
    }
  }

  static model::StoredRecord with_code(model::StoredRecord stored, model::Kind kind,
                                       const char* code, const char* unit, double scale) {
    stored.record.kind = kind;
    stored.record.code = code;
    stored.record.unit = unit;
    if (stored.record.value.number) *stored.record.value.number *= scale;
    return stored;
  }

  void correct(const model::StoredRecord& amended, model::StoredRecord& stored) {
    if (corrected_.insert(amended.id).second) stored.record.amends = amended.id;
  }

  std::mt19937 random_;
  std::set<std::int64_t> corrected_;
};

// What a subject's alerts would name, were they never acknowledged.
using Named = std::map<std::string, std::set<std::int64_t>>;

std::string observe_all(const model::Monitor& monitor,
                        const std::vector<model::StoredRecord>& records, Named& named,
                        bool reopen) {
  auto watch = open_watch(monitor);
  for (const auto& stored : records) {
    for (const model::Match& match : watch->observe(stored).matches) {
      EXPECT_FALSE(match.causes.empty());
      const std::string& id = monitor.rules()[match.rule].id;
      if (!kMonotone.contains(id)) continue;
      named[id].insert(match.causes.begin(), match.causes.end());
    }
    if (reopen) watch = open_watch(monitor, watch->save());
  }
  return watch->save();
}

TEST(SubjectWatch, EndsInTheSameBytesWhateverTheOrder) {
  const auto monitor = monitor_with(kWatchedRules);
  std::size_t alerts = 0;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Trial trial(seed);
    // From a few records to more than a series keeps.
    const auto records = trial.records(std::size_t{20} << (seed % 7), seed % 2 == 0);
    Named named;
    const std::string saved = observe_all(*monitor, records, named, false);
    for (const auto& [rule, causes] : named) alerts += causes.size();
    for (int round = 0; round < 4; ++round) {
      Named again;
      ASSERT_EQ(observe_all(*monitor, trial.shuffled(records), again, round == 0), saved);
    }
  }
  EXPECT_GT(alerts, 50u);
}

// As long as nothing was forgotten or corrected, alerts name the same records in the end.
TEST(SubjectWatch, NamesTheSameCausesWhateverTheOrder) {
  const auto monitor = monitor_with(kWatchedRules);
  for (std::uint32_t seed = 100; seed < 110; ++seed) {
    SCOPED_TRACE(seed);
    Trial trial(seed);
    const auto records = trial.records(300, false);
    Named named;
    observe_all(*monitor, records, named, false);
    EXPECT_EQ(named.size(), kMonotone.size());  // the trial is one where each rule holds
    for (int round = 0; round < 4; ++round) {
      Named again;
      observe_all(*monitor, trial.shuffled(records), again, false);
      ASSERT_EQ(again, named);
    }
  }
}

TEST(SubjectWatch, RemembersOnlyWhatRulesCount) {
  const auto monitor = monitor_with(kWatchedRules);
  const auto study = study_with("");
  auto watch = open_watch(*monitor);
  const std::string time = R"(,"effective":"2020-01-01T10:00")";
  const auto observe = [&](std::int64_t id, const std::string& members) {
    (void)watch->observe(stored_record(*study, id, members + time));
  };
  observe(1, R"("kind":"vital","code":"HR","value":80,"unit":"/min")");
  observe(2, R"("kind":"vital","code":"TEMP","value":41,"unit":"C")");
  observe(3, R"("kind":"lab","code":"ALT","value":"<5","unit":"U/L")");
  EXPECT_FALSE(watch->changed());
  EXPECT_EQ(watch->save(), "");
  observe(4, R"("kind":"vital","code":"HR","value":121,"unit":"/min")");
  EXPECT_TRUE(watch->changed());
  EXPECT_NE(watch->save(), "");
}

TEST(SubjectWatch, KnowsARecordThatItHasSeen) {
  const auto monitor = monitor_with(kWatchedRules);
  Trial trial(3);
  auto watch = open_watch(*monitor);
  const auto records = trial.records(50, false);
  for (const auto& stored : records) (void)watch->observe(stored);
  const std::string saved = watch->save();
  watch = open_watch(*monitor, saved);
  for (const auto& stored : records) (void)watch->observe(stored);
  EXPECT_FALSE(watch->changed());
  EXPECT_EQ(watch->save(), saved);
}

TEST(SubjectWatch, StaysWithinItsBound) {
  const auto monitor = monitor_with(kWatchedRules);
  Trial trial(4);
  auto watch = open_watch(*monitor);
  for (const auto& stored : trial.records(5000, true)) (void)watch->observe(stored);
  EXPECT_LT(watch->save().size(), 64u << 10);
}

}  // namespace
}  // namespace trialward::monitor
