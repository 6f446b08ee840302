// Batches that are made while the COMMIT before them is under way: with PostgreSQL. With SQLite the
// same tests say that it makes no difference.
#include <thread>

#include "store/postgres_node.h"
#include "tests/intake/committer_bench.h"

namespace trialward::intake {
namespace {

class OverlapTest : public CommitterBench {
 protected:
  // Each batch is begun while the one before it is under way.
  std::vector<Committer::Outcome> in_a_row(std::vector<std::vector<Submission>> batches,
                                           const std::function<void()>& between = {}) {
    std::vector<Committer::Outcome> outcomes;
    for (std::vector<Submission>& batch : batches) {
      committer_->start(batch, more_waits_, [&](Committer::Outcome outcome) {
        outcomes.push_back(std::move(outcome));
      });
      if (between) {
        between();
      } else {
        EXPECT_EQ(committer_->under_way(), on_postgres());
      }
    }
    committer_->finish();
    EXPECT_FALSE(committer_->under_way());
    for (const Committer::Outcome& outcome : outcomes) {
      for (const Publication& one : outcome.publications) expect_as_stored(one);
    }
    return outcomes;
  }
  std::unique_ptr<store::Store> another_node() {
    const std::string url = folder_.store();  // which sets it as well
    ::setenv("TRIALWARD_STATE", elsewhere_.file("state").c_str(), 1);
    auto opened = store::Store::open(url, random_);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  std::vector<Submission> values(int from, int until, double value = 50) {
    std::vector<Submission> batch;
    for (int i = from; i < until; ++i) {
      batch.push_back(submission({alt(std::to_string(i), value, "P-" + std::to_string(i % 7))}));
    }
    return batch;
  }
  static void expect_stored(const Committer::Outcome& outcome, bool repeated = false) {
    for (const SubmissionResult& result : outcome.results) {
      ASSERT_EQ(result.verdict, Verdict::stored);
      EXPECT_EQ(result.results.front().repeated, repeated);
    }
  }
  void expect_records(std::int64_t records) {
    expect_records_in(store_->writer().connection(), records);
  }
  static void expect_records_in(store::Connection& connection, std::int64_t records) {
    for (const char* sql :
         {"SELECT count(*) FROM records",
          "SELECT count(*) FROM audit WHERE object_table = 'records'",
          "SELECT max(id) FROM records"}) {  // no id is left out
      auto number = connection.integer(sql);
      ASSERT_TRUE(number.ok()) << number.error().message;
      EXPECT_EQ(*number, records) << sql;
    }
  }

  TemporaryFolder elsewhere_;
  const std::function<bool()> more_waits_ = [] { return true; };
};

TEST_F(OverlapTest, P1EachIsStoredOnceAndAnsweredInOrder) {
  const auto outcomes =
      in_a_row({values(0, 10), values(10, 700), values(700, 710, 150), values(710, 720)});
  ASSERT_EQ(outcomes.size(), 4U);
  std::int64_t id = 0;
  for (const Committer::Outcome& outcome : outcomes) {
    expect_stored(outcome);
    for (const SubmissionResult& result : outcome.results) {
      EXPECT_EQ(result.results.front().id, ++id);
    }
  }
  EXPECT_EQ(outcomes[2].publications.size(), 10U);
  expect_records(720);
  EXPECT_EQ(count("SELECT count(*) FROM subject_states t WHERE t.last_record = (SELECT max(id) "
                  "FROM records r WHERE r.subject = t.subject)"),
            7);
}

TEST_F(OverlapTest, P2WhatTheBatchUnderWayHasIsARepeatOrAConflict) {
  const auto outcomes = in_a_row({values(0, 300), values(0, 300), values(299, 301, 60)});
  ASSERT_EQ(outcomes.size(), 3U);
  expect_stored(outcomes[0]);
  expect_stored(outcomes[1], true);
  EXPECT_EQ(outcomes[2].results[0].verdict, Verdict::conflict);
  EXPECT_EQ(outcomes[2].results[1].verdict, Verdict::stored);
  expect_records(301);
}

// Its insert fails with its COMMIT, when the next batch is half made.
TEST_F(OverlapTest, P1ABatchThatFailsTakesTheNextOneBackAndBothAreStored) {
  ASSERT_EQ(commit(values(5, 6)).results.front().verdict, Verdict::stored);
  const auto outcomes = in_a_row({values(0, 10), values(10, 20), values(20, 600)});
  ASSERT_EQ(outcomes.size(), 3U);
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_EQ(outcomes[0].results[i].verdict, Verdict::stored);
    EXPECT_EQ(outcomes[0].results[i].results.front().repeated, i == 5);
  }
  expect_stored(outcomes[1]);
  expect_stored(outcomes[2]);
  expect_records(600);
}

TEST_F(OverlapTest, OnlyThePoisonIsRefused) {
  auto broken = std::make_shared<ActiveStudy>(*study_);
  broken->monitor = std::make_shared<const HundredMonitor>("broken");
  std::vector<std::vector<Submission>> batches = {values(0, 5), values(5, 10), values(10, 15)};
  batches[1][2] = submission({alt("99", 50, "P-99")});
  batches[1][2].study = broken;
  std::vector<Committer::Outcome> outcomes;
  for (auto& batch : batches) {
    committer_->start(batch, more_waits_, [&](Committer::Outcome outcome) {
      outcomes.push_back(std::move(outcome));
    });
  }
  committer_->finish();
  ASSERT_EQ(outcomes.size(), 3U);
  expect_stored(outcomes[0]);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(outcomes[1].results[i].verdict, i == 2 ? Verdict::poison : Verdict::stored) << i;
  }
  expect_stored(outcomes[2]);
  expect_records(14);
}

TEST_F(OverlapTest, WhoIsAloneIsNotBlamedForATableThatSomebodyChanged) {
  if (!on_postgres()) GTEST_SKIP() << "it needs a PostgreSQL server";
  ASSERT_EQ(commit(values(0, 1)).results.front().verdict, Verdict::stored);
  auto other = store::PostgresConnection::open(folder_.store(), {.writes = true});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*other)->script("ALTER TABLE records ADD COLUMN more bigint").ok());
  EXPECT_EQ(commit(values(1, 2)).results.front().verdict, Verdict::stored);
  expect_records(2);
}

