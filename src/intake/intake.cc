#include "intake/intake.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <new>

#include "base/json_writer.h"
#include "base/log.h"
#include "runtime/wait.h"

namespace trialward::intake {
namespace {

// After a checkpoint that took long comes a rest of nine times as long.
constexpr int kCheckpointRest = 9;
// What a commit may still take when the intake has to end.
constexpr base::Duration kCommitGrace = std::chrono::seconds(1);
// So long after a safety record no batch is made behind another's COMMIT: the next such record
// would wait for two of them.
constexpr base::Duration kSafetyCalm = std::chrono::seconds(1);
constexpr base::Duration kLongCheckpoint = std::chrono::milliseconds(25);

BatchPace::Options pace_of(BatchPace::Options options, store::Writer& writer) {
  options.fitted = writer.connection().is_postgres();
  return options;
}

}  // namespace

std::string_view to_string(Lane lane) {
  static constexpr std::array<std::string_view, kLanes> kNames = {"safety", "live", "bulk"};
  return kNames[static_cast<std::size_t>(lane)];
}

class Intake::CommitWorker final : public runtime::Worker {
 public:
  explicit CommitWorker(Intake& intake) : intake_(intake) {}
  bool run_once(const runtime::Cancel&) override { return intake_.run_once(); }
  bool wait(const runtime::Cancel& stop) override {
    return intake_.queue_.wait(stop) || !intake_.queue_.drained();
  }

