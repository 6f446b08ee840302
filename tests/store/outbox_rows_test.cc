#include "store/outbox_rows.h"

#include <array>

#include "store/alert_rows.h"
#include "store/study_rows.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

constexpr std::int64_t kAt = 1'700'000'000'000;

class OutboxRowsTest : public StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    commit([&] {
      study_ = ensure_study(writer(), make_study("s"), {.actor = "t", .at_ms = 1})->study;
      for (const char* name : {"P-1", "P-2"}) {
        const NewSubject subject{.study = study_, .subject = name, .site = "A"};
        subjects_.push_back(append_subject(writer(), subject, {.action = "enrolled"}).value());
      }
    });
  }
  // A new alert of a subject, to be told to these targets.
  void raise(std::size_t subject, const std::vector<std::string>& targets) {
    commit([&] {
      const AlertPlace place{.study = study_, .subject = subjects_[subject], .site = "A"};
      const model::RuleInfo rule{.id = "r" + std::to_string(++rules_), .title = "T"};
      const auto change =
          raise_or_join(writer(), place, rule, {}, {.actor = "monitor", .at_ms = kAt});
      ASSERT_TRUE(change.ok());
      ASSERT_TRUE(append_deliveries(writer(), study_, change->events.front(), targets, kAt).ok());
    });
  }
  std::vector<Delivered> record(const std::vector<DeliveryAttempt>& attempts) {
    std::vector<Delivered> delivered;
    commit([&] {
      auto recorded = record_attempts(writer(), attempts, "delivery", kAt + 5);
      ASSERT_TRUE(recorded.ok()) << why(recorded);
      delivered = std::move(*recorded);
    });
    return delivered;
  }
  base::Status change(std::int64_t delivery, DeliveryChange change, std::string_view site = "") {
    TW_CHECK(writer().begin().ok());
    auto done = change_delivery(writer(), study_, site, delivery, change,
                                {.actor = "anna", .reason = "because", .at_ms = kAt + 9});
    if (!done) {
      writer().rollback();
      return done;
    }
    return writer().commit();
  }
  std::vector<std::int64_t> pending(std::string_view target, std::int64_t after = 0) {
    std::vector<std::int64_t> ids;
    const auto rows = read_pending(connection(), target, after, 100);
    EXPECT_TRUE(rows.ok()) << why(rows);
    for (const PendingDelivery& row : *rows) ids.push_back(row.id);
    return ids;
  }
  static DeliveryAttempt attempt(std::int64_t delivery, DeliveryState next, int status = 500) {
    return {.delivery = delivery,
            .next = next,
            .at_ms = kAt + 1,
            .outcome = next == DeliveryState::delivered ? "delivered" : "failed",
            .status = status,
            .duration_ms = 12,
            .error = next == DeliveryState::delivered ? "" : "no"};
  }

  using Ids = std::vector<std::int64_t>;
  std::int64_t study_ = 0;
  int rules_ = 0;
  std::vector<std::int64_t> subjects_;
};

TEST_F(OutboxRowsTest, ThereIsARowForEachEventAndTarget) {
  raise(0, {"a", "b"});
  raise(1, {"a"});
  EXPECT_EQ(pending("a"), (Ids{1, 3}));
  EXPECT_EQ(pending("a", 1), Ids{3});
  EXPECT_EQ(pending("b"), Ids{2});
  EXPECT_EQ(pending("c"), Ids{});
  // Asked for again, as by a tier of an escalation: nothing new.
  commit([&] {
    const std::vector<std::string> targets = {"a", "c"};
    ASSERT_TRUE(append_deliveries(writer(), study_, 1, targets, kAt).ok());
  });
  EXPECT_EQ(pending("a"), (Ids{1, 3}));
  EXPECT_EQ(pending("c").size(), 1u);
  EXPECT_EQ(count("SELECT count(*) FROM delivery_outcomes WHERE outcome = 'queued'"), 4);
}

TEST_F(OutboxRowsTest, ASubjectsFirstIsTheOldestThatIsPending) {
  raise(0, {"a"});
  raise(1, {"a"});
  raise(0, {"a"});
  EXPECT_EQ(first_pending(connection(), "a", subjects_[0])->value().id, 1);
  record({attempt(1, DeliveryState::delivered)});
  EXPECT_EQ(first_pending(connection(), "a", subjects_[0])->value().id, 3);
  record({attempt(3, DeliveryState::dead)});
  EXPECT_FALSE(first_pending(connection(), "a", subjects_[0])->has_value());
}