TEST_F(OverlapTest, P1ASessionThatIsLostBetweenTwoBatchesLosesNone) {
  if (!on_postgres()) GTEST_SKIP() << "it needs a PostgreSQL server";
  auto other = store_->open_reader();
  ASSERT_TRUE(other.ok());
  const auto end_sessions = [&] {
    auto ended = (*other)->query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND "
        "classid = $1::oid AND objid = current_schema()::regnamespace::oid",
        {static_cast<std::int64_t>(store::PostgresLock::nodes)});
    ASSERT_TRUE(ended.ok() && ended->next().ok());
  };
  for (int from = 0; from < 4500; from += 900) {
    std::vector<Submission> left = values(from, from + 900);
    std::vector<std::vector<Submission>> batches;
    for (auto at = left.begin(); at != left.end(); at += 300) batches.emplace_back(at, at + 300);
    const auto outcomes = in_a_row(std::move(batches), end_sessions);
    ASSERT_EQ(outcomes.size(), 3U);
    std::size_t next = 0;
    std::vector<Submission> again;
    for (const Committer::Outcome& outcome : outcomes) {
      for (const SubmissionResult& result : outcome.results) {
        Submission& submission = left[next++];
        if (result.verdict == Verdict::stored) continue;
        ASSERT_EQ(result.verdict, Verdict::unavailable);
        again.push_back(std::move(submission));
      }
    }
    expect_records_in(**other, from + 900 - std::ssize(again));
    for (const SubmissionResult& result : commit(std::move(again)).results) {
      ASSERT_EQ(result.verdict, Verdict::stored);
      EXPECT_FALSE(result.results.front().repeated) << "what was refused was not there";
    }
    expect_records_in(**other, from + 900);
  }
}

