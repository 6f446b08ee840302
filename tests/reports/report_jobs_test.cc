#include "reports/report_jobs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "tests/temporary_folder.h"

namespace trialward::reports {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr JobOwner kAnna{.study = 1, .user = 1}, kBert{.study = 1, .user = 2};

// Runs that do as they are told, and what became of them.
class ReportJobsTest : public testing::Test {
 protected:
  ReportJobsTest() { options_.folder = folder_.file("reports"); }
  ~ReportJobsTest() override { release(); }

  ReportJobs& jobs() {
    if (jobs_ == nullptr) {
      auto opened = ReportJobs::open(options_, tasks_, random_);
      TW_CHECK(opened.ok());
      jobs_ = std::move(*opened);
    }
    return *jobs_;
  }
  // Writes a file of so many bytes.
  Wish quick(const std::string& key, std::size_t bytes = 10) {
    return {.report = "quick", .key = key, .make = [this, key, bytes](const RunContext& context) {
              note(key);
              return write(context, bytes);
            }};
  }
  // Goes on until release(), or until it is cancelled.
  Wish held(const std::string& key) {
    return {.report = "held",
            .key = key,
            .make = [this, key](const RunContext& context) -> Result<std::vector<ResultFile>> {
              note(key);
              std::unique_lock lock(mutex_);
              most_at_once_ = std::max(most_at_once_, ++at_once_);
              const auto wake =
                  context.cancel.on_fire([this](runtime::CancelReason) { changed_.notify_all(); });
              while (!released_ && !context.cancel.fired()) {
                changed_.wait_for(lock, milliseconds(10));
              }
              --at_once_;
              if (context.cancel.fired()) return Error{Errc::cancelled, "stopped"};
              lock.unlock();
              return write(context, 10);
            }};
  }
  static Result<std::vector<ResultFile>> write(const RunContext& context, std::size_t bytes) {
    const std::string path = context.path + ".txt";
    std::ofstream(path) << std::string(bytes, 'x');
    context.progress(1, 1);
    return std::vector<ResultFile>{
        {.format = "txt", .content_type = "text/plain", .path = path, .bytes = bytes}};
  }
  void note(const std::string& key) {
    const std::lock_guard lock(mutex_);
    made_.push_back(key);
    changed_.notify_all();
  }
  void release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  void wait_made(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return made_.size() >= count; });
  }
  std::vector<std::string> made() {
    const std::lock_guard lock(mutex_);
    return made_;
  }
  std::string submit(JobOwner owner, std::vector<Wish> wishes) {
    auto job = jobs().submit(owner, std::move(wishes));
    EXPECT_TRUE(job.ok()) << (job ? "" : job.error().message);
    return job ? *job : "";
  }
  JobView wait_ended(const std::string& job) {
    while (true) {
      auto view = jobs().view(job);
      TW_CHECK(view.has_value());
      if (view->ended()) return *view;
      std::this_thread::yield();
    }
  }
  // What lies in the folder.
  std::size_t files() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(options_.folder)) {
      ++count;
    }
    return count;
  }

  TemporaryFolder folder_;
  base::SystemClock clock_;
  base::SeededRandom random_{1};
  runtime::TaskList tasks_{clock_};
  ReportJobsOptions options_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> made_;
  int at_once_ = 0, most_at_once_ = 0;
  bool released_ = false;
  std::unique_ptr<ReportJobs> jobs_;  // last: its runs use all the rest
};

TEST_F(ReportJobsTest, MakesWhatIsAskedForAndKeepsTheResults) {
  const JobView view = wait_ended(submit(kAnna, {quick("a"), quick("b", 20)}));
  ASSERT_EQ(view.runs.size(), 2u);
  EXPECT_EQ(view.owner, kAnna);
  for (const RunView& run : view.runs) {
    EXPECT_EQ(run.state, RunState::done) << run.reason;
    EXPECT_EQ(run.done, 1u);
    ASSERT_EQ(run.files.size(), 1u);
    EXPECT_EQ(std::filesystem::file_size(run.files[0].path), run.files[0].bytes);
  }
  EXPECT_EQ(jobs().stats().kept_bytes, 30u);
  EXPECT_EQ(jobs().of_owner(kAnna, 10).size(), 1u);
  EXPECT_TRUE(jobs().of_owner(kBert, 10).empty());
}

