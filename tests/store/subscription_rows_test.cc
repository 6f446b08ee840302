#include "store/subscription_rows.h"

#include "store/alert_rows.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class SubscriptionRowsTest : public StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    if (store_ == nullptr) return;
    commit([this] {
      for (const std::int64_t study : {1, 2}) {
        const std::string name = "s" + std::to_string(study);
        const std::array<SqlValue, 2> row = {study, std::string_view(name)};
        ASSERT_TRUE(writer().append(Table::studies, 0, {.action = "study"}, row).ok());
      }
      for (const std::string_view subject : {"P-1", "P-2"}) {
        const NewSubject enrolled{
            .study = 1, .subject = subject, .site = subject == "P-1" ? "A" : "B"};
        ASSERT_TRUE(append_subject(writer(), enrolled, {.action = "enrolled"}).ok());
      }
    });
  }
  // An alert of a subject (1 or 2), of a rule of its own; its id.
  std::int64_t raise(std::int64_t subject, bool historical = false) {
    std::int64_t alert = 0;
    commit([&] {
      const AlertPlace place{.study = 1,
                             .subject = subject,
                             .site = subject == 1 ? "A" : "B",
                             .historical = historical};
      const model::RuleInfo rule{.id = "rule-" + std::to_string(++rules_), .title = "High"};
      auto change = raise_or_join(writer(), place, rule, {.causes = {}}, {.actor = "monitor"});
      ASSERT_TRUE(change.ok()) << why(change);
      alert = change->alert;
    });
    return alert;
  }
  void step(std::int64_t alert, model::AlertEventType type) {
    commit([&] {
      model::AlertDetail detail;
      if (type == model::AlertEventType::delivered) detail.target = "desk";
      auto done = step_alert(writer(), 1, alert, {.type = type, .detail = detail}, {.actor = "x"});
      ASSERT_TRUE(done.ok()) << why(done);
    });
  }
  Subscription make(std::int64_t study = 1) {
    Subscription one{.study = study,
                     .token = 4,
                     .site = "",
                     .base = "https://t.example/fhir",
                     .resource = "{}",
                     .headers = {"A: b", "C: d: e"}};
    commit([&] {
      auto done = append_subscription(writer(), one, {.actor = "x", .at_ms = 5});
      ASSERT_TRUE(done.ok()) << why(done);
    });
    return one;
  }
  Subscription find(std::int64_t id) {
    auto found = read_subscription(connection(), 1, id);
    EXPECT_TRUE(found.ok() && *found) << why(found);
    return found && *found ? **found : Subscription();
  }
  void move(SubscriptionMove one) {
    commit([&] {
      const auto done = move_subscriptions(writer(), std::span(&one, 1));
      ASSERT_TRUE(done.ok()) << why(done);
    });
  }
  // "1 2 4": the numbers in the study of what a wish gets.
  std::string numbers(const TopicWish& wish, std::size_t limit = 100, std::int64_t after = 0) {
    auto page = read_topic_events(connection(), 1, wish, after, limit, 1000);
    EXPECT_TRUE(page.ok()) << why(page);
    std::string text;
    for (const TopicEvent& event : page->events) {
      text += (text.empty() ? "" : " ") + std::to_string(event.number);
    }
    return text;
  }

  int rules_ = 0;
};

TEST_F(SubscriptionRowsTest, AWishChoosesByWhatNeverChanges) {
  raise(1);                                        // 1: rule-1
  const std::int64_t second = raise(2);            // 2
  step(second, model::AlertEventType::delivered);  // 3: no event of the topic
  raise(1);                                        // 4: rule-3
  EXPECT_EQ(numbers({}), "1 2 4");
  EXPECT_EQ(numbers({}, 2), "1 2");
  EXPECT_EQ(numbers({}, 100, 2), "4");
  EXPECT_EQ(numbers({.site = "B"}), "2");
  EXPECT_EQ(numbers({.subjects = {"P-1", "P-9"}}), "1 4");
  EXPECT_EQ(numbers({.subjects = {"P-1"}, .rules = {"rule-2", "rule-3"}}), "4");
  EXPECT_EQ(numbers({.severities = {"critical"}}), "");
  EXPECT_EQ(numbers({.severities = {"info", "warning", "critical"}}), "1 2 4");
}

