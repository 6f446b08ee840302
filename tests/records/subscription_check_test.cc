#include "records/subscription_check.h"

#include "store/subscription_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::records {
namespace {

using store::Subscription;

// One that has had events, one that its client ended, one that is deleted.
class SubscriptionCheckTest : public store::StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    if (store_ == nullptr) return;
    for (std::int64_t i = 1; i <= 3; ++i) make();
    commit([&] {
      ASSERT_TRUE(connection()
                      .execute("INSERT INTO alert_events (id, study, number, alert, type, at_ms, "
                               "actor, causes) VALUES (1, 1, 2000, 1, 'joined', 0, 'x', '')")
                      .ok());
      const store::SubscriptionMove move{
          .subscription = 1, .entry = 1, .event = 1500, .count = 700, .greeted = true};
      ASSERT_TRUE(store::move_subscriptions(writer(), std::span(&move, 1)).ok());
      Subscription off{.id = 2, .study = 1, .resource = "{}"};
      off.status = store::SubscriptionStatus::off;
      ASSERT_TRUE(store::amend_subscription(writer(), off, 0, {.actor = "x"}).ok());
      ASSERT_TRUE(store::delete_subscription(writer(), 1, 3, 1, {.actor = "x"}).ok());
    });
  }
  void make() {
    commit([&] {
      Subscription one{.study = 1, .base = "x", .resource = "{}"};
      ASSERT_TRUE(store::append_subscription(writer(), one, {.actor = "x"}).ok());
    });
  }
};

TEST_F(SubscriptionCheckTest, WhatIsRightIsRight) {
  EXPECT_EQ(store::why(check_subscriptions(connection())), "");
  EXPECT_EQ(count("SELECT count(*) FROM subscription_marks"), 1);
}

TEST_F(SubscriptionCheckTest, P8WhatIsTamperedIsNamed) {
  const std::string place = "subscription_states, subscription ";
  const std::string never = "subscription_marks, subscription 1: it has never been at such a place";
  const std::pair<std::string, std::string> cases[] = {
      {"DELETE FROM subscription_states WHERE subscription = 1", place + "1: it is missing"},
      {"UPDATE subscription_states SET subscription = 9 WHERE subscription = 2",
       place + "2: it is missing"},
      {"INSERT INTO subscription_states SELECT 9, study, entry, status, greeted, event, count, "
       "headers, error, changed_ms FROM subscription_states WHERE subscription = 1",
       place + "9: there is no such subscription"},
      {"INSERT INTO subscription_states SELECT 3, study, entry, status, greeted, event, count, "
       "headers, error, changed_ms FROM subscription_states WHERE subscription = 1",
       place + "3: it was deleted"},
      {"UPDATE subscription_states SET entry = 2 WHERE subscription = 2",
       place + "2: it is not of the newest version"},
      {"UPDATE subscription_states SET study = 2 WHERE subscription = 1",
       place + "1: it is of another study"},
      {"UPDATE subscription_states SET status = 'on' WHERE subscription = 1",
       place + "1: there is no status 'on'"},
      {"UPDATE subscription_states SET status = 'requested' WHERE subscription = 2",
       place + "2: its client has ended it"},
      {"UPDATE subscription_states SET event = 2001 WHERE subscription = 1",
       place + "1: its study has no such event after it began: 2001"},
      {"UPDATE subscription_states SET event = -1 WHERE subscription = 1",
       place + "1: its study has no such event after it began: -1"},
      {"UPDATE subscription_states SET count = 1501 WHERE subscription = 1",
       place + "1: so many events were not there: 1501"},
      {"UPDATE subscription_states SET greeted = 0 WHERE subscription = 1",
       place + "1: it is active, and its endpoint has never answered"},
      {"UPDATE subscription_marks SET subscription = 3",
       "subscription_marks, subscription 3: it has never been at such a place"},
      {"UPDATE subscription_marks SET event = 1501", never},
      {"UPDATE subscription_marks SET event = 0", never},
      {"UPDATE subscription_marks SET count = 701", never},
  };
  for (const auto& [sql, expected] : cases) {
    ASSERT_TRUE(connection()
                    .script("CREATE TABLE states AS SELECT * FROM subscription_states; "
                            "CREATE TABLE marks AS SELECT * FROM subscription_marks; " +
                            sql)
                    .ok())
        << sql;
    EXPECT_EQ(store::why(check_subscriptions(connection())), expected) << sql;
    ASSERT_TRUE(connection()
                    .script("DELETE FROM subscription_states; DELETE FROM subscription_marks; "
                            "INSERT INTO subscription_states SELECT * FROM states; "
                            "INSERT INTO subscription_marks SELECT * FROM marks; "
                            "DROP TABLE states; DROP TABLE marks")
                    .ok());
  }
  EXPECT_EQ(store::why(check_subscriptions(connection())), "");
}

}  // namespace
}  // namespace trialward::records
