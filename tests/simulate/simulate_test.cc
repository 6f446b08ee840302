// Promise P11: runs replay. The other promises that a run checks are named where it checks them.
#include <gtest/gtest.h>

#include "base/log.h"
#include "tests/simulate/run_seed.h"

namespace trialward::simulate {
namespace {

class Simulate : public ::testing::Test {
 protected:
  void SetUp() override { base::set_log_level(base::LogLevel::off); }
};

// With how much happens in all of them, so that it is seen when nothing does any more.
TEST_F(Simulate, NoSeedBreaksAPromise) {
  // Under the sanitizers everything takes ten times as long.
  const std::uint64_t seeds = std::getenv("TRIALWARD_SLOW") != nullptr ? 20 : 200;
  std::map<std::string, std::int64_t> counts;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const SeedOptions options{.seed = seed};
    const RunReport report = run_seed(options);
    ASSERT_EQ(report.wrong, "") << "seed " << seed << ", step " << report.step << "\nreplay: "
                                << replay_command(options);
    for (const auto& [name, count] : report.counts) counts[name] += count;
  }
  for (const char* name : {"acknowledged", "repeated", "events", "conflict", "poison", "refused",
                           "expired", "unavailable", "cancelled", "kills", "stops", "escalated",
                           "no memory"}) {
    EXPECT_GT(counts[name], static_cast<std::int64_t>(seeds) / 20) << name;
  }
}

TEST_F(Simulate, EqualSeedsGiveEqualRuns) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const RunReport first = run_seed({.seed = seed});
    const RunReport second = run_seed({.seed = seed});
    EXPECT_EQ(first.trace, second.trace) << seed;
    EXPECT_EQ(first.counts, second.counts) << seed;
    EXPECT_NE(first.trace, run_seed({.seed = seed + 1}).trace) << seed;
  }
}

}  // namespace
}  // namespace trialward::simulate
