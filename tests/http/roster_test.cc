// The connections of one loop, whose peers are only pretended.
#include "http/roster.h"

#include <gtest/gtest.h>

namespace trialward::http {
namespace {

using std::chrono::seconds;

// A peer that says nothing and takes nothing.
class SilentStream final : public Stream {
 public:
  void handshake(std::shared_ptr<Events> events) override { events->on_ready(StreamError::none); }
  void read(std::span<char>, std::shared_ptr<Events>) override {}
  void write(std::span<const std::string_view>, std::shared_ptr<Events>) override {}
  void shutdown_write() override {}
  void close() override {}
};

class RosterTest : public ::testing::Test {
 protected:
  void adopt(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) roster.adopt(std::make_shared<SilentStream>(), {});
  }
  std::size_t open() const { return context->stats.connections_open; }

  base::FakeClock clock;
  std::shared_ptr<ConnectionContext> context = std::make_shared<ConnectionContext>(
      ServerOptions{.idle_timeout = seconds(10)},
      [](const Request&) -> Decision { return fault_response(404, "nothing is here"); }, clock);
  std::shared_ptr<Loop> loop = std::make_shared<Loop>();
  Census census{10'000, 10'000};
  Roster roster{context, loop, census};
};

TEST_F(RosterTest, SweepingOftenEnoughSeesEveryConnection) {
  adopt(1);
  clock.advance(seconds(5));
  adopt(99);
  clock.advance(seconds(5));  // now the first one is overdue
  for (std::size_t i = 0; i <= Roster::kSlices; ++i) roster.sweep();
  EXPECT_EQ(open(), 99U);
  clock.advance(seconds(5));
  for (std::size_t i = 0; i <= Roster::kSlices; ++i) roster.sweep();
  EXPECT_EQ(open(), 0U);
}

// P10: what thousands of slow senders cost at once is bounded, and all are ended all the same.
TEST_F(RosterTest, EndsTheOverdueAFewAtATime) {
  constexpr std::size_t kMany = 10 * Roster::kSlices * Roster::kOverdueMax;
  adopt(kMany);
  clock.advance(seconds(10));
  std::size_t sweeps = 0;
  while (open() > 0) {
    const std::size_t before = open();
    roster.sweep();
    ASSERT_LE(before - open(), Roster::kOverdueMax);
    ASSERT_LE(++sweeps, kMany / Roster::kOverdueMax + Roster::kSlices);
  }
}

}  // namespace
}  // namespace trialward::http
