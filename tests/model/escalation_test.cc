#include "model/escalation.h"

#include <gtest/gtest.h>

#include "model/study.h"

namespace trialward::model {
namespace {

constexpr const char* kSmallStudy = R"(
[study]
id = "s"
[[sites]]
id = "A"
time_zone = "UTC"
)";

base::Result<Study, DefinitionFaults> load(const std::string& escalation) {
  return load_study({{"escalation.toml", escalation}, {"study.toml", kSmallStudy}});
}

TEST(EscalationTest, TiersComeOneAfterTheOtherAndTheLastRepeats) {
  const auto study = load(R"(
[[escalation]]
severity = "critical"
tiers = [
  { targets = ["on-call", "site"], after = "15 min" },
  { targets = ["chief"], after = "1 h" },
]
[[escalation]]
severity = "info"
tiers = [{ targets = ["desk"], after = "30 s" }]
last = "stops"
[storm]
subjects = 5
within = "10 min"
)");
  ASSERT_TRUE(study.ok()) << to_string(study.error().front());
  const Escalation& escalation = *study->escalation;
  const auto next = [&](AlertSeverity severity, int told) {
    const auto found = escalation.next(severity, told);
    return found ? std::pair<std::int64_t, std::int64_t>(found->tier, found->after_ms)
                 : std::pair<std::int64_t, std::int64_t>(0, 0);
  };
  using Next = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(next(AlertSeverity::critical, 0), (Next{1, 0}));
  EXPECT_EQ(next(AlertSeverity::critical, 1), (Next{2, 900'000}));
  EXPECT_EQ(next(AlertSeverity::critical, 2), (Next{2, 3'600'000}));
  EXPECT_EQ(next(AlertSeverity::critical, 5), (Next{2, 3'600'000}));
  EXPECT_EQ(next(AlertSeverity::info, 0), (Next{1, 0}));
  EXPECT_EQ(next(AlertSeverity::info, 1), (Next{0, 0}));
  EXPECT_EQ(next(AlertSeverity::warning, 0), (Next{0, 0}));
  EXPECT_EQ(escalation.tier(AlertSeverity::critical, 1)->targets,
            (std::vector<std::string>{"on-call", "site"}));
  EXPECT_EQ(escalation.tier(AlertSeverity::critical, 0), nullptr);
  EXPECT_EQ(escalation.tier(AlertSeverity::warning, 1), nullptr);
  EXPECT_EQ(escalation.storm->subjects, 5);
  EXPECT_EQ(escalation.storm->within_ms, 600'000);
}

TEST(EscalationTest, WithoutTheFileThereIsNone) {
  const auto study = load_study(std::vector<DefinitionFile>{{"study.toml", kSmallStudy}});
  ASSERT_TRUE(study.ok());
  EXPECT_FALSE(study->escalation.has_value());
}

TEST(EscalationTest, EachFaultIsToldWithItsLine) {
  const std::string ladder = "[[escalation]]\nseverity = \"critical\"\n";
  const std::string tier = "{ targets = [\"a\"], after = \"1 min\" }";
  std::string nine, many;
  for (int i = 0; i < 9; ++i) nine += (i > 0 ? ", " : "") + tier;
  for (int i = 0; i < 17; ++i) many += (i > 0 ? ", \"" : "\"") + std::to_string(i) + "\"";
  const std::pair<std::string, std::string> cases[] = {
      {"[[escalation]]\nseverity = \"high\"\ntiers = [" + tier + "]",
       "escalation.toml:2: severity must be info, warning or critical"},
      {ladder, "escalation.toml:1: tiers must have one or more"},
      {ladder + "tiers = [" + nine + "]", "escalation.toml:3: more than 8 tiers"},
      {ladder + "tiers = [{ after = \"1 min\" }]", "escalation.toml:3: a tier needs a target"},
      {ladder + "tiers = [{ targets = [" + many + "], after = \"1 min\" }]",
       "escalation.toml:3: more than 16 targets"},
      {ladder + "tiers = [{ targets = [\"a\", \"a\"], after = \"1 min\" }]",
       "escalation.toml:3: target \"a\" is given twice"},
      {ladder + "tiers = [{ targets = [\"a\"], after = \"5\" }]",
       "escalation.toml:3: after must be \"N s\", min or h; at most 720 h"},
      {ladder + "tiers = [{ targets = [\"a\"], after = \"721 h\" }]",
       "escalation.toml:3: after must be \"N s\", min or h; at most 720 h"},
      {ladder + "tiers = [" + tier + "]\nlast = \"ends\"",
       "escalation.toml:4: last must be \"repeats\" or \"stops\""},
      {ladder + "tiers = [" + tier + "]\n" + ladder + "tiers = [" + tier + "]",
       "escalation.toml:5: critical is given twice"},
      {"[storm]\nsubjects = 1\nwithin = \"1 min\"",
       "escalation.toml:2: subjects must be a whole number from 2 to 100"},
      {"[storm]\nsubjects = 5",
       "escalation.toml:1: within must be \"N s\", min or h; at most 720 h"},
      {"pager = 1", "escalation.toml:1: escalation.toml has no member pager"},
      {"=", "escalation.toml:1: "},
  };
  for (const auto& [text, fault] : cases) {
    const auto study = load(text);
    ASSERT_FALSE(study.ok()) << text;
    EXPECT_TRUE(to_string(study.error().front()).starts_with(fault))
        << text << "\n"
        << to_string(study.error().front());
  }
}

}  // namespace
}  // namespace trialward::model