TEST_F(SubscriptionRowsTest, ThePastIsLeftOutUntilItIsReopened) {
  const std::int64_t past = raise(1, true);  // 1
  raise(1);                                  // 2
  EXPECT_EQ(numbers({}), "2");
  step(past, model::AlertEventType::acknowledged);  // 3
  step(past, model::AlertEventType::reopened);      // 4
  step(past, model::AlertEventType::acknowledged);  // 5
  EXPECT_EQ(numbers({}), "2 4 5") << "what was left out before stays left out";
}

TEST_F(SubscriptionRowsTest, WhatIsSentAsBeforeNeedsNoGreeting) {
  Subscription one = make();
  const auto amend = [&](SubscriptionStatus status) {
    one.status = status;
    commit([&] { EXPECT_TRUE(amend_subscription(writer(), one, 0, {.actor = "x"}).ok()); });
    return find(one.id);
  };
  EXPECT_EQ(amend(SubscriptionStatus::active).status, SubscriptionStatus::requested)
      << "it was never greeted";
  move({.subscription = one.id, .entry = one.entry, .event = 3, .count = 2, .greeted = true});
  EXPECT_TRUE(amend(SubscriptionStatus::active).greeted);
  EXPECT_EQ(find(one.id).status, SubscriptionStatus::active);
  EXPECT_FALSE(amend(SubscriptionStatus::requested).greeted);
}

TEST_F(SubscriptionRowsTest, WhatIsSaidLateChangesNothing) {
  const Subscription made = make();
  const SubscriptionMove greeted{
      .subscription = made.id, .entry = made.entry, .event = 3, .count = 2, .greeted = true};
  move(greeted);
  SubscriptionMove late = greeted;
  late.status = SubscriptionStatus::error;
  late.greeted = false;
  move(late);
  EXPECT_EQ(find(made.id).status, SubscriptionStatus::active);
  EXPECT_TRUE(find(made.id).greeted);
  late.greeted = true;
  late.count = 1;
  move(late);
  EXPECT_EQ(find(made.id).status, SubscriptionStatus::active);
  EXPECT_EQ(find(made.id).count, 2);
  late.count = 2;
  move(late);
  EXPECT_EQ(find(made.id).status, SubscriptionStatus::error);
}

TEST_F(SubscriptionRowsTest, WhatIsThereComesBack) {
  raise(1);
  const Subscription made = make();
  EXPECT_EQ(made.after_event, 1);
  reopen();
  Subscription found = find(made.id);
  EXPECT_EQ(found.version, 1);
  EXPECT_EQ(found.token, 4);
  EXPECT_EQ(found.base, "https://t.example/fhir");
  EXPECT_EQ(found.resource, "{}");
  EXPECT_EQ(found.headers, made.headers);
  EXPECT_EQ(found.status, SubscriptionStatus::requested);
  EXPECT_EQ(found.event, 1);
  EXPECT_EQ(found.count, 0);
  EXPECT_FALSE(found.greeted);
  EXPECT_FALSE(read_subscription(connection(), 2, made.id).value()) << "it is of another study";
  EXPECT_EQ(read_subscriptions(connection(), 0, 0, 10)->size(), 1u);
  EXPECT_EQ(read_subscriptions(connection(), 2, 0, 10)->size(), 0u);

  move({.subscription = made.id, .entry = made.entry, .event = 3, .count = 2, .greeted = true});
  found.headers = {"A: z"};
  found.status = SubscriptionStatus::off;
  found.resource = "{2}";
  commit([&] { EXPECT_TRUE(amend_subscription(writer(), found, 1, {.actor = "x"}).ok()); });
  found = find(made.id);
  EXPECT_EQ(found.version, 2);
  EXPECT_EQ(found.headers, std::vector<std::string>{"A: z"});
  EXPECT_EQ(found.status, SubscriptionStatus::off);
  EXPECT_EQ(found.event, 3) << "its place in its stream stays";
  EXPECT_EQ(found.count, 2);
  EXPECT_FALSE(found.greeted) << "it is greeted again";
  commit([&] {
    const auto late = amend_subscription(writer(), found, 1, {.actor = "x"});
    EXPECT_EQ(late.error().code, Errc::conflict);
  });
  commit([&] { EXPECT_TRUE(delete_subscription(writer(), 1, made.id, 4, {.actor = "x"}).ok()); });
  EXPECT_FALSE(read_subscription(connection(), 1, made.id).value());
  EXPECT_TRUE(subscription_gone(connection(), 1, "", made.id).value());
  EXPECT_FALSE(subscription_gone(connection(), 1, "B", made.id).value());
  EXPECT_FALSE(subscription_gone(connection(), 1, "", 99).value());
  EXPECT_EQ(count("SELECT count(*) FROM subscriptions"), 3) << "its versions stay";
  commit([&] {
    EXPECT_EQ(delete_subscription(writer(), 1, made.id, 4, {.actor = "x"}).error().code,
              Errc::not_found);
  });
}

