// The rules of the studies that ship.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

void run_study(const std::string& name) {
  auto study = model::load_study(TRIALWARD_SOURCE "/studies/" + name);
  ASSERT_TRUE(study.ok()) << to_string(study.error().front());
  const auto shared = std::make_shared<const model::Study>(std::move(*study));
  auto monitor = load_rules(shared);
  ASSERT_TRUE(monitor.ok()) << to_string(monitor.error().front());
  const auto cases = read_cases(name + ".txt");
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    run_steps(one, *shared, **monitor);
  }
  for (const model::RuleInfo& rule : (*monitor)->rules()) {
    const bool mentioned = std::any_of(cases.begin(), cases.end(), [&](const Case& one) {
      return std::any_of(one.lines.begin(), one.lines.end(), [&](const std::string& line) {
        return line.find(rule.id) != std::string::npos;
      });
    });
    EXPECT_TRUE(mentioned) << rule.id << " is not tested";
  }
}

TEST(Studies, DemoIsWatched) { run_study("demo"); }

TEST(Studies, CdiscPilot01IsWatched) { run_study("cdiscpilot01"); }

}  // namespace
}  // namespace trialward::monitor
