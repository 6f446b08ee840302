#include "runtime/remote.h"

#include <gtest/gtest.h>

namespace trialward::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RemoteTest : public testing::Test {
 protected:
  base::FakeClock clock_;
  base::SeededRandom random_{1};
  Remote remote_{{.in_flight_max = 2, .budget = {.saved_max = 1}}, clock_, random_};

  static base::OutboundAnswer asks(const std::string& wait) {
    return {.status = 503, .headers = {{"retry-After", wait}}};
  }
};

TEST_F(RemoteTest, SoManyCallsAtOnceAndNoMore) {
  auto one = remote_.admit(false), two = remote_.admit(false);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_FALSE(remote_.admit(false).ok());
  EXPECT_EQ(remote_.report().breaker.in_flight, 2u);
  remote_.succeeded(*one);
  EXPECT_TRUE(remote_.admit(false).ok());
}

TEST_F(RemoteTest, RepetitionsNeedTheBudgetAndFirstAttemptsDoNot) {
  ASSERT_TRUE(remote_.admit(true).ok());  // it begins full
  const auto refused = remote_.admit(true);
  ASSERT_FALSE(refused.ok());
  EXPECT_GT(refused.error(), clock_.now());
  EXPECT_EQ(remote_.report().breaker.in_flight, 0u) << "a call that was not made is not out";
  EXPECT_TRUE(remote_.admit(false).ok());
  clock_.advance(seconds(1));
  EXPECT_TRUE(remote_.admit(true).ok());
}

TEST_F(RemoteTest, ItIsLeftAloneForAsLongAsItAskedUpToALimit) {
  remote_.heed(asks("2"));
  const auto refused = remote_.admit(false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error(), clock_.now() + seconds(2));
  clock_.advance(milliseconds(2000));
  EXPECT_TRUE(remote_.admit(false).ok());
  remote_.heed(asks("100000"));
  EXPECT_EQ(remote_.report().paused, seconds(30));
  clock_.advance(milliseconds(30'000));
  for (const char* nonsense : {"", "soon", "-1", "0", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    remote_.heed(asks(nonsense));
    EXPECT_EQ(remote_.report().paused, base::Duration::zero()) << nonsense;
  }
}

}  // namespace
}  // namespace trialward::runtime
