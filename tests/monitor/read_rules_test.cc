// rules.toml's faults, as faults.txt lists them, and its limits.
#include "monitor/read_rules.h"

#include <gtest/gtest.h>

#include "monitor/watch_format.h"
#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

std::vector<std::string> rule_faults(const std::string& rules) {
  std::vector<std::string> faults;
  const auto read = read_rules(study_with(rules));
  if (read) return faults;
  for (const auto& fault : read.error()) faults.push_back(to_string(fault));
  return faults;
}

std::string rule(std::size_t number, const std::string& condition) {
  const std::string name = std::to_string(number);
  return "[[rules]]\nid = \"r" + name + "\"\ntitle = \"t\"\n" + condition + "\n";
}

TEST(ReadRules, ListsEveryFaultWithItsLine) {
  auto cases = read_cases("faults.txt");
  const auto more = read_cases("faults_of_several.txt");
  cases.insert(cases.end(), more.begin(), more.end());
  ASSERT_GT(cases.size(), 20u);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    EXPECT_EQ(rule_faults(one.input), one.lines);
  }
}

TEST(ReadRules, BoundsTheRules) {
  const auto with = [](std::size_t count) {
    std::string rules;
    for (std::size_t i = 0; i < count; ++i) rules += rule(i, "kind = \"lab\"");
    return rule_faults(rules);
  };
  EXPECT_TRUE(with(kRulesMax).empty());
  EXPECT_EQ(with(kRulesMax + 1), std::vector<std::string>{"rules.toml:1: more than 1000 rules"});
}

TEST(ReadRules, BoundsTheConditionsOfARule) {
  const auto with = [](std::size_t count) {
    std::string condition = "any = [";
    for (std::size_t i = 0; i < count; ++i) condition += "\n{ kind = \"lab\", what = 1 },";
    return rule_faults(rule(0, condition + "]")).size();
  };
  // The any is one, and each of the others has a fault of its own.
  EXPECT_EQ(with(kConditionsMax - 1), kConditionsMax - 1);
  EXPECT_EQ(with(kConditionsMax), kConditionsMax);
  EXPECT_EQ(with(kConditionsMax + 100), kConditionsMax);
}

TEST(ReadRules, BoundsTheCodesOfACondition) {
  const auto with = [](std::size_t count) {
    std::string codes;
    for (std::size_t i = 0; i < count; ++i) codes += "\"C" + std::to_string(i) + "\",";
    return rule_faults(rule(0, "kind = \"adverse_event\"\ncodes = [" + codes + "]"));
  };
  EXPECT_TRUE(with(kCodesMax).empty());
  EXPECT_EQ(with(kCodesMax + 1), std::vector<std::string>{"rules.toml:5: more than 256 codes"});
}

TEST(ReadRules, BoundsWhatIsRememberedOfASubject) {
  const std::size_t series_max = kWatchBytesMax / kSeriesBytesMax;
  const auto with = [](std::size_t count) {
    std::string rules;
    for (std::size_t i = 0; i < count; ++i) {
      rules += rule(i, "kind = \"adverse_event\"\ncodes = [\"C" + std::to_string(i) +
                           "\"]\ncount = 2\nwithin = \"1 d\"");
    }
    return rule_faults(rules);
  };
  EXPECT_TRUE(with(series_max).empty());
  const auto faults = with(series_max + 1);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_NE(faults[0].find("too much would be remembered"), std::string::npos) << faults[0];
}

TEST(ReadRules, BoundsTheConditionsCountedOnOneCode) {
  const auto with = [](std::size_t count) {
    std::string rules;
    for (std::size_t i = 0; i < count; ++i) {
      rules += rule(i, "kind = \"lab\"\ncodes = [\"ALT\"]\nabove = " + std::to_string(i) +
                           "\nunit = \"U/L\"\ncount = 2\nwithin = \"1 d\"");
    }
    return rule_faults(rules);
  };
  EXPECT_TRUE(with(kTestsPerSeriesMax).empty());
  const auto faults = with(kTestsPerSeriesMax + 1);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_NE(faults[0].find("more than 64 conditions on ALT"), std::string::npos) << faults[0];
}

// What no rule mentions is found by one look-up and remembers nothing.
TEST(ReadRules, RulesOnSingleRecordsRememberNothing) {
  const auto rules = read_rules(study_with(rule(0,
                                                "kind = \"lab\"\ncodes = [\"ALT\"]\nat_least = "
                                                "3\nof = \"ULN\"\none_alert_per = \"record\"")));
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules->series_count(), 0u);
  EXPECT_NE(rules->of_code(model::Kind::lab, "ALT"), nullptr);
  EXPECT_EQ(rules->of_code(model::Kind::lab, "AST"), nullptr);
  EXPECT_EQ(rules->of_code(model::Kind::vital, "ALT"), nullptr);
  EXPECT_EQ(rules->of_kind(model::Kind::lab), nullptr);
}

}  // namespace
}  // namespace trialward::monitor
