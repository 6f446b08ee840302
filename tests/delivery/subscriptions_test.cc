#include "delivery/subscriptions.h"

#include <set>

#include "tests/delivery/bench_delivery.h"

namespace trialward::delivery {
namespace {

using namespace std::chrono_literals;
using store::SubscriptionStatus;

// Says in the body what would be said: "greeting", "heartbeat", or the events' numbers in the
// subscription and the study, "1:4 2:6". The resource is the endpoint.
class PlainForm final : public SubscriptionForm {
 public:
  base::Result<SubscriptionWish> read(const store::Subscription& one) override {
    SubscriptionWish all = wish;
    all.endpoint = one.resource;
    return all;
  }
  base::Result<std::string> write(store::Connection&, const store::Subscription& one,
                                  NoticeKind kind,
                                  std::vector<store::TopicEvent>& events) override {
    if (kind == NoticeKind::greeting) return std::string("greeting");
    if (kind == NoticeKind::heartbeat) return std::string("heartbeat");
    if (corrupt) return base::Error{base::Errc::corrupt, "alert 4 is not there"};
    if (events.size() > room) events.resize(room);
    std::string text;
    std::int64_t number = one.count;
    for (const store::TopicEvent& event : events) {
      text +=
          (text.empty() ? "" : " ") + std::to_string(++number) + ":" + std::to_string(event.number);
    }
    return text;
  }

  SubscriptionWish wish{.timeout = 30s, .events_max = 2};
  std::size_t room = 100;
  bool corrupt = false;
};

class PlainLedger final : public SubscriptionLedger {
 public:
  explicit PlainLedger(store::Writer& writer) : writer_(writer) {}
  bool move(const std::vector<store::SubscriptionMove>& moves,
            std::function<void(bool)> done) override {
    if (no_room > 0) return --no_room, false;
    if (failures > 0) return --failures, done(false), true;
    if (lost) return true;  // the process ends before it is written
    TW_CHECK(writer_.begin().ok());
    TW_CHECK(store::move_subscriptions(writer_, moves).ok());
    TW_CHECK(writer_.commit().ok());
    written += static_cast<int>(moves.size());
    done(true);
    return true;
  }
  int no_room = 0, failures = 0, written = 0;
  bool lost = false;

 private:
  store::Writer& writer_;
};

class SubscriptionsTest : public DeliveryBench {
 protected:
  void SetUp() override {
    DeliveryBench::SetUp();
    raise("P-0");  // makes the study
    ASSERT_TRUE(targets_.endpoints.allow("https://desk.example/"));
    ASSERT_TRUE(targets_.endpoints.allow("https://other.example/"));
  }
  void TearDown() override {
    if (all_ != nullptr) all_->stop(0s);
    all_.reset();
    DeliveryBench::TearDown();
  }
  // Begins anew, as after a restart.
  void open() {
    if (all_ != nullptr) all_->stop(0s);
    all_.reset();
    moves_ = std::make_unique<PlainLedger>(store_->writer());
    SubscriptionsOptions options;
    options.on_duty = [this] { return on_duty_; };
    options.token = [this](std::int64_t token) {
      if (unheard_.contains(token)) return TokenState::unknown;
      return revoked_.contains(token) ? TokenState::gone : TokenState::valid;
    };
    all_ = std::make_unique<Subscriptions>(Subscriptions::Parts{.targets = targets_,
                                                                .outbound = outbound_,
                                                                .ledger = *moves_,
                                                                .form = form_,
                                                                .random = random_,
                                                                .tasks = tasks_},
                                           options, std::move(store_->open_reader().value()));
    go_on();
  }
  void go_on(base::Duration later = {}) {
    clock_.advance(std::chrono::duration_cast<std::chrono::milliseconds>(later));
    all_->wake();
    for (int i = 0; i < 1000 && all_->run_once(); ++i) {
    }
  }
  std::int64_t subscribe(const std::string& url = "https://desk.example/hook",
                         std::int64_t token = 1) {
    store::Subscription one{.study = study_, .token = token, .base = "x", .resource = url};
    store::Writer& writer = store_->writer();
    TW_CHECK(writer.begin().ok());
    TW_CHECK(store::append_subscription(writer, one, {.actor = "x"}).ok());
    TW_CHECK(writer.commit().ok());
    all_->look_again();
    go_on();
    return one.id;
  }
  store::Subscription state(std::int64_t id) {
    return **store::read_subscription(store_->writer().connection(), study_, id);
  }
  void event(const std::string& subject = "P-1") {
    raise(subject, {});
    go_on();
  }
  // The bodies that are out.
  std::string sent() const {
    std::string text;
    for (const FakeOutbound::Call& call : outbound_.calls) {
      text += (text.empty() ? "" : " | ") + call.request.body;
    }
    return text;
  }
  void answer(int status, std::size_t index = 0) {
    outbound_.answer(index, status);
    go_on();
  }