TEST_F(OutboxRowsTest, TheContentIsThatOfTheEventWhileItIsPending) {
  raise(0, {"a"});
  const auto content = read_delivery_content(connection(), 1);
  ASSERT_TRUE(content.ok() && content->has_value());
  EXPECT_EQ((*content)->study, "s");
  EXPECT_EQ((*content)->event, 1);
  EXPECT_EQ((*content)->alert_event.subject, "P-1");
  record({attempt(1, DeliveryState::delivered)});
  EXPECT_FALSE(read_delivery_content(connection(), 1)->has_value());
  EXPECT_FALSE(read_delivery_content(connection(), 99)->has_value());
}

TEST_F(OutboxRowsTest, AttemptsAreRecordedAndBounded) {
  raise(0, {"a"});
  for (int i = 0; i < 30; ++i) {
    EXPECT_TRUE(record({attempt(1, DeliveryState::pending)}).empty());
  }
  EXPECT_EQ(count("SELECT count(*) FROM outbox_attempts"), kAttemptsKept);
  EXPECT_EQ(count("SELECT attempts FROM outbox"), 30);
  EXPECT_EQ(count("SELECT count(*) FROM delivery_outcomes WHERE outcome <> 'queued'"), 0)
      << "a failure is no history";
  const auto delivered = record({attempt(1, DeliveryState::delivered, 200)});
  ASSERT_EQ(delivered.size(), 1u);
  EXPECT_EQ(delivered[0].target, "a");
  EXPECT_EQ(delivered[0].alert, 1);
  EXPECT_EQ(count("SELECT attempts FROM delivery_outcomes WHERE outcome = 'delivered'"), 31);
  const auto rows = read_deliveries(connection(), {.study = study_});
  ASSERT_EQ(rows->size(), 1u);
  const DeliveryRow& row = rows->front();
  EXPECT_EQ(row.first_number, 12);
  ASSERT_EQ(row.newest.size(), 20u);
  EXPECT_EQ(row.newest.back().status, 200);
  const std::string json = to_json(row);
  EXPECT_NE(json.find(R"("attempts":31,"newest_attempts":[{"number":12,)"), std::string::npos)
      << json;
}

TEST_F(OutboxRowsTest, APersonsChangesAreAuditedAndOnlyThoseThatMakeSense) {
  for (int i = 0; i < 4; ++i) raise(0, {"a"});
  record({attempt(2, DeliveryState::dead), attempt(3, DeliveryState::delivered)});
  ASSERT_TRUE(change(4, DeliveryChange::discard).ok());
  struct Case {
    std::int64_t delivery;  // pending, dead, delivered, discarded
    DeliveryChange change;
    bool allowed;
  };
  const Case cases[] = {
      {1, DeliveryChange::resend, false}, {3, DeliveryChange::resend, false},
      {3, DeliveryChange::discard, false}, {4, DeliveryChange::discard, false},
      {4, DeliveryChange::resend, true},  {2, DeliveryChange::resend, true},
      {2, DeliveryChange::discard, true}, {1, DeliveryChange::discard, true},
  };
  for (const Case& one : cases) {
    const auto done = change(one.delivery, one.change);
    EXPECT_EQ(done.ok(), one.allowed) << one.delivery << why(done);
    EXPECT_TRUE(done.ok() || done.error().code == Errc::conflict) << one.delivery;
  }
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE actor = 'anna' AND reason = 'because'"), 5);
  EXPECT_EQ(change(99, DeliveryChange::discard).error().code, Errc::not_found);
  EXPECT_EQ(change(4, DeliveryChange::discard, "B").error().code, Errc::not_found)
      << "of another site";
}

TEST_F(OutboxRowsTest, WhatWasTakenIsTakenWhateverAPersonDidMeanwhile) {
  raise(0, {"a"});
  raise(0, {"a"});
  ASSERT_TRUE(change(1, DeliveryChange::discard).ok());
  ASSERT_TRUE(change(2, DeliveryChange::discard).ok());
  EXPECT_EQ(record({attempt(1, DeliveryState::delivered)}).size(), 1u);
  EXPECT_EQ(record({attempt(2, DeliveryState::dead)}).size(), 0u);
  EXPECT_EQ(count("SELECT state FROM outbox WHERE id = 1"), 1);
  EXPECT_EQ(count("SELECT state FROM outbox WHERE id = 2"), 3);
  EXPECT_EQ(record({attempt(77, DeliveryState::delivered)}).size(), 0u) << "long gone";
}