TEST_F(ReportJobsTest, MakesTheSameReportOnceForAllWhoAskForItAtTheSameTime) {
  const std::string first = submit(kAnna, {held("a")});
  wait_made(1);
  const std::string second = submit(kBert, {held("a"), quick("b")});
  const std::string third = submit(kBert, {quick("b"), quick("b")});
  release();
  for (const std::string& job : {first, second, third}) {
    const JobView view = wait_ended(job);
    for (const RunView& run : view.runs) EXPECT_EQ(run.state, RunState::done);
  }
  auto all = made();
  EXPECT_EQ(std::count(all.begin(), all.end(), "a"), 1);
  EXPECT_EQ(jobs().view(first)->runs[0].files[0].path, jobs().view(second)->runs[0].files[0].path);
  // What has ended is made anew.
  (void)wait_ended(submit(kAnna, {quick("a")}));
  all = made();
  EXPECT_EQ(std::count(all.begin(), all.end(), "a"), 2);
}

TEST_F(ReportJobsTest, NobodyIsGivenAReportWithoutWhatWasThereWhenHeAsked) {
  options_.at_once = 1;
  Wish early = held("a");
  early.version = 5;
  Wish same = held("a"), later = held("a"), latest = held("a");
  same.version = 5;
  later.version = 6;
  latest.version = 7;
  std::vector<std::uint64_t> versions;
  for (Wish* wish : {&early, &same, &later, &latest}) {
    wish->make = [&versions, make = wish->make](const RunContext& context) {
      versions.push_back(context.version);
      return make(context);
    };
  }
  std::vector<std::string> all = {submit(kAnna, {std::move(early)})};
  wait_made(1);
  all.push_back(submit(kAnna, {std::move(same)}));
  all.push_back(submit(kAnna, {std::move(later)}));
  all.push_back(submit(kAnna, {std::move(latest)}));  // shares the one that waits
  release();
  for (const std::string& job : all) (void)wait_ended(job);
  EXPECT_EQ(versions, (std::vector<std::uint64_t>{5, 7}));
  EXPECT_EQ(jobs().stats().shared, 2u);
}

TEST_F(ReportJobsTest, P3RunsNoMoreAtOnceThanItMay) {
  std::vector<Wish> wishes;
  for (int i = 0; i < 20; ++i) wishes.push_back(held(std::to_string(i)));
  const std::string job = submit(kAnna, std::move(wishes));
  wait_made(2);
  EXPECT_EQ(jobs().stats().running, 2u);
  EXPECT_EQ(jobs().stats().waiting, 18u);
  release();
  (void)wait_ended(job);
  EXPECT_LE(most_at_once_, 2);
}

TEST_F(ReportJobsTest, UsersTakeTurns) {
  options_.at_once = 1;
  const std::string first = submit(kAnna, {held("held")});
  wait_made(1);
  const std::string many = submit(kAnna, {quick("a1"), quick("a2"), quick("a3"), quick("a4")});
  const std::string one = submit(kBert, {quick("b1")});
  release();
  (void)wait_ended(many);
  (void)wait_ended(one);
  const auto all = made();
  EXPECT_LE(std::find(all.begin(), all.end(), "b1") - all.begin(), 2);
}