  PlainForm form_;
  std::unique_ptr<PlainLedger> moves_;
  std::unique_ptr<Subscriptions> all_;
  std::set<std::int64_t> revoked_, unheard_;
  bool on_duty_ = true;
};

TEST_F(SubscriptionsTest, OneIsGreetedAndThenToldInOrder) {
  open();
  const std::int64_t id = subscribe();
  EXPECT_EQ(sent(), "greeting");
  event();
  EXPECT_EQ(sent(), "greeting") << "nothing before that";
  answer(200);
  EXPECT_EQ(state(id).status, SubscriptionStatus::active);
  EXPECT_EQ(sent(), "1:2");
  event();
  event();
  event();
  EXPECT_EQ(sent(), "1:2") << "one request at a time";
  answer(204);
  EXPECT_EQ(sent(), "2:3 3:4") << "as many as it may have";
  form_.room = 1;
  answer(200);
  EXPECT_EQ(sent(), "4:5");
  answer(200);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(state(id).count, 4);
  EXPECT_EQ(state(id).event, 5);
  EXPECT_EQ(all_->report().taken, 4u + 0u);
}

TEST_F(SubscriptionsTest, WhatHasNoRoomComesNext) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  form_.room = 1;
  outbound_.refuse = base::Error{base::Errc::refused, "too many wait"};
  event();
  event();
  outbound_.refuse.reset();
  go_on(1s);
  EXPECT_EQ(sent(), "1:2");
  answer(200);
  EXPECT_EQ(sent(), "2:3");
  answer(200);
  EXPECT_EQ(state(id).count, 2);
}

TEST_F(SubscriptionsTest, NothingIsLostBetweenTakenAndWrittenDown) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  event();
  moves_->no_room = 3;
  moves_->failures = 2;
  answer(200);
  EXPECT_EQ(state(id).count, 0);
  event();
  EXPECT_EQ(sent(), "") << "the next waits until it is durable";
  for (int i = 0; i < 10; ++i) go_on(1s);
  EXPECT_EQ(sent(), "2:3");
  moves_->lost = true;
  answer(200);
  open();
  EXPECT_EQ(sent(), "2:3") << "again, after a restart";
  answer(200);
  EXPECT_EQ(state(id).count, 2);
}

TEST_F(SubscriptionsTest, AFailureIsTriedForEverAndShown) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  event();
  const base::TimePoint week = clock_.now() + std::chrono::hours(24 * 7);
  int attempts = 0;
  while (clock_.now() < week) {
    if (!outbound_.calls.empty()) {
      EXPECT_EQ(sent(), "1:2");
      ++attempts;
      answer(attempts % 2 == 0 ? 404 : 503);
      EXPECT_EQ(state(id).status,
                attempts < kFailuresShown ? SubscriptionStatus::active : SubscriptionStatus::error);
    }
    go_on(10s);
  }
  EXPECT_GE(attempts, 7 * 24 * 60 * 60 / 140);
  EXPECT_LE(attempts, 7 * 24 * 60 * 60 / 10);
  EXPECT_EQ(moves_->written, 2)
      << "greeted, and shown as failing: a failure by itself writes nothing";
  EXPECT_NE(state(id).error, "");
  while (outbound_.calls.empty()) go_on(10s);
  answer(200);
  EXPECT_EQ(state(id).status, SubscriptionStatus::active);
  EXPECT_EQ(state(id).error, "");
  EXPECT_EQ(state(id).count, 1);
}

