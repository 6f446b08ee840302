// Turns a batch of submissions into one transaction. Synchronous, one thread, no queue: the whole
// of promise P1's work, driven directly by tests.
//
// A submission is stored as a whole or not at all. When the transaction fails because of its
// content, the batch is halved until the one submission that the store cannot take is found; only
// that one is refused. When the disk fails, everything is refused and the Writer stays failed().
// When memory runs out, everything is refused, and what is kept of subjects is given back.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/steady_utc.h"
#include "intake/alert_commands.h"
#include "intake/history.h"
#include "intake/subject_cache.h"
#include "intake/submission.h"
#include "model/alert_routes.h"
#include "store/alert_causes.h"
#include "store/alert_rows.h"
#include "store/known_records.h"
#include "store/record_rows.h"
#include "store/writer.h"

namespace trialward::intake {

// The rule id of the operational alert that says that a rule failed on a record.
inline constexpr std::string_view kRuleFailed = "trialward-rule-failed";

class Committer {
 public:
  struct Outcome {
    std::vector<SubmissionResult> results;  // one a submission, in order
    std::vector<Publication> publications;  // in the order of their numbers
    base::Duration work{};                  // all but the commits
    base::Duration cpu{};                   // what that used of the processor
    base::Duration commit{};                // waiting for the disk, and for other nodes
  };

  // `routes` may be null: nobody outside is told of alerts.
  Committer(store::Writer& writer, const base::Clock& clock, SubjectCacheOptions subjects,
            const model::AlertRoutes* routes = nullptr)
      : writer_(writer), clock_(clock), utc_(clock), subjects_(subjects), routes_(routes) {}

  // The batch is as it was when this returns. When it throws, for want of memory, nothing is
  // stored. Nothing is under way.
  Outcome commit(std::span<Submission> batch);

  // The same, but the end of its COMMIT need not be waited for: then it is under way until the next
  // start(), made meanwhile, finds that it has ended, or finish(). `done` is called then, and the
  // batch is of use until it; results are missing where memory ran out. With a database's server,
  // which works on the one while the other is made; elsewhere, and unless more_waits() when it
  // could be sent, it is commit().
  using Done = std::function<void(Outcome)>;
  void start(std::span<Submission> batch, const std::function<bool()>& more_waits, Done done);
  void finish();
  bool under_way() const { return under_way_.has_value(); }
  // As of the last commit.
  const SubjectCache::Stats& subjects() const { return subjects_.stats(); }

 private:
  using Applied = base::Result<SubmissionResult>;

  // A batch whose COMMIT was sent.
  struct UnderWay {
    std::span<Submission> batch;
    Outcome outcome;
    bool presumed = false;
    base::TimePoint sent{};
    Done done;
  };
  // Null: the end is waited for.
  using MoreWaits = const std::function<bool()>*;

  void commit_part(std::span<Submission> batch, Outcome& outcome, MoreWaits more_waits = nullptr);
  // What becomes of a part that could not be committed.
  void after_failure(base::Status failure, std::span<Submission> batch, Outcome& outcome,
                     MoreWaits more_waits);
  base::Status try_commit(std::span<Submission> batch, Outcome& outcome, MoreWaits more_waits);
  base::Status begin(base::TimePoint now);
  // The end of what has been applied: the COMMIT, and perhaps its end.
  base::Status send(std::span<Submission> batch, std::vector<SubmissionResult>& results,
                    Outcome& outcome, MoreWaits more_waits);
  // Waits for the end of what is under way, and has it done. Whether the transaction that was begun
  // behind it goes on; else it was rolled back.
  bool end_under_way();
  // That, if it has ended, or is to be waited for. An error when the transaction was rolled back.
  base::Status notice_end(bool waits);
  // What can be done before the COMMIT, which nothing that may throw must follow.
  base::Status apply_all(std::span<Submission> batch, std::vector<SubmissionResult>& results,
                         Outcome& outcome);
  // What the batch will ask for one by one, at once.
  base::Status look_up(std::span<const Submission> batch);
  // Whether what failed may be tried again as it is.
  bool again_after(const base::Error& error);
  void refuse_all(std::span<Submission> batch, std::string_view reason, Outcome& outcome);
  Applied apply(Submission& submission);
  // All of it or nothing. `ids` are those of its commands' records as far as they are known, and
  // become known; when others are referred to it is taken back, and says so in `missing`.
  Applied apply_part(Submission& submission, std::vector<std::int64_t>& ids, bool& missing);
  base::Status take_back_part(std::ptrdiff_t published);
  Applied apply_command(const Submission& submission, Command& command);
  Applied append(const Submission& submission, AppendRecord& command);
  Applied append_as_it_is(const Submission& submission, AppendRecord& command);
  Applied append_of(const Submission& submission, CachedSubject& subject, AppendRecord& command);
  // AcknowledgeAlert, ChangeAlert or EscalateAlert.
  Applied change_alert(const Submission& submission, const Command& command);
  Applied pass_time(const Submission& submission, const PassTime& command);
  // RecordAttempts, PruneDeliveries or ChangeDelivery.
  Applied change_outbox(const Submission& submission, const Command& command);
  // The record's subject, enrolled if this record does that; or why it cannot be stored.
  base::Result<CachedSubject*> subject_of(const Submission& submission,
                                          const model::Record& record, CachedSubject* enrolled,
                                          SubmissionResult& refusal);
  base::Status watch(const Submission& submission, CachedSubject& subject,
                     const model::StoredRecord& stored, CommandResult& result);
  // commit_alerts.cc, up to publish():
  static store::AlertPlace place_of(const Submission& submission, const CachedSubject& subject,
                                    int shard);
  // What came of a record.
  base::Status raise(const Submission& submission, const CachedSubject& subject,
                     const model::StoredRecord& stored, const model::Observation& found,
                     CommandResult& result);
  // And causes that had ended hold again, because of a record or (null) of time.
  base::Status raise_again(const Submission& submission, const store::AlertPlace& place,
                           const model::Match& match, const model::StoredRecord* because,
                           CommandResult& result);
  base::Result<store::AlertChange> raise_one(const Submission& submission,
                                             const store::AlertPlace& place,
                                             const model::RuleInfo& rule,
                                             const model::Match& match,
                                             const model::StoredRecord* because,
                                             CommandResult& result);
  // What holds no longer because of a record.
  base::Status revise(const Submission& submission, const CachedSubject& subject,
                      const model::StoredRecord& stored, const std::vector<model::Match>& ended);
  base::Status revise_one(const Submission& submission, const store::AlertPlace& place,
                          std::int64_t alert, const store::CauseChange& change);
  // Takes an event of this transaction along to its subscribers, and puts it into the outbox for
  // those outside.
  base::Status publish(const Submission& submission, std::int64_t number);
  base::Status publish(const Submission& submission, model::AlertEvent event);
  // Tells of what a command did to alerts.
  Applied told(const Submission& submission, base::Result<AlertOutcome> done);

  store::Writer& writer_;
  const base::Clock& clock_;
  base::SteadyUtc utc_;
  SubjectCache subjects_;
  store::KnownRecords known_;
  bool presumed_ = false;  // of the transaction that is open: that some records are new
  int looked_up_ = 0;      // in so many transactions to come nothing is presumed
  const model::AlertRoutes* const routes_;
  bool boot_adopted_ = false;
  bool drop_caches_ = false;  // after the commit
  std::vector<Publication> publications_;  // of the transaction that is open
  std::optional<UnderWay> under_way_;
};

}  // namespace trialward::intake
