// Memory that runs out within a commit: at each of SQLite's allocations in turn, and at each of
// ours, the one or all from there on. Nothing that was acknowledged is lost (P1), what was not is
// stored once when it is sent again (P2), a COMMIT of which nobody knows the outcome stops the
// store as a fault of the disk does (P9), and all else goes on by itself when there is memory
// again.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <array>
#include <iostream>
#include <new>

#include "base/log.h"
#include "intake/intake.h"
#include "tests/faults/short_heap.h"
#include "tests/faults/short_memory.h"
#include "tests/intake/bench_study.h"

namespace trialward::faults {
namespace {

using intake::Committer;
using intake::Submission;
using intake::SubmissionResult;
using intake::Verdict;

struct Round {
  std::int64_t at = 0;  // the allocation that fails
  std::int64_t failures = 1;
  bool cold = false;  // nothing is cached: statements, pages, subjects
  bool heap = false;  // not SQLite's memory, but ours
};

void fail(const Round& round) {
  round.heap ? ShortHeap::fail_after(round.at, round.failures)
             : ShortMemory::fail_after(round.at, round.failures);
}

// Whether any allocation did.
bool restore(const Round& round) {
  ShortMemory::restore();
  ShortHeap::restore();
  return (round.heap ? ShortHeap::failed() : ShortMemory::failed()) > 0;
}

class MemoryTest : public intake::StudyBench {
 protected:
  void SetUp() override {
    base::set_log_level(base::LogLevel::off);  // each failure is logged
    // Another test's disk is C++, whose exceptions must not pass through SQLite.
    disk_ = sqlite3_vfs_find(nullptr);
    ASSERT_EQ(sqlite3_vfs_register(sqlite3_vfs_find("unix"), 1), SQLITE_OK);
    StudyBench::SetUp();
    renew();
    warm_up();
  }
  void TearDown() override {
    restore({});
    committer_.reset();
    store_.reset();
    sqlite3_vfs_register(disk_, 1);
    base::set_log_level(base::LogLevel::info);
  }

  void renew() {
    committer_ = std::make_unique<Committer>(
        store_->writer(), clock_,
        intake::SubjectCacheOptions{.subjects_max = 100, .unsaved_max = 1});
  }
  void restart() {
    committer_.reset();
    reopen();
    renew();
  }
  std::vector<SubmissionResult> commit(std::vector<Submission> batch) {
    return committer_->commit(batch).results;
  }
  void warm_up() {
    for (const SubmissionResult& result : commit(batch("w"))) {
      ASSERT_NE(result.verdict, Verdict::unavailable);
    }
    stored_ += kStored;
  }

  // A record that enrols a subject and raises an alert, one of a subject that is known, two that
  // are stored together, two of which the second is refused so that the first is not stored either,
  // and one more. Alerts are of subjects of their own, that none has ever more causes.
  static constexpr std::int64_t kStored = 5;
  std::vector<Submission> batch(const std::string& name) {
    const std::string newcomer = "P-" + std::to_string(++subjects_);
    return {submission({alt(name + "1", 150, newcomer)}), submission({alt(name + "2", 50)}),
            submission({alt(name + "3", 60), alt(name + "4", 70, newcomer)}),
            submission({alt(name + "5", 60), alt(name + "2", 51)}),
            submission({alt(name + "6", 80, "P-2")})};
  }