TEST_F(SubscriptionsTest, AGreetingIsNotRepeatedForEver) {
  open();
  const std::int64_t id = subscribe();
  int attempts = 0;
  for (int i = 0; i < 100; ++i) {
    if (!outbound_.calls.empty()) ++attempts, answer(500);
    go_on(10s);
  }
  EXPECT_EQ(attempts, kGreetingsMax);
  EXPECT_EQ(state(id).status, SubscriptionStatus::error);
  open();
  EXPECT_EQ(sent(), "") << "nor after a restart";
}

TEST_F(SubscriptionsTest, WhatCannotBeWrittenIsShownAsFailing) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  form_.corrupt = true;
  event();
  for (int i = 0; i < 60; ++i) go_on(10s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(state(id).status, SubscriptionStatus::error);
  EXPECT_NE(state(id).error.find("alert 4 is not there"), std::string::npos);
  form_.corrupt = false;
  for (int i = 0; i < 60 && outbound_.calls.empty(); ++i) go_on(10s);
  EXPECT_EQ(sent(), "1:2") << "no event is passed over";
}

TEST_F(SubscriptionsTest, WhoHangsHoldsUpNoOther) {
  open();
  subscribe();
  const std::int64_t other = subscribe("https://other.example/");
  EXPECT_EQ(sent(), "greeting | greeting");
  answer(200, 1);
  event();
  EXPECT_EQ(sent(), "greeting | 1:2");
  answer(200, 1);
  EXPECT_EQ(state(other).count, 1);
  EXPECT_EQ(outbound_.calls.size(), 1u);
}

TEST_F(SubscriptionsTest, ARevokedTokenAndAnEndTurnItOff) {
  open();
  const std::int64_t id = subscribe("https://desk.example/a", 7);
  answer(200);
  revoked_.insert(7);
  event();
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(state(id).status, SubscriptionStatus::off);
  form_.wish.end_ms = clock_.utc_ms() + 60000;
  const std::int64_t ending = subscribe();
  answer(200);
  EXPECT_EQ(state(ending).status, SubscriptionStatus::active);
  go_on(61s);
  EXPECT_EQ(state(ending).status, SubscriptionStatus::off) << "also when nothing happens";
}

