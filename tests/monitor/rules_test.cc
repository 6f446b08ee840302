// What rules make of records, one record after the other: matches.txt.
#include "monitor/rules.h"

#include <gtest/gtest.h>

#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

TEST(Rules, MatchWhatTheyShould) {
  auto cases = read_cases("matches.txt");
  const auto more = read_cases("matches_of_several.txt");
  cases.insert(cases.end(), more.begin(), more.end());
  ASSERT_GT(cases.size(), 30u);
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    const auto study = study_with(one.input);
    auto loaded = load_rules(study);
    if (!loaded) {
      ADD_FAILURE() << model::to_string(loaded.error().front());
      continue;
    }
    run_steps(one, *study, **loaded);
  }
}

TEST(Rules, CarryWhatTheFileSays) {
  const auto monitor = monitor_with(R"(
[[rules]]
id = "a"
version = 7
title = "Title"
severity = "critical"
kind = "lab"
[[rules]]
id = "b"
title = "Other"
severity = "info"
kind = "lab"
[[rules]]
id = "c"
title = "Third"
kind = "lab"
)");
  ASSERT_EQ(monitor->rules().size(), 3u);
  const model::RuleInfo& first = monitor->rules()[0];
  EXPECT_EQ(first.id, "a");
  EXPECT_EQ(first.version, 7);
  EXPECT_EQ(first.title, "Title");
  EXPECT_EQ(first.severity, model::AlertSeverity::critical);
  EXPECT_EQ(monitor->rules()[1].version, 1);
  EXPECT_EQ(monitor->rules()[1].severity, model::AlertSeverity::info);
  EXPECT_EQ(monitor->rules()[2].severity, model::AlertSeverity::warning);
}

TEST(Rules, AbsentFileMeansNone) {
  auto study = model::load_study(
      std::vector<model::DefinitionFile>{{"study.toml", test_file("study.toml")}});
  ASSERT_TRUE(study.ok());
  const auto monitor = load_rules(std::make_shared<const model::Study>(std::move(*study)));
  ASSERT_TRUE(monitor.ok());
  EXPECT_TRUE((*monitor)->rules().empty());
  EXPECT_EQ(open_watch(**monitor)->save(), "");
}

TEST(Rules, HashChangesWithRulesAndStudy) {
  const std::string rule = "[[rules]]\nid = \"a\"\ntitle = \"A\"\nkind = \"lab\"\n";
  const auto hash_of = [](const std::string& rules, const std::string& study_more) {
    auto study = model::load_study(std::vector<model::DefinitionFile>{
        {"study.toml", test_file("study.toml") + study_more}, {"rules.toml", rules}});
    EXPECT_TRUE(study.ok());
    auto monitor = load_rules(std::make_shared<const model::Study>(std::move(*study)));
    EXPECT_TRUE(monitor.ok());
    return (*monitor)->hash();
  };
  const std::string hash = hash_of(rule, "");
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(hash_of(rule, ""), hash);
  EXPECT_NE(hash_of(rule + "severity = \"info\"\n", ""), hash);
  // Another range makes another number of ULNs.
  EXPECT_NE(hash_of(rule, "range = [0, 10]\n"), hash);
}

TEST(Rules, WatchOutlivesItsMonitor) {
  auto monitor = monitor_with(
      "[[rules]]\nid = \"a\"\ntitle = \"A\"\nkind = \"lab\"\ncodes = [\"ALT\"]\n"
      "count = 2\nwithin = \"1 d\"\n");
  const auto study = study_with("");
  auto watch = open_watch(*monitor);
  monitor.reset();
  const std::string members =
      R"("kind":"lab","code":"ALT","value":1,"unit":"U/L","effective":"2020-01-01T10:00")";
  EXPECT_TRUE(watch->observe(stored_record(*study, 1, members)).matches.empty());
  EXPECT_EQ(watch->observe(stored_record(*study, 2, members)).matches.size(), 1u);
}

}  // namespace
}  // namespace trialward::monitor