// The server warns of each COMMIT: whether it is there is asked in a new session, and the batch
// that was made behind it is made anew.
TEST_F(OverlapTest, P1ACommitThatIsFoundInANewSessionIsOne) {
  if (!on_postgres()) GTEST_SKIP() << "it needs a PostgreSQL server";
  ASSERT_TRUE(store_->writer()
                  .connection()
                  .script("CREATE FUNCTION warn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                          "RAISE WARNING 'it may not be durable'; RETURN NULL; END $$; "
                          "CREATE CONSTRAINT TRIGGER warn AFTER INSERT ON records DEFERRABLE "
                          "INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION warn()")
                  .ok());
  const auto outcomes = in_a_row({values(0, 3), values(3, 6), values(6, 9)}, [] {});
  ASSERT_EQ(outcomes.size(), 3U);
  for (const Committer::Outcome& outcome : outcomes) expect_stored(outcome);
  expect_records(9);
}

TEST_F(OverlapTest, BesideAnotherNodeEachIsWaitedFor) {
  if (!on_postgres()) GTEST_SKIP() << "it needs a PostgreSQL server";
  const auto other = another_node();
  ASSERT_NE(other, nullptr);
  for (int from = 0; from < 10; from += 5) {
    std::vector<Submission> batch = values(from, from + 5);
    bool done = false;
    committer_->start(batch, more_waits_, [&](Committer::Outcome outcome) {
      done = true;
      expect_stored(outcome);
    });
    EXPECT_TRUE(done && !committer_->under_way());
    ASSERT_TRUE(other->writer().begin().ok());
    ASSERT_TRUE(other->writer().commit().ok());
  }
  expect_records(10);
}

// One that has come since it was asked whether there is any: it has the turn between the two, and
// the batch that was made meanwhile is made anew.
TEST_F(OverlapTest, P8WhatAnotherNodeWroteInBetweenIsSeen) {
  if (!on_postgres()) GTEST_SKIP() << "it needs a PostgreSQL server";
  auto other = store::PostgresConnection::open(folder_.store(), {.writes = true});
  auto holder = store::PostgresConnection::open(folder_.store(), {.writes = true});
  ASSERT_TRUE(other.ok() && holder.ok());
  std::vector<Submission> one = values(7, 12), two = values(12, 17);
  std::vector<Committer::Outcome> outcomes;
  const auto keep = [&](Committer::Outcome outcome) { outcomes.push_back(std::move(outcome)); };
  // The first's rows wait for this lock, and with them its COMMIT, until the other node waits too.
  // What is asked before a COMMIT would wait as well, so the statement is prepared and the subjects
  // are known.
  ASSERT_EQ(commit(values(0, 7)).results.front().verdict, Verdict::stored);
  ASSERT_TRUE((*holder)->script("BEGIN; LOCK TABLE records IN SHARE MODE").ok());
  committer_->start(one, more_waits_, keep);
  ASSERT_TRUE(committer_->under_way());
  base::Status wrote;
  std::thread writer([&] {  // it waits for the first's end, and the second's turn waits for it
    wrote = (*other)->script(
        "BEGIN; LOCK TABLE write_turn IN ACCESS EXCLUSIVE MODE; "
        "INSERT INTO subject_passes VALUES (1, 1, 1); INSERT INTO audit SELECT max(seq) + 1, 0, "
        "1, 1, 'x', 'y', 'subject_passes', 1, NULL, '' FROM audit; UPDATE chain_ends SET heads = "
        "overlay(heads PLACING int8send(('x' || encode(substring(heads FROM 1 FOR 8), "
        "'hex'))::bit(64)::bigint + 1) FROM 1 FOR 8) WHERE part = (SELECT min(part) FROM "
        "chain_ends); "
        "UPDATE write_turn SET number = number + 1, session = 'other'; COMMIT");
  });
  const auto waits = [&] {
    return (*holder)
               ->integer("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
                         "to_regclass('write_turn')")
               .value() != 0;
  };
  const auto begun = std::chrono::steady_clock::now();
  while (!waits() && std::chrono::steady_clock::now() - begun < std::chrono::seconds(30)) {
    std::this_thread::yield();
  }
  ASSERT_TRUE((*holder)->script("COMMIT").ok());
  committer_->start(two, more_waits_, keep);
  committer_->finish();
  writer.join();
  EXPECT_TRUE(wrote.ok());
  ASSERT_EQ(outcomes.size(), 2U);
  for (const Committer::Outcome& outcome : outcomes) expect_stored(outcome);
  expect_records(17);
  EXPECT_EQ(store_->writer().next_id(store::Table::subject_passes), 2);
}

}  // namespace
}  // namespace trialward::intake