 private:
  Intake& intake_;
};

Intake::Intake(store::Writer& writer, const base::Clock& clock, IntakeOptions options,
               Publish publish, Observe observe)
    : writer_(writer),
      clock_(clock),
      options_(std::move(options)),
      publish_(std::move(publish)),
      observe_(std::move(observe)),
      committer_(writer, clock, options_.subjects, options_.routes),
      queue_({.lanes = {options_.safety, options_.live, options_.bulk}, .aging = options_.aging},
             clock),
      pace_(pace_of(options_.batch, writer)),
      on_server_(writer.connection().is_postgres()) {}

Intake::~Intake() { drain(clock_.now()); }

void Intake::submit(Ticket ticket, Submission submission, base::TimePoint deadline, Done done) {
  TW_CHECK(!submission.commands.empty());
  auto late =
      queue_.push(std::move(ticket), Item{std::move(submission), std::move(done)}, deadline);
  if (late) late->done(SubmissionResult::refused(Verdict::cancelled, "the server is stopping"));
}

base::Result<Intake::Ticket, runtime::Refusal> Intake::admit(Lane lane, std::size_t bytes,
                                                             runtime::Flow flow) {
  const auto index = static_cast<std::size_t>(lane);
  if (lane == Lane::live && backlog(lane) > options_.live_wait_max) {
    queue_.count_refusal(index, runtime::Refusal::too_slow);
    return runtime::Refusal::too_slow;
  }
  return queue_.reserve(index, bytes, flow);
}

base::Duration Intake::backlog(Lane lane) const {
  return pace_.time_for(queue_.items_before(static_cast<std::size_t>(lane)),
                        batches_are_short(clock_.now()));
}

// While safety records come each batch is one that the next of them waits for.
bool Intake::batches_are_short(base::TimePoint now) const {
  return on_server_ && now < calm_from_.load();
}

bool Intake::drop_caches(std::function<void()> dropped) {
  auto ticket = queue_.reserve(static_cast<std::size_t>(Lane::safety), 0);
  if (!ticket) return false;
  Submission submission{.actor = "trialward"};
  submission.commands.emplace_back(DropCaches());
  submit(std::move(*ticket), std::move(submission), runtime::kForever,
         [dropped = std::move(dropped)](const SubmissionResult&) { dropped(); });
  return true;
}

// In records: what else is stored takes about as long as so many.
std::size_t Intake::weight_of(const std::vector<Item>& items) {
  constexpr std::size_t kRecordsAnAttempt = 4;
  std::size_t weight = 0;
  for (const Item& item : items) {
    for (const Command& command : item.submission.commands) {
      if (const auto* record = std::get_if<RecordAttempts>(&command)) {
        weight += kRecordsAnAttempt * record->attempts.size();
      } else if (const auto* prune = std::get_if<PruneDeliveries>(&command)) {
        weight += static_cast<std::size_t>(prune->limit);
      } else if (const auto* sync = std::get_if<SyncSubjects>(&command)) {
        weight += 1 + sync->subjects.size();
      } else if (const auto* signals = std::get_if<SignalSchedule>(&command)) {
        weight += 1 + signals->signals.size();
      } else {
        ++weight;
      }
    }
  }
  return weight;
}

// Whoever cannot be answered for want of memory is not; his connection ends, and he sends again.
void Intake::answer(Item& item, SubmissionResult result) {
  try {
    item.done(std::move(result));
  } catch (const std::bad_alloc&) {
    // Nor can it be logged.
  }
}

void Intake::answer_expired(std::vector<Item> expired) {
  for (Item& item : expired) {
    answer(item, SubmissionResult::refused_anyhow(
                     Verdict::expired,
                     "it waited past its deadline and was not stored; send it again"));
  }
}

void Intake::expire() {
  std::vector<Item> expired = queue_.take_expired();
  if (expired.empty()) return;
  observe_({.expired = expired.size()});
  answer_expired(std::move(expired));
}

base::Duration Intake::at_work() const {
  const base::TimePoint from = at_work_from_.load();
  return from == base::TimePoint() ? base::Duration() : clock_.now() - from;
}

// What was committed stays so, whatever comes after it takes more memory than there is.
void Intake::end_batch(Committer::Outcome outcome) {
  Batch batch = *std::exchange(batches_[0], std::exchange(batches_[1], std::nullopt));
  at_work_from_ = batches_[0] ? batches_[0]->began : base::TimePoint();
  std::vector<SubmissionResult> results = std::move(outcome.results);
  TW_CHECK(results.size() <= batch.items.size());
  try {
    batch.report.work = outcome.work;
    batch.report.commit = outcome.commit;
    batch.report.subjects = committer_.subjects();
    batch.report.wal_bytes = writer_.wal_bytes();
    batch.observed.cpu = outcome.cpu;
    batch.observed.commit = outcome.commit;
    if (!outcome.publications.empty()) publish_(std::move(outcome.publications));
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i].verdict == Verdict::poison) set_aside(batch.submissions[i], results[i]);
    }
  } catch (const std::bad_alloc&) {
    // Without results everything is refused; with them, whoever was to be told asks again.
  }
  count(batch, results);
  if (!batches_[0]) set_busy(false);
  // Before the answers, so that whoever has one finds it counted.
  try {
    observe_(batch.report);
  } catch (const std::bad_alloc&) {
    // Then it is not counted.
  }
  for (std::size_t i = 0; i < batch.items.size(); ++i) {
    answer(batch.items[i], i < results.size()
                               ? std::move(results[i])
                               : SubmissionResult::refused_anyhow(
                                     Verdict::unavailable,
                                     "the server is out of memory; try again"));
  }
  // Between two transactions: the only moment at which nobody commits.
  const base::TimePoint answered = clock_.now();
  if (!writer_.in_transaction()) checkpoint();
  const base::TimePoint ended = clock_.now();
  batch.observed.commit += ended - answered;
  // Of one that was made while another was under way, what it took longer than that.
  batch.observed.all = ended - std::max(batch.began, batch_ended_);
  batch_ended_ = ended;
  pace_.observe(batch.observed);
}

void Intake::count(Batch& batch, const std::vector<SubmissionResult>& results) {
  BatchReport& report = batch.report;
  for (std::size_t i = 0; i < results.size(); ++i) {
    ++report.verdicts[static_cast<std::size_t>(results[i].verdict)];
    for (std::size_t j = 0; j < results[i].results.size(); ++j) {
      if (!std::holds_alternative<AppendRecord>(batch.submissions[i].commands[j])) continue;
      ++(results[i].results[j].repeated ? report.repeated : report.records);
    }
  }
}