TEST_F(ReportJobsTest, P4RefusesWhatHasNoRoomAndTakesNothingOfIt) {
  options_.at_once = 1;
  options_.waiting_max = 3;
  options_.user_share = 0;
  (void)submit(kAnna, {held("held")});
  wait_made(1);
  (void)submit(kAnna, {quick("a"), quick("b")});
  const auto refused = jobs().submit(kAnna, {quick("c"), quick("d")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_EQ(jobs().stats().waiting, 2u);
  EXPECT_EQ(jobs().stats().refused, 1u);
  // What is made already needs no room.
  (void)submit(kBert, {quick("a"), quick("b"), quick("c")});
}

TEST_F(ReportJobsTest, OneUserCannotTakeAllThePlaces) {
  options_.at_once = 1;
  options_.waiting_max = 8;
  options_.user_share = 1;
  (void)submit(kAnna, {held("held")});
  wait_made(1);
  (void)submit(kAnna, {quick("a1"), quick("a2"), quick("a3"), quick("a4")});
  const auto refused = jobs().submit(kAnna, {quick("a5")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, "too many of your reports wait already");
  (void)submit(kBert, {quick("b1")});
}

TEST_F(ReportJobsTest, RefusesEmptyAndOverlongRequests) {
  options_.reports_per_job_max = 2;
  for (auto wishes : {std::vector<Wish>(), std::vector<Wish>{quick("a"), quick("b"), quick("c")}}) {
    const auto refused = jobs().submit(kAnna, std::move(wishes));
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, Errc::invalid);
  }
}

TEST_F(ReportJobsTest, P5CancellingStopsWhatNobodyElseWants) {
  options_.at_once = 1;
  const std::string mine = submit(kAnna, {held("running"), quick("waiting")});
  wait_made(1);
  const std::string shared = submit(kBert, {held("running")});
  struct Counter final : JobWatcher {
    void changed() override { ++told; }
    std::atomic<int> told = 0;
  };
  const auto counter = std::make_shared<Counter>();
  ASSERT_TRUE(jobs().watch(mine, counter));
  ASSERT_TRUE(jobs().cancel(mine));
  EXPECT_EQ(counter->told, 1);
  EXPECT_FALSE(jobs().view(mine).has_value());
  EXPECT_FALSE(jobs().cancel(mine));
  EXPECT_FALSE(jobs().watch(mine, counter));
  EXPECT_EQ(jobs().stats().running, 1u);  // Bert wants it
  ASSERT_TRUE(jobs().cancel(shared));
  while (jobs().stats().running > 0 || jobs().stats().waiting > 0) std::this_thread::yield();
  EXPECT_EQ(made(), std::vector<std::string>{"running"});
  EXPECT_EQ(jobs().stats().cancelled, 2u);
  EXPECT_EQ(files(), 0u);
}

TEST_F(ReportJobsTest, P5WhatARunWouldUseIsLetGoWhenItIsCancelled) {
  options_.at_once = 1;
  const auto used = std::make_shared<int>();
  const auto using_it = [&](Wish wish) {
    wish.make = [used, make = std::move(wish.make)](const RunContext& context) {
      return make(context);
    };
    return wish;
  };
  const std::string running = submit(kAnna, {using_it(held("running"))});
  wait_made(1);
  const std::string waiting = submit(kBert, {using_it(held("waiting"))});
  EXPECT_EQ(used.use_count(), 3);
  EXPECT_TRUE(jobs().cancel(waiting));
  EXPECT_EQ(used.use_count(), 2) << "not only when its turn has come";
  EXPECT_TRUE(jobs().cancel(running));
  while (used.use_count() > 1) std::this_thread::yield();
}

TEST_F(ReportJobsTest, CancellingForgetsResults) {
  const std::string job = submit(kAnna, {quick("a")});
  (void)wait_ended(job);
  EXPECT_EQ(files(), 1u);
  ASSERT_TRUE(jobs().cancel(job));
  EXPECT_EQ(files(), 0u);
  EXPECT_EQ(jobs().stats().kept_bytes, 0u);
}

TEST_F(ReportJobsTest, P5ARunThatTakesTooLongIsStopped) {
  options_.at_once = 1;
  options_.deadline = milliseconds(50);
  const JobView view = wait_ended(submit(kAnna, {held("slow"), held("waits")}));
  EXPECT_EQ(view.runs[0].state, RunState::failed);
  EXPECT_EQ(view.runs[0].reason, "it took longer than its deadline allows");
  EXPECT_EQ(view.runs[1].state, RunState::failed);
  EXPECT_EQ(view.runs[1].reason, "it waited past its deadline");
}

TEST_F(ReportJobsTest, AFailedRunSaysWhy) {
  const JobView view = wait_ended(submit(
      kAnna,
      {{.report = "fails",
        .key = "1",
        .make =
            [](const RunContext&) {
              return Result<std::vector<ResultFile>>(Error{Errc::invalid, "there is no site 'x'"});
            }},
       {.report = "throws",
        .key = "2",
        .make = [](const RunContext&) -> Result<std::vector<ResultFile>> {
          throw std::runtime_error("a fault of ours");
        }}}));
  EXPECT_EQ(view.runs[0].state, RunState::failed);
  EXPECT_EQ(view.runs[0].reason, "there is no site 'x'");
  EXPECT_EQ(view.runs[1].state, RunState::failed);
  EXPECT_EQ(view.runs[1].reason, "an error of the server; see its log");
  EXPECT_EQ(jobs().stats().failed, 2u);
}

TEST_F(ReportJobsTest, P3DropsTheOldestResultsWhenTheyAreTooMany) {
  options_.kept_bytes_max = 25;
  const std::string first = submit(kAnna, {quick("a")});
  (void)wait_ended(first);
  const std::string second = submit(kAnna, {quick("b")});
  (void)wait_ended(second);
  const std::string third = submit(kAnna, {quick("c")});
  (void)wait_ended(third);
  jobs().sweep();
  EXPECT_FALSE(jobs().view(first).has_value());
  EXPECT_TRUE(jobs().view(second).has_value());
  EXPECT_EQ(jobs().stats().kept_bytes, 20u);
  EXPECT_EQ(files(), 2u);
}

TEST_F(ReportJobsTest, DropsResultsThatAreTooOld) {
  options_.kept = milliseconds(20);
  const std::string job = submit(kAnna, {quick("a")});
  while (jobs().view(job).has_value()) jobs().sweep();
  EXPECT_EQ(files(), 0u);
}

TEST_F(ReportJobsTest, P3KnowsNoMoreJobsThanItMay) {
  options_.jobs_max = 2;
  const std::string ended = submit(kAnna, {quick("a")});
  (void)wait_ended(ended);
  (void)submit(kAnna, {held("b")});
  (void)submit(kAnna, {held("c")});  // in the place of the one that has ended
  EXPECT_FALSE(jobs().view(ended).has_value());
  const auto refused = jobs().submit(kAnna, {quick("d")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::refused);
}

TEST_F(ReportJobsTest, NobodyLosesResultsToWhoAsksForMore) {
  options_.kept_bytes_max = 25;
  const std::string berts = submit(kBert, {quick("a")});
  (void)wait_ended(berts);
  const std::string first = submit(kAnna, {quick("b")});
  (void)wait_ended(first);
  const std::string second = submit(kAnna, {quick("c")});
  (void)wait_ended(second);
  jobs().sweep();
  EXPECT_TRUE(jobs().view(berts).has_value());
  EXPECT_FALSE(jobs().view(first).has_value());
  EXPECT_TRUE(jobs().view(second).has_value());
}

TEST_F(ReportJobsTest, P4AUsersOldJobsGiveWayToHisNewOnes) {
  options_.user_jobs_max = 2;
  const std::string ended = submit(kAnna, {quick("a")});
  (void)wait_ended(ended);
  (void)submit(kAnna, {held("b")});
  (void)submit(kAnna, {held("c")});
  EXPECT_FALSE(jobs().view(ended).has_value());
  const auto refused = jobs().submit(kAnna, {quick("d")});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_TRUE(jobs().submit(kBert, {quick("d")}).ok());
}

TEST_F(ReportJobsTest, WhoJoinsARunThatWaitsHasAllOfHisTime) {
  options_.at_once = 1;
  options_.deadline = seconds(300);
  base::FakeClock clock;
  runtime::TaskList tasks(clock);
  auto opened = ReportJobs::open(options_, tasks, random_);
  ASSERT_TRUE(opened.ok());
  jobs_ = std::move(*opened);
  (void)submit(kAnna, {held("a")});
  wait_made(1);
  (void)submit(kAnna, {quick("b")});
  clock.advance(seconds(250));
  const std::string joined = submit(kBert, {quick("b")});
  clock.advance(seconds(100));  // past the deadline of whoever asked first
  release();
  const JobView view = wait_ended(joined);
  EXPECT_EQ(view.runs[0].state, RunState::done) << view.runs[0].reason;
  EXPECT_EQ(jobs().stats().shared, 1u);
  jobs_.reset();  // before its clock
}

TEST_F(ReportJobsTest, StoppingEndsAllAndLeavesNoTask) {
  const std::string job = submit(kAnna, {held("a"), held("b"), held("c")});
  wait_made(2);
  jobs().stop();
  const auto view = jobs().view(job);
  for (const RunView& run : view->runs) EXPECT_EQ(run.state, RunState::cancelled);
  EXPECT_FALSE(jobs().submit(kAnna, {quick("d")}).ok());
  jobs_.reset();
  EXPECT_EQ(tasks_.count(), 0u);
}

TEST_F(ReportJobsTest, ForgetsTheResultsOfAnEarlierRunAndNothingElse) {
  (void)wait_ended(submit(kAnna, {quick("a")}));
  jobs_.reset();
  std::ofstream(options_.folder + "/notes.txt") << "mine";
  EXPECT_EQ(files(), 2u);
  (void)jobs();
  EXPECT_EQ(files(), 1u);
  EXPECT_TRUE(std::filesystem::exists(options_.folder + "/notes.txt"));
}

TEST_F(ReportJobsTest, AFolderThatCannotBeMadeIsAnError) {
  options_.folder = folder_.file("not/there");
  const auto opened = ReportJobs::open(options_, tasks_, random_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace trialward::reports