TEST_F(OutboxRowsTest, OnlyWhatIsSettledIsCleanedUpAndIdsNeverRecur) {
  for (int i = 0; i < 4; ++i) raise(0, {"a"});
  record({attempt(1, DeliveryState::pending), attempt(2, DeliveryState::dead),
          attempt(3, DeliveryState::delivered), attempt(4, DeliveryState::delivered)});
  const auto prune = [&](std::int64_t before, std::int64_t limit) {
    std::int64_t gone = -1;
    commit([&] { gone = prune_deliveries(connection(), before, limit).value(); });
    return gone;
  };
  EXPECT_EQ(prune(kAt + 5, 10), 0);
  EXPECT_EQ(prune(kAt + 6, 1), 1);
  EXPECT_EQ(prune(kAt + 6, 10), 1);
  EXPECT_EQ(prune(kAt + 6, 10), 0);
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM outbox_attempts"), 2);
  EXPECT_EQ(count("SELECT count(*) FROM delivery_outcomes WHERE outcome <> 'queued'"), 3);
  raise(0, {"a"});
  EXPECT_EQ(pending("a"), (Ids{1, 5})) << "4 was the newest, and is gone";
}

TEST_F(OutboxRowsTest, CountsAndPages) {
  raise(0, {"a", "b"});
  raise(1, {"a"});
  record({attempt(2, DeliveryState::dead)});
  const auto counts = count_deliveries(connection());
  ASSERT_EQ(counts->size(), 2u);
  EXPECT_EQ((*counts)[0].target, "a");
  EXPECT_EQ((*counts)[0].pending, 2);
  EXPECT_EQ((*counts)[0].oldest_pending_ms, kAt);
  EXPECT_EQ((*counts)[1].dead, 1);
  const auto ids = [&](DeliveryPage page) {
    page.study = study_;
    Ids found;
    const auto rows = read_deliveries(connection(), page);
    EXPECT_TRUE(rows.ok()) << why(rows);
    for (const DeliveryRow& row : *rows) found.push_back(row.id);
    return found;
  };
  EXPECT_EQ(ids({}), (Ids{1, 2, 3}));
  EXPECT_EQ(ids({.after = 1, .limit = 1}), Ids{2});
  EXPECT_EQ(ids({.site = "B"}), Ids{});
  EXPECT_EQ(ids({.target = "a"}), (Ids{1, 3}));
  EXPECT_EQ(ids({.state = DeliveryState::dead}), Ids{2});
  EXPECT_EQ(ids({.alert = 2}), Ids{3});
}

TEST_F(OutboxRowsTest, StatesHaveNames) {
  for (const char* name : {"pending", "delivered", "dead", "discarded"}) {
    EXPECT_EQ(to_string(*parse_delivery_state(name)), name);
  }
  EXPECT_FALSE(parse_delivery_state("lost").has_value());
}

TEST_F(OutboxRowsTest, WhatWaitsIsCountedAsItChanges) {
  const auto told = [&] {
    std::string text;
    const auto counts = count_deliveries(connection());
    EXPECT_TRUE(counts.ok()) << why(counts);
    for (const DeliveryCounts& one : *counts) {
      text += one.target + ":" + std::to_string(one.pending) + "/" + std::to_string(one.dead) +
              (one.oldest_pending_ms == kAt ? "* " : " ");
    }
    return text;
  };
  EXPECT_EQ(told(), "");
  raise(0, {"a", "b"});
  raise(1, {"a"});
  EXPECT_EQ(told(), "a:2/0* b:1/0* ");
  record({attempt(1, DeliveryState::pending), attempt(2, DeliveryState::delivered)});
  EXPECT_EQ(told(), "a:2/0* ");
  record({attempt(1, DeliveryState::dead), attempt(3, DeliveryState::dead)});
  EXPECT_EQ(told(), "a:0/2 ");
  ASSERT_TRUE(change(1, DeliveryChange::resend).ok());
  ASSERT_TRUE(change(3, DeliveryChange::discard).ok());
  EXPECT_EQ(told(), "a:1/0* ");
  const auto found = find_pending(connection(), 1);
  ASSERT_TRUE(found.ok() && found->has_value()) << why(found);
  EXPECT_EQ((*found)->target, "a");
  EXPECT_EQ((*found)->row.subject, subjects_[0]);
  EXPECT_FALSE(find_pending(connection(), 3)->has_value());
  EXPECT_FALSE(find_pending(connection(), 99)->has_value());
  record({attempt(1, DeliveryState::delivered)});
  EXPECT_EQ(told(), "");
}

}  // namespace
}  // namespace trialward::store