  // One commit that runs out of memory; true when it did not get that far.
  bool survives(const Round& round) {
    if (round.cold) restart();
    const std::string name = std::to_string(++rounds_) + "-";
    std::vector<Submission> sent = batch(name);
    std::vector<SubmissionResult> results;
    fail(round);
    try {
      results = committer_->commit(sent).results;
    } catch (const std::bad_alloc&) {
      // Nothing is stored.
    }
    const bool met = restore(round);
    if (results.empty()) results.assign(sent.size(), {.verdict = Verdict::unavailable});
    expect_all_or_nothing(results, round);
    const bool stopped = store_->writer().failed();
    stopped_ += stopped;
    recovered_ += !stopped && results[0].verdict == Verdict::unavailable;
    if (stopped) {
      EXPECT_EQ(commit(batch("x"))[0].verdict, Verdict::unavailable) << "P9";
      restart();
    }
    // Whoever has no answer sends again.
    const std::vector<SubmissionResult> again = commit(sent);
    for (const std::size_t i : {0, 1, 2, 4}) {
      EXPECT_EQ(again[i].verdict, Verdict::stored) << round.at;
      const bool known = results[i].verdict == Verdict::stored;
      if (known) {
        EXPECT_EQ(again[i].results[0].id, results[i].results[0].id) << round.at;
      }
    }
    EXPECT_EQ(again[3].verdict, Verdict::conflict) << round.at;
    stored_ += kStored;
    EXPECT_EQ(count("SELECT count(*) FROM records"), stored_) << round.at;
    return !met;
  }

  static void expect_all_or_nothing(const std::vector<SubmissionResult>& results,
                                    const Round& round) {
    const bool stored = results[0].verdict == Verdict::stored;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Verdict told = !stored ? Verdict::unavailable : i == 3 ? Verdict::conflict
                                                                   : Verdict::stored;
      EXPECT_EQ(results[i].verdict, told)
          << "submission " << i << ", allocation " << round.at << ", " << round.failures
          << " fail, " << (round.cold ? "cold" : "warm") << (round.heap ? ", ours" : "");
    }
  }

  sqlite3_vfs* disk_ = nullptr;
  std::unique_ptr<Committer> committer_;
  std::int64_t subjects_ = 2, rounds_ = 0, stored_ = 0;
  std::int64_t stopped_ = 0, recovered_ = 0;
};

TEST_F(MemoryTest, P1P2P9ACommitThatRunsOutOfMemoryLosesNothing) {
  struct Sweep {
    std::int64_t failures, step;
    bool cold;
  };
  for (const bool heap : {false, true}) {
    // Of ours there are few, but for what is done once.
    const std::int64_t few = heap ? 1 : 3, many = heap ? 1 : 17;
    for (const Sweep& sweep : {Sweep{1, 1, false}, Sweep{ShortMemory::kAll, few, false},
                               Sweep{1, many, true}, Sweep{ShortMemory::kAll, many, true}}) {
      std::int64_t at = 0;
      while (!survives({at, sweep.failures, sweep.cold, heap}) && !HasFailure()) at += sweep.step;
      EXPECT_GT(at, 10) << "there was nothing to fail";
    }
  }
  EXPECT_GT(recovered_, 400);
  EXPECT_EQ(stopped_, 0) << "none of them is a COMMIT's own";
  std::cout << rounds_ << " commits: " << recovered_ << " were refused and the store went on, "
            << stopped_ << " stopped it\n";
}

// A commit whose end is unknown is asked after in a new session: what is open in the old one, with
// rows that were sent already, must never be committed by that.
TEST_F(MemoryTest, P1P8OnAServerHalfATransactionIsNeverCommitted) {
  if (!on_postgres()) GTEST_SKIP() << "there is no server";
  for (std::int64_t at = 0; !survives({.at = at, .heap = true}) && !HasFailure(); at += 3) {
  }
  EXPECT_GT(recovered_, 20);
  store_->writer().connection().release_memory();
  EXPECT_EQ(count("SELECT count(*) FROM audit"), store_->writer().last_seq());
}

// Two batches, of which the second is made while the first, that has a repeat which was presumed to
// be new, is under way. Whoever is told that it is stored is, once; the rest may be sent again.
TEST_F(MemoryTest, P1P2OnAServerWhatIsMadeBehindACommitLosesNothing) {
  if (!on_postgres()) GTEST_SKIP() << "there is no server";
  const std::function<bool()> more_waits = [] { return true; };
  std::int64_t refused = 0;
  bool met = true;
  for (std::int64_t at = 0; met && !HasFailure(); at += 17) {
    renew();  // it presumes again
    const std::string name = "b" + std::to_string(at) + "-";
    ASSERT_EQ(commit({submission({alt(name + "3", 50)})}).front().verdict, Verdict::stored);
    std::array<std::vector<Submission>, 3> batches;
    for (std::size_t i = 0; i < 330; ++i) {
      // Alerts are of a subject of its own.
      const bool alarming = i % 110 == 7;
      batches[i / 110].push_back(submission({alt(name + std::to_string(i), alarming ? 150 : 50,
                                                 alarming ? "P-" + std::to_string(9000 + at)
                                                          : "P-1")}));
    }
    std::array<std::vector<SubmissionResult>, 3> results;
    std::array<int, 3> times{};
    const Round round{.at = at, .heap = true};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto take = [&results, &times, i](Committer::Outcome outcome) {
        ++times[i];
        results[i] = std::move(outcome.results);
      };
      if (i == 1) fail(round);
      try {
        committer_->start(batches[i], more_waits, take);
      } catch (const std::bad_alloc&) {
        // Then it was not begun.
      }
      if (i == 1) met = restore(round);
    }
    committer_->finish();
    std::vector<Submission> all;
    for (auto& batch : batches) std::move(batch.begin(), batch.end(), std::back_inserter(all));
    const auto again = commit(std::move(all));
    for (std::size_t i = 0; i < again.size(); ++i) {
      ASSERT_LE(times[i / 110], 1) << at;
      const auto& told = results[i / 110];
      const bool stored = i % 110 < told.size() && told[i % 110].verdict == Verdict::stored;
      refused += !stored;
      ASSERT_EQ(again[i].verdict, Verdict::stored) << at << ", " << i;
      EXPECT_EQ(again[i].results[0].repeated, stored || i == 3) << at << ", " << i;
      if (!stored) continue;
      EXPECT_EQ(again[i].results[0].id, told[i % 110].results[0].id) << at << ", " << i;
    }
    stored_ += 330;
    ASSERT_EQ(count("SELECT count(*) FROM records"), stored_) << at;
    ASSERT_EQ(count("SELECT count(*) FROM audit"), store_->writer().last_seq()) << at;
  }
  EXPECT_GT(refused, 100);
}

