// The connections of one loop, whose peers are only pretended.
#include "http/roster.h"

#include <gtest/gtest.h>

namespace trialward::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A peer that says what it is told to, and takes nothing.
class PretendedStream final : public Stream {
 public:
  void handshake(std::shared_ptr<Events> events) override { events->on_ready(StreamError::none); }
  void read(std::span<char> to, std::shared_ptr<Events> events) override {
    to_ = to;
    events_ = std::move(events);
  }
  void write(std::span<const std::string_view>, std::shared_ptr<Events>) override {}
  void shutdown_write() override {}
  void close() override {
    closed = true;
    events_.reset();
  }

  void say(std::string_view text) {
    text.copy(to_.data(), to_.size());
    std::exchange(events_, {})->on_read(StreamError::none, text.size());
  }

  bool closed = false;

 private:
  std::span<char> to_;
  std::shared_ptr<Events> events_;
};

class RosterTest : public ::testing::Test {
 protected:
  // As the server does: a peer and its connection hold each other until they are closed.
  void TearDown() override { roster.close_all(); }

  std::shared_ptr<PretendedStream> adopt() {
    auto stream = std::make_shared<PretendedStream>();
    roster.adopt(stream, {});
    return stream;
  }
  void adopt(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) adopt();
  }
  // As the loop would, for the time that one look at all of them may take; how often it was.
  std::size_t sweep_once_round() {
    std::size_t calls = 0;
    for (base::Duration passed{}; passed <= kPeriod; ++calls) passed += roster.sweep(kPeriod);
    return calls;
  }
  std::size_t open() const { return context->stats.connections_open; }

  static constexpr std::size_t kPlaces = 10'000;
  static constexpr base::Duration kPeriod = milliseconds(256);

  base::FakeClock clock;
  std::shared_ptr<ConnectionContext> context = std::make_shared<ConnectionContext>(
      ServerOptions{.idle_timeout = seconds(10)},
      [](const Request&) -> Decision { return fault_response(404, "nothing is here"); }, clock);
  std::shared_ptr<Loop> loop = std::make_shared<Loop>();
  Census census{kPlaces, kPlaces};
  Roster roster{context, loop, census};
};

TEST_F(RosterTest, SeesEveryConnectionOnceAPeriod) {
  for (const std::size_t count : {1UL, 100UL, 1'000UL, kPlaces}) {
    SCOPED_TRACE(count);
    const std::size_t earlier = (count + 99) / 100;  // few enough to be ended in one round
    adopt(earlier);
    clock.advance(seconds(5));
    adopt(count - earlier);
    clock.advance(seconds(5));  // now the earlier ones are overdue
    sweep_once_round();
    EXPECT_EQ(open(), count - earlier);
    roster.close_all();
    ASSERT_EQ(open(), 0U);
  }
}

// Looking costs a wake-up each time, so few connections are looked at all at once.
TEST_F(RosterTest, LooksOnceAPeriodAtAFew) {
  for (const std::size_t count : {std::size_t{0}, Roster::kSliceMin}) {
    adopt(count);
    EXPECT_EQ(roster.sweep(kPeriod), kPeriod);
  }
  adopt(kPlaces - Roster::kSliceMin);
  EXPECT_EQ(roster.sweep(kPeriod), kPeriod / Roster::kSlicesMax);
}

// P10: what thousands of slow senders cost at once is bounded, and all are ended all the same.
TEST_F(RosterTest, EndsTheOverdueAFewAtATime) {
  adopt(kPlaces);
  clock.advance(seconds(10));
  base::Duration took{};
  while (open() > 0) {
    const std::size_t before = open();
    took += roster.sweep(kPeriod);
    ASSERT_LE(before - open(), Roster::kOverdueMax);
    ASSERT_LE(took, Roster::kOverduePause * (kPlaces / Roster::kOverdueMax) + 2 * kPeriod);
  }
  EXPECT_EQ(context->stats.idle_timeouts, kPlaces);
}

// P10: thousands of slow senders do not keep a newcomer out.
TEST_F(RosterTest, WhoHasNotSentAHeadGivesWayToNewcomers) {
  const auto served = adopt();
  const auto slow = adopt();
  const auto slow_too = adopt();
  served->say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  slow->say("GET / HTTP/1.1\r\nHo");
  adopt(kPlaces - 3);

  clock.advance(Roster::kPatience - milliseconds(1));
  adopt();
  EXPECT_EQ(context->stats.refused_total, 1U);  // all may be on the point of sending theirs
  EXPECT_EQ(context->stats.gave_way, 0U);

  clock.advance(milliseconds(1));
  slow->say("st:");  // that it goes on does not help it
  adopt();
  EXPECT_TRUE(slow->closed);
  EXPECT_FALSE(slow_too->closed);
  adopt();
  EXPECT_TRUE(slow_too->closed);
  EXPECT_FALSE(served->closed);
  EXPECT_EQ(context->stats.gave_way, 2U);
  EXPECT_EQ(context->stats.refused_total, 1U);
  EXPECT_EQ(open(), kPlaces);
}

TEST_F(RosterTest, WhoHasSentAHeadKeepsItsPlace) {
  for (std::size_t i = 0; i < kPlaces; ++i) adopt()->say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  clock.advance(2 * Roster::kPatience);
  adopt();
  EXPECT_EQ(context->stats.refused_total, 1U);
  EXPECT_EQ(context->stats.gave_way, 0U);
}

// Nobody is closed for one who would not be let in anyway.
TEST_F(RosterTest, NobodyGivesWayToAnAddressThatHasItsShare) {
  Census full{2, 1};
  Roster small{context, loop, full};
  const auto first = std::make_shared<PretendedStream>();
  small.adopt(first, "192.0.2.1");
  small.adopt(std::make_shared<PretendedStream>(), "192.0.2.2");
  clock.advance(Roster::kPatience);
  small.adopt(std::make_shared<PretendedStream>(), "192.0.2.2");
  EXPECT_EQ(context->stats.refused_per_address, 1U);
  EXPECT_FALSE(first->closed);
  small.adopt(std::make_shared<PretendedStream>(), "192.0.2.3");
  EXPECT_TRUE(first->closed);
  small.close_all();
}

}  // namespace
}  // namespace trialward::http