TEST_F(SubscriptionRowsTest, ItNeverGoesBack) {
  const Subscription made = make();
  SubscriptionMove forth{.subscription = made.id, .entry = made.entry, .event = 7, .count = 5};
  move(forth);
  SubscriptionMove back = forth;
  back.event = 6;
  back.count = 4;
  move(back);
  EXPECT_EQ(find(made.id).count, 5) << "another node was ahead";
  SubscriptionMove of_old = forth;
  of_old.entry = made.entry + 1;
  of_old.event = 9;
  move(of_old);
  EXPECT_EQ(find(made.id).event, 7) << "it is of another version";
  forth.status = SubscriptionStatus::off;
  move(forth);
  forth.status = SubscriptionStatus::active;
  move(forth);
  EXPECT_EQ(find(made.id).status, SubscriptionStatus::off) << "only its client turns it on";
}

TEST_F(SubscriptionRowsTest, AStudyHasSoMany) {
  for (std::int64_t i = 0; i < kSubscriptionsMax; ++i) make();
  commit([&] {
    Subscription one{.study = 1, .resource = "{}"};
    EXPECT_EQ(append_subscription(writer(), one, {.actor = "x"}).error().code, Errc::conflict);
  });
  make(2);
}

// The n-th event is the same one whenever and from wherever it is asked for.
TEST_F(SubscriptionRowsTest, AnEventIsFoundByItsNumber) {
  raise(1);
  raise(2);
  Subscription one = make();
  const std::int64_t first = 3, events = 2 * kMarkEvents + 500;
  commit([&] {
    // As alerts' own events are, but for the audit trail.
    for (std::int64_t n = first; n < first + events; ++n) {
      ASSERT_TRUE(connection()
                      .execute("INSERT INTO alert_events (id, study, number, alert, type, at_ms, "
                               "actor, causes) VALUES ($1, 1, $2, $3, 'joined', 0, 'x', '')",
                               {1000 + n, n, 1 + n % 2})
                      .ok());
    }
  });
  const TopicWish wish{.subjects = {"P-2"}};  // every second one: 3, 5, …
  const auto nth = [&](std::int64_t n) {
    auto found = read_subscription_events(connection(), one, wish, n, 2);
    EXPECT_TRUE(found.ok()) << why(found);
    return found->empty() ? 0 : found->front().number;
  };
  const std::vector<std::int64_t> asked = {1, 2, 700, 1000, 1001, 1200, 1250};
  for (const std::int64_t n : asked) EXPECT_EQ(nth(n), first + 2 * (n - 1));
  EXPECT_EQ(nth(1251), 0);
  EXPECT_EQ(count_subscription_events(connection(), one, wish).value(), 1250);
  EXPECT_EQ(read_subscription_events(connection(), one, wish, 1250, 5)->size(), 1u);
  // As they are taken, marks are left.
  for (std::int64_t taken = 50; taken <= 1200; taken += 50) {
    move({.subscription = one.id,
          .entry = one.entry,
          .event = first + 2 * (taken - 1),
          .count = taken,
          .greeted = true});
  }
  EXPECT_EQ(count("SELECT count(*) FROM subscription_marks"), 2);
  one = find(one.id);
  for (const std::int64_t n : asked) EXPECT_EQ(nth(n), first + 2 * (n - 1));
  EXPECT_EQ(count_subscription_events(connection(), one, wish).value(), 1250);
}

}  // namespace
}  // namespace trialward::store
