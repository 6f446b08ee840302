#include "base/file_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace trialward::base {
namespace {

TEST(FileLimit, IsRaisedAsFarAsTheHardOneLets) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low{64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_file_limit(32), 64u) << "never lowered";
  EXPECT_EQ(raise_file_limit(96), 96u);
  EXPECT_LE(raise_file_limit(std::size_t{1} << 40), before.rlim_max);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

}  // namespace
}  // namespace trialward::base