// What comes before and after the commit takes memory, too; each is answered once, whatever fails.
TEST_F(MemoryTest, P1EachIsAnsweredOnceWhateverFails) {
  committer_.reset();
  std::int64_t published = 0, told = 0, at = 0;
  const auto intake = std::make_unique<intake::Intake>(
      store_->writer(), clock_, intake::IntakeOptions(),
      [&](const std::vector<intake::Publication>& events) {
        published += static_cast<std::int64_t>(events.size());
      },
      [](const intake::BatchReport&) {});
  for (bool met = true; met && !HasFailure(); ++at) {
    struct Told {
      int times = 0;
      Verdict verdict{};
    };
    std::array<Told, 3> all;
    for (std::size_t i = 0; i < all.size(); ++i) {
      auto ticket = intake->admit(intake::Lane::live, 100);
      ASSERT_TRUE(ticket.ok());
      const double value = i == 0 ? 150 : 50;
      const auto deadline = i == 2 ? clock_.now() : runtime::kForever;  // it expires
      intake->submit(std::move(*ticket),
                     submission({alt(std::to_string(at) + "-" + std::to_string(i), value,
                                     "P-" + std::to_string(1000 + at))}),
                     deadline, [&one = all[i]](const SubmissionResult& result) {
                       ++one.times;
                       one.verdict = result.verdict;
                     });
    }
    const Round round{.at = at, .heap = true};
    fail(round);
    try {
      (void)intake->run_once();
    } catch (const std::bad_alloc&) {
      // Then all waits on.
    }
    met = restore(round);
    while (intake->run_once()) {
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_EQ(all[i].times, 1) << at << ", " << i;
      EXPECT_EQ(all[i].verdict == Verdict::expired, i == 2) << at;
      told += all[i].verdict == Verdict::stored;
    }
    EXPECT_EQ(count("SELECT count(*) FROM records"), stored_ + told) << at;
    EXPECT_EQ(published, told / 2) << at;
  }
  EXPECT_GT(at, 10);
}

}  // namespace
}  // namespace trialward::faults