TEST_F(SubscriptionsTest, ARevocationTakesBackWhatIsOutAndEndsWhatFails) {
  open();
  const std::int64_t out = subscribe("https://desk.example/a", 7);
  answer(200);
  event();
  ASSERT_EQ(sent(), "1:2");
  revoked_.insert(7);
  go_on(11s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(state(out).status, SubscriptionStatus::off);
  const std::int64_t failing = subscribe("https://other.example/a", 8);
  for (int i = 0; i < 100; ++i) {
    if (!outbound_.calls.empty()) answer(500);
    go_on(10s);
  }
  ASSERT_EQ(state(failing).status, SubscriptionStatus::error);
  revoked_.insert(8);
  go_on(11s);
  EXPECT_EQ(state(failing).status, SubscriptionStatus::off) << "though it is not tried again";
}

// Another node made the token: this one hears of it later.
TEST_F(SubscriptionsTest, ATokenThatIsNotKnownYetIsWaitedFor) {
  unheard_.insert(7);
  open();
  const std::int64_t id = subscribe("https://desk.example/a", 7);
  for (int i = 0; i < 30; ++i) go_on(1s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(state(id).status, SubscriptionStatus::requested);
  unheard_.clear();
  go_on(1s);
  EXPECT_EQ(sent(), "greeting");
}

TEST_F(SubscriptionsTest, WhatTheOperatorAllowsNoMoreIsNotSent) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  targets_.endpoints = {};
  open();
  event();
  for (int i = 0; i < 20; ++i) go_on(60s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(state(id).status, SubscriptionStatus::error);
  ASSERT_TRUE(targets_.endpoints.allow("https://desk.example/"));
  go_on(120s);
  EXPECT_EQ(sent(), "1:2");
}

TEST_F(SubscriptionsTest, HeartbeatsComeWhereNothingElseDoes) {
  form_.wish.heartbeat = 60s;
  open();
  const std::int64_t id = subscribe();
  answer(200);
  go_on(59s);
  EXPECT_EQ(sent(), "");
  go_on(1s);
  EXPECT_EQ(sent(), "heartbeat");
  const int written = moves_->written;
  answer(200);
  EXPECT_EQ(moves_->written, written) << "it changes nothing";
  go_on(30s);
  event();
  answer(200);
  go_on(59s);
  EXPECT_EQ(sent(), "") << "an event is a sign of life, too";
  go_on(1s);
  EXPECT_EQ(sent(), "heartbeat");
  EXPECT_EQ(state(id).count, 1);
}

TEST_F(SubscriptionsTest, WhoIsOffDutyTakesBackWhatIsOut) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  event();
  ASSERT_EQ(sent(), "1:2");
  on_duty_ = false;
  go_on();
  EXPECT_EQ(sent(), "");
  event();
  EXPECT_EQ(sent(), "");
  // Another node has sent it meanwhile.
  const store::SubscriptionMove move{
      .subscription = id, .entry = state(id).entry, .event = 2, .count = 1, .greeted = true};
  TW_CHECK(moves_->move({move}, [](bool) {}));
  on_duty_ = true;
  go_on(1s);
  EXPECT_EQ(sent(), "2:3");
}

TEST_F(SubscriptionsTest, WhoIsOffDutySaysNothingLate) {
  open();
  const std::int64_t id = subscribe();
  moves_->no_room = 1;
  answer(200);
  on_duty_ = false;
  go_on();
  go_on(1s);
  on_duty_ = true;
  go_on(1s);
  EXPECT_EQ(moves_->written, 0);
  EXPECT_EQ(sent(), "greeting") << "it is greeted again";
  answer(200);
  EXPECT_EQ(state(id).status, SubscriptionStatus::active);
}

TEST_F(SubscriptionsTest, WhatIsChangedWhileItIsOutIsSentAnew) {
  open();
  const std::int64_t id = subscribe();
  answer(200);
  event();
  ASSERT_EQ(sent(), "1:2");
  store::Subscription one = state(id);
  one.resource = "https://other.example/x";
  store::Writer& writer = store_->writer();
  TW_CHECK(writer.begin().ok());
  one.status = SubscriptionStatus::requested;
  TW_CHECK(store::amend_subscription(writer, one, 0, {.actor = "x"}).ok());
  TW_CHECK(writer.commit().ok());
  all_->look_again();
  go_on();
  EXPECT_EQ(sent(), "greeting");
  EXPECT_EQ(outbound_.calls[0].request.url, "https://other.example/x");
  answer(200);
  EXPECT_EQ(sent(), "1:2");
}

// What it does not want is not looked at again for ever.
TEST_F(SubscriptionsTest, APlaceIsKeptWhereNothingWasWanted) {
  form_.wish.events.subjects = {"nobody"};
  open();
  const std::int64_t id = subscribe();
  answer(200);
  const int written = moves_->written;
  for (std::int64_t i = 0; i < store::kMarkEvents; ++i) raise("P-1", {});
  for (int i = 0; i < 5; ++i) go_on(1s);
  EXPECT_EQ(sent(), "");
  EXPECT_EQ(moves_->written, written + 1);
  EXPECT_EQ(state(id).event, 1 + store::kMarkEvents);
  EXPECT_EQ(state(id).count, 0);
  EXPECT_EQ(count("subscription_marks"), 1);
}

}  // namespace
}  // namespace trialward::delivery
