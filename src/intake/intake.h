// The way in: a bounded queue of submissions in three lanes, and the one worker that commits them
// in batches. A batch is whatever waits, up to a cap in items, bytes and expected time; while one
// commit waits for the disk the queue fills, so the next batch is as large as the load demands.
//
// Any thread may call admit() and submit(). A submission's `done` is called exactly once, on the
// committing thread (or on the caller's, when it came after the end); it must not block. When
// memory runs out in it, nobody calls it again.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "intake/batch_pace.h"
#include "intake/committer.h"
#include "intake/submission.h"
#include "runtime/bounded_queue.h"
#include "runtime/task_list.h"
#include "runtime/worker_pool.h"

namespace trialward::intake {

enum class Lane : std::uint8_t {
  safety,  // adverse events, acknowledgements, the administration of tokens
  live,    // single records
  bulk,    // streams and files
};
inline constexpr std::size_t kLanes = 3;
std::string_view to_string(Lane lane);

struct IntakeOptions {
  // Of the first two a sender may hold four times what it leaves free. Streams have windows.
  runtime::LaneOptions safety{"safety", 4096, 16 << 20, 8, 4};
  runtime::LaneOptions live{"live", 16384, 64 << 20, 4, 4};
  runtime::LaneOptions bulk{"bulk", 16384, 64 << 20, 1, 0};
  base::Duration aging = std::chrono::seconds(2);
  BatchPace::Options batch;
  std::size_t batch_bytes_max = 4 << 20;
  // A single record is refused when it would wait longer than this to be committed.
  base::Duration live_wait_max = std::chrono::seconds(1);
  // Whether a batch may be made while the COMMIT of the one before is under way (Committer::start).
  bool ahead = true;
  SubjectCacheOptions subjects;
  const model::AlertRoutes* routes = nullptr;  // who is told of alerts; outlives the Intake
  std::string set_aside_path;  // where poison goes, one JSON line each; empty: to the log alone
};

// What a batch was like, for the metrics.
struct BatchReport {
  std::vector<runtime::Served> served;
  std::size_t expired = 0;
  base::Duration work{};    // on the processor, about
  base::Duration commit{};  // waiting for the disk, and for other nodes
  base::Duration checkpoint{};  // before the batch; zero: there was none
  std::array<std::size_t, kVerdicts> verdicts{};  // by Verdict
  std::size_t records = 0;                // stored for the first time
  std::size_t repeated = 0;
  SubjectCache::Stats subjects;  // after the batch
  std::int64_t wal_bytes = 0;    // in use after the batch's commit; 0 where there is no WAL
};

class Intake {
  struct Item;

 public:
  using Done = std::function<void(SubmissionResult)>;
  using Publish = std::function<void(std::vector<Publication>)>;
  using Observe = std::function<void(const BatchReport&)>;
  using Queue = runtime::BoundedQueue<Item>;
  using Ticket = Queue::Ticket;

  // `publish` is called after each commit that made alert events, before the answers; `observe` in
  // expire() too.
  Intake(store::Writer& writer, const base::Clock& clock, IntakeOptions options, Publish publish,
         Observe observe);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // A place in the queue, taken before the body is read. Flows are studies and their senders.
  base::Result<Ticket, runtime::Refusal> admit(Lane lane, std::size_t bytes,
                                               runtime::Flow flow = {});
  // How long what comes into the lane now will wait, if it goes on as of late.
  base::Duration backlog(Lane lane) const;
  void submit(Ticket ticket, Submission submission, base::TimePoint deadline, Done done);

  // Has the committing thread give back the memory that it can do without. `dropped` is called
  // there. False: there is no place in the queue, and it will not be.
  bool drop_caches(std::function<void()> dropped);

  // Answers what waits past its deadline while a batch takes long. Any thread, now and then.
  void expire();
  // Has the statement that a batch waits for cancelled, if there is one, but no COMMIT: the batch
  // is then refused, to be sent again. Any thread.
  void interrupt_statement() { writer_.connection().interrupt(); }
  // How long the batch has been at work that is answered next; zero: there is none.
  base::Duration at_work() const;

  // Commits one batch if anything waits, or ends the one that is under way; false when there was
  // nothing to do.
  bool run_once();
  // Starts the worker's thread.
  void start(runtime::TaskList& tasks);
  // Refuses newcomers, commits what waits, ends the thread. Past `until` the rest is answered
  // cancelled, and a database that has not answered soon after is waited for no longer. Without a
  // thread it runs the batches itself.
  void drain(base::TimePoint until);

  bool failed() const { return writer_.failed(); }
  bool unreached() const { return writer_.unreached(); }
  std::vector<runtime::LaneStats> lanes() const { return queue_.stats(); }
  std::uint64_t wakeups() const { return queue_.wakeups(); }

 private:
  class CommitWorker;
  struct Item {
    Submission submission;
    Done done;
  };

  // What was taken out of the queue together, until it is answered.
  struct Batch {
    std::vector<Item> items;
    std::vector<Submission> submissions;  // the items'
    BatchReport report;
    BatchPace::Batch observed;
    base::TimePoint began{};
  };

  static std::size_t weight_of(const std::vector<Item>& items);
  static void answer(Item& item, SubmissionResult result);
  static void answer_expired(std::vector<Item> expired);
  // The end of the oldest batch. Without results when memory ran out before anything was done.
  void end_batch(Committer::Outcome outcome);
  void count(Batch& batch, const std::vector<SubmissionResult>& results);
  void checkpoint();
  bool batches_are_short(base::TimePoint now) const;
  void set_busy(bool busy);
  void set_aside(const Submission& submission, const SubmissionResult& result);

  store::Writer& writer_;
  const base::Clock& clock_;
  const IntakeOptions options_;
  const Publish publish_;
  const Observe observe_;
  Committer committer_;
  Queue queue_;
  BatchPace pace_;
  std::mutex busy_mutex_;
  std::condition_variable idle_;
  bool busy_ = false;  // a batch is being committed; guarded by busy_mutex_
  const bool on_server_;
  std::atomic<base::TimePoint> at_work_from_{};  // when the oldest batch began; zero: there is none
  std::atomic<base::TimePoint> calm_from_{};  // no safety record has come for a while by then
  // The committing thread's:
  std::array<std::optional<Batch>, 2> batches_;  // that are not answered yet, the oldest first
  base::TimePoint batch_ended_{};  // when the last one was
  base::TimePoint next_checkpoint_{};
  base::Duration checkpoint_took_{};  // the last one, until it is reported
  std::unique_ptr<runtime::WorkerPool> worker_;
};

}  // namespace trialward::intake
