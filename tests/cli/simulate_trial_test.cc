#include "cli/simulate_trial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "model/decode_record.h"
#include "model/study.h"

namespace trialward::cli {
namespace {

// 2025-07-06T00:00:00Z: after the last moment that an invented record can have.
constexpr std::int64_t kNowMs = 1'751'760'000'000;

struct Counts {
  int alarming = 0;
  std::map<std::string, int> codes;
  // By subject and code, of values that are to alarm nobody.
  std::map<std::pair<std::string, std::string>, std::pair<double, double>> least_and_most;
  std::set<std::string> subjects, source_ids;
};

// Decodes and checks what the trial invents as a server with the demo study would.
Counts check_with_demo_study(InventedTrial& trial, int records) {
  const auto study = model::load_study(std::string(TRIALWARD_SOURCE "/studies/demo"));
  EXPECT_TRUE(study.ok());
  Counts counts;
  model::RecordDecoder decoder;
  for (int i = 0; study && i < records; ++i) {
    const InventedRecord invented = trial.next();
    const auto record = decoder.decode(invented.json);
    EXPECT_TRUE(record.ok()) << invented.json;
    if (!record) continue;
    std::uint16_t flags = 0;
    EXPECT_TRUE(model::check_record(*study, *record, kNowMs, flags).empty()) << invented.json;
    EXPECT_EQ(flags, 0) << invented.json;
    EXPECT_EQ(record->source, trial.source());
    EXPECT_EQ(record->source_id, invented.source_id);
    if (invented.alarming) {
      ++counts.alarming;
      if (record->kind == model::Kind::adverse_event) {
        EXPECT_TRUE(record->serious.value_or(false));
      } else {
        EXPECT_EQ(record->code, "ALT");
        EXPECT_GE(*record->value.number, 3 * *record->range.high);
      }
    } else if (record->kind == model::Kind::lab) {
      EXPECT_EQ(model::reference_flag(record->value, record->range), "NORMAL") << invented.json;
      const double value = *record->value.number;
      auto& [least, most] =
          counts.least_and_most.try_emplace({record->subject, record->code}, value, value)
              .first->second;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    ++counts.codes[record->code];
    counts.subjects.insert(record->subject);
    counts.source_ids.insert(record->source_id);
  }
  return counts;
}

TEST(InventedTrial, TheDemoStudyTakesItAll) {
  InventedTrial trial({.seed = 3, .subjects = 50, .alert_share = 0.1});
  EXPECT_EQ(trial.source(), "simulate-3");
  const Counts counts = check_with_demo_study(trial, 5000);
  EXPECT_EQ(counts.source_ids.size(), 5000U);
  EXPECT_EQ(counts.subjects.size(), 50U);
  EXPECT_TRUE(counts.subjects.contains("SUBJ-1") && counts.subjects.contains("SUBJ-50"));
  EXPECT_EQ(counts.codes.size(), 5U);
  EXPECT_NEAR(counts.alarming, 500, 100);
  for (const auto& [of, values] : counts.least_and_most) {
    EXPECT_LT(values.second, 2 * values.first) << of.first << " " << of.second;
  }
}

TEST(InventedTrial, TheShareOfSeriousEventsIsKept) {
  InventedTrial trial({.seed = 3, .alert_share = 0, .serious_share = 0.2});
  const Counts counts = check_with_demo_study(trial, 5000);
  EXPECT_NEAR(counts.alarming, 1000, 150);
  EXPECT_EQ(counts.codes.at("Syncope"), counts.alarming);
  InventedTrial all({.alert_share = 0, .serious_share = 1});
  EXPECT_EQ(check_with_demo_study(all, 100).codes.at("Syncope"), 100);
}

TEST(InventedTrial, TheShareOfAlarmsIsKept) {
  InventedTrial none({.alert_share = 0});
  EXPECT_EQ(check_with_demo_study(none, 1000).alarming, 0);
  InventedTrial all({.alert_share = 1});
  EXPECT_EQ(check_with_demo_study(all, 1000).alarming, 1000);
}

TEST(InventedTrial, EqualSeedsGiveEqualRecords) {
  InventedTrial one({.seed = 9});
  InventedTrial same({.seed = 9});
  InventedTrial other({.seed = 10});
  int different = 0;
  for (int i = 0; i < 1000; ++i) {
    const InventedRecord record = one.next();
    EXPECT_EQ(record.json, same.next().json);
    different += record.json != other.next().json ? 1 : 0;
  }
  EXPECT_EQ(different, 1000);
}

TEST(InventedTrial, SubjectsHaveTheirPrefix) {
  InventedTrial trial({.subject_prefix = "01-\"701\"-", .subjects = 1});
  EXPECT_NE(trial.next().json.find(R"("subject":"01-\"701\"-1")"), std::string::npos);
}

}  // namespace
}  // namespace trialward::cli