bool Intake::run_once() {
  const base::TimePoint began = clock_.now();
  // Before anything is taken: what drain() finds neither in the queue nor at work must be over.
  set_busy(true);
  Queue::Batch taken;
  try {
    taken = queue_.pop_batch({.items_max = pace_.items_max(),
                              .bytes_max = options_.batch_bytes_max,
                              .urgent_items_max = pace_.urgent_items_max(),
                              .urgent = batches_are_short(began)});
  } catch (const std::bad_alloc&) {
    committer_.finish();
    throw;
  }
  if (taken.empty()) {
    const bool under_way = committer_.under_way();
    committer_.finish();
    set_busy(false);
    return under_way;
  }
  const std::size_t expired = taken.expired.size();
  answer_expired(std::move(taken.expired));
  for (const runtime::Served& served : taken.served) {
    if (served.lane == static_cast<std::size_t>(Lane::safety)) calm_from_ = began + kSafetyCalm;
  }
  std::optional<Batch>& batch = batches_[batches_[0] ? 1 : 0];
  TW_CHECK(!batch);
  batch.emplace(Batch{.items = std::move(taken.items),
                      .report = {.served = std::move(taken.served),
                                 .expired = expired,
                                 .checkpoint = std::exchange(checkpoint_took_, {})},
                      .began = began});
  at_work_from_ = batches_[0]->began;
  batch->observed.items = weight_of(batch->items);
  try {
    batch->submissions.reserve(batch->items.size());
    for (Item& item : batch->items) batch->submissions.push_back(std::move(item.submission));
    const std::function<bool()> more_waits = [this] {
      return options_.ahead && clock_.now() >= calm_from_.load() && queue_.items() > 0;
    };
    committer_.start(batch->submissions, more_waits,
                     [this](Committer::Outcome outcome) { end_batch(std::move(outcome)); });
  } catch (const std::bad_alloc&) {
    committer_.finish();
    while (batches_[0]) end_batch({});
  }
  return true;
}

void Intake::set_busy(bool busy) {
  {
    const std::lock_guard lock(busy_mutex_);
    busy_ = busy;
  }
  if (!busy) idle_.notify_all();
}

// Short and often where the disk is fast, so that nobody waits long for one; on a slow disk it
// takes no more than about a tenth of the time. What is urgent goes first.
void Intake::checkpoint() {
  if (writer_.failed()) return;
  using When = store::Writer::Checkpoint;
  const base::TimePoint began = clock_.now();
  const bool urgent = queue_.items(static_cast<std::size_t>(Lane::safety)) > 0;
  const auto done =
      writer_.checkpoint(began >= next_checkpoint_ && !urgent ? When::soon : When::late);
  if (!done || !*done) return;
  const base::TimePoint ended = clock_.now();
  checkpoint_took_ = ended - began;
  next_checkpoint_ = ended;
  if (checkpoint_took_ > kLongCheckpoint) next_checkpoint_ += kCheckpointRest * checkpoint_took_;
}

void Intake::set_aside(const Submission& submission, const SubmissionResult& result) {
  if (options_.set_aside_path.empty()) return;
  std::ofstream file(options_.set_aside_path, std::ios::app);
  for (const Command& command : submission.commands) {
    const auto* append = std::get_if<AppendRecord>(&command);
    if (append == nullptr) continue;
    base::JsonWriter json;
    json.begin_object()
        .member("actor", submission.actor)
        .member("received_ms", submission.received_ms)
        .member("reason", result.faults.empty() ? "" : result.faults.front().reason)
        .member("original", append->record.original)
        .end_object();
    file << json.text() << '\n';
  }
  if (!file.flush()) base::log_error("intake: cannot write " + options_.set_aside_path);
}

void Intake::start(runtime::TaskList& tasks) {
  TW_CHECK(worker_ == nullptr);
  std::vector<std::unique_ptr<runtime::Worker>> workers;
  workers.push_back(std::make_unique<CommitWorker>(*this));
  worker_ = std::make_unique<runtime::WorkerPool>(runtime::WorkerPoolOptions{.name = "commit"},
                                                  tasks, std::move(workers));
}

void Intake::drain(base::TimePoint until) {
  queue_.close();
  if (worker_ == nullptr) {
    while (clock_.now() < until && run_once()) {
    }
  } else {
    (void)queue_.wait_drained(until);
  }
  for (Item& item : queue_.close_now()) {
    item.done(SubmissionResult::refused(Verdict::cancelled, "the server is stopping"));
  }
  if (worker_ != nullptr) {
    {
      std::unique_lock lock(busy_mutex_);
      const bool idle = runtime::wait_until(idle_, lock, clock_, until + kCommitGrace,
                                            [this] { return !busy_; });
      if (!idle) writer_.abandon();
    }
    worker_->stop();
    worker_.reset();
  }
  committer_.finish();
}

}  // namespace trialward::intake
