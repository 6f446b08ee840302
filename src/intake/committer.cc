#include "intake/committer.h"

#include <algorithm>
#include <new>

#include "base/log.h"
#include "intake/correction.h"
#include "intake/linked_original.h"
#include "intake/outbox_commands.h"
#include "intake/repeat.h"
#include "intake/signal_commands.h"
#include "intake/subscription_commands.h"
#include "intake/sync_commands.h"
#include "intake/token_commands.h"
#include "store/alert_rows.h"

namespace trialward::intake {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using model::Kind;
using model::Record;
using model::StoredRecord;

namespace {

SubmissionResult not_enrolled(const std::string& subject) {
  return SubmissionResult::refused(Verdict::not_found, "'" + subject + "' is not enrolled");
}

// Lends a submission's record to what is stored of it, which saves a copy. It comes back as it was:
// a batch that cannot be committed is tried again in parts.
class Loan {
 public:
  Loan(Record& owner, Record& borrower) : owner_(owner), borrower_(borrower), site_(owner.site) {
    if (owner.amends != 0) attributes_ = owner.attributes;
    borrower_ = std::move(owner_);
  }
  ~Loan() {
    borrower_.site = std::move(site_);
    if (attributes_) borrower_.attributes = *std::move(attributes_);
    owner_ = std::move(borrower_);
  }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

 private:
  Record& owner_;
  Record& borrower_;
  std::string site_;
  std::optional<decltype(Record::attributes)> attributes_;  // of a correction
};

// It stays so when the batch is tried again: the id is taken by what was there before it.
void rename(AppendRecord& command) {
  if (std::exchange(command.renamed, true)) return;
  command.record.source_id = command.otherwise;
}

}  // namespace

Committer::Applied Committer::apply(Submission& submission) {
  const bool linked = has_links(submission);
  if (submission.commands.size() == 1 && !linked) {
    return apply_command(submission, submission.commands[0]);
  }
  std::vector<std::int64_t> ids(submission.commands.size(), 0);
  bool missing = false;
  auto done = apply_part(submission, ids, missing);
  if (!done || !missing) return done;
  // What refers to later ones is stored once more, with the ids that came out: they do not hang on
  // what originals say, so that they are the same again.
  const std::vector<std::int64_t> expected = ids;
  done = apply_part(submission, ids, missing);
  if (done && (missing || ids != expected)) {
    return Error{Errc::invalid, "ids within a submission changed"};
  }
  return done;
}

Committer::Applied Committer::apply_part(Submission& submission, std::vector<std::int64_t>& ids,
                                         bool& missing) {
  missing = false;
  if (auto saved = subjects_.save(writer_.connection()); !saved) return saved.error();
  if (auto begun = writer_.begin_part(); !begun) return begun.error();
  subjects_.begin_part();
  known_.begin_part();
  const auto published = static_cast<std::ptrdiff_t>(publications_.size());
  SubmissionResult all;
  bool repeated = false, renamed = false;  // the record that parts belong to
  for (std::size_t i = 0; i < submission.commands.size(); ++i) {
    auto* append = std::get_if<AppendRecord>(&submission.commands[i]);
    if (append != nullptr && append->part && repeated) {
      all.results.push_back({.repeated = true});
      continue;
    }
    if (append != nullptr && append->part && renamed) rename(*append);
    const LinkedOriginal original(append, ids);
    if (append != nullptr) {
      missing |= std::any_of(append->links.begin(), append->links.end(),
                             [&ids](const OriginalLink& link) { return ids[link.command] == 0; });
    }
    auto one = apply_command(submission, submission.commands[i]);
    if (!one) return one;
    if (one->verdict != Verdict::stored) {
      missing = false;
      if (auto undone = take_back_part(published); !undone) return undone.error();
      for (model::Fault& fault : one->faults) fault.path = "/" + std::to_string(i) + fault.path;
      return one;
    }
    all.results.push_back(std::move(one->results.front()));
    ids[i] = all.results.back().id;
    if (append != nullptr && !append->part) {
      repeated = all.results.back().repeated;
      renamed = append->renamed;
    }
  }
  if (missing) {
    if (auto undone = take_back_part(published); !undone) return undone.error();
    return all;
  }
  if (auto ended = writer_.end_part(); !ended) return ended.error();
  return all;
}

Status Committer::take_back_part(std::ptrdiff_t published) {
  if (auto undone = writer_.rollback_part(); !undone) return undone;
  subjects_.rolled_back_part();
  known_.rolled_back_part();
  publications_.erase(publications_.begin() + published, publications_.end());
  return {};
}

Committer::Applied Committer::apply_command(const Submission& submission, Command& command) {
  if (auto* record = std::get_if<AppendRecord>(&command)) return append(submission, *record);
  if (std::holds_alternative<AcknowledgeAlert>(command) ||
      std::holds_alternative<ChangeAlert>(command) ||
      std::holds_alternative<EscalateAlert>(command)) {
    return change_alert(submission, command);
  }
  if (const auto* time = std::get_if<PassTime>(&command)) return pass_time(submission, *time);
  if (const auto* sync = std::get_if<SyncSubjects>(&command)) {
    return told(submission, apply_sync(writer_, submission, *sync));
  }
  if (const auto* signals = std::get_if<SignalSchedule>(&command)) {
    auto subject = subjects_.find(writer_.connection(), *submission.study, signals->subject);
    if (!subject) return subject.error();
    if (*subject == nullptr) return not_enrolled(signals->subject);
    return told(submission, apply_signals(writer_, submission, *signals,
                                          (*subject)->row.last_record));
  }
  if (std::holds_alternative<DropCaches>(command)) {
    drop_caches_ = true;
    return SubmissionResult::stored({});
  }
  if (std::holds_alternative<RecordAttempts>(command) ||
      std::holds_alternative<ChangeDelivery>(command) ||
      std::holds_alternative<PruneDeliveries>(command)) {
    return change_outbox(submission, command);
  }
  if (std::holds_alternative<WriteSubscription>(command) ||
      std::holds_alternative<MoveSubscriptions>(command)) {
    return apply_to_subscriptions(writer_, submission, command);
  }
  return apply_to_tokens(writer_, submission, command);
}

Committer::Applied Committer::append(const Submission& submission, AppendRecord& command) {
  Applied done = append_as_it_is(submission, command);
  const bool taken =
      done && done->other_content && !command.otherwise.empty() && !command.renamed;
  if (!taken) return done;
  rename(command);
  return append_as_it_is(submission, command);
}

Committer::Applied Committer::append_as_it_is(const Submission& submission,
                                              AppendRecord& command) {
  if (!command.faults.empty()) {
    return repeat_or_refuse(writer_.connection(), known_, submission, command);
  }
  const Record& record = command.record;
  const bool server = writer_.connection().is_postgres();
  auto enrolled = subjects_.find(writer_.connection(), *submission.study, record.subject);
  if (!enrolled) return enrolled.error();
  // Most records are new and change nothing but themselves: whether one is known is left to the
  // insert to find out, which saves a search. Others are looked up before anything is written.
  // With PostgreSQL an insert that fails ends the transaction: there it is presumed for the whole
  // batch (look_up), which is tried again if that was wrong.
  const bool plain = *enrolled != nullptr && record.amends == 0 &&
                     (!server || known_.presumed_new({submission.study->row, record.source,
                                                      record.source_id}));
  if (!plain) {
    auto repeated = repeat_if_known(writer_.connection(), known_, submission, command);
    if (!repeated) return repeated.error();
    if (*repeated) return std::move(**repeated);
  }
  SubmissionResult refusal;
  auto subject = subject_of(submission, record, *enrolled, refusal);
  if (!subject) return subject.error();
  Applied done = *subject != nullptr ? append_of(submission, **subject, command)
                                     : Applied(std::move(refusal));
  const bool taken = !done && done.error().code == Errc::conflict && !server;
  const bool refused = done && done->verdict != Verdict::stored;
  if (plain && (taken || refused)) {
    // A known record has its first answer, whatever has changed since.
    auto repeated = repeat_if_known(writer_.connection(), known_, submission, command);
    if (!repeated) return repeated.error();
    if (*repeated) return std::move(**repeated);
  }
  if (done && done->verdict == Verdict::stored) {
    known_.add({submission.study->row, record.source, record.source_id},
               {.id = done->results.front().id, .content = command.content});
  }
  return done;
}

Committer::Applied Committer::append_of(const Submission& submission, CachedSubject& subject,
                                        AppendRecord& command) {
  const ActiveStudy& study = *submission.study;
  StoredRecord stored;
  stored.flags = command.flags;
  stored.received_ms = submission.received_ms;
  stored.actor = submission.actor;
  stored.definition = study.definition;
  const Loan loan(command.record, stored.record);
  const Record& record = stored.record;
  stored.shard = model::shard_of(study.study->id, record.subject);
  stored.record.site = subject.row.site;
  if (!record.effective.empty()) {
    const model::Site* site = study.study->site(subject.row.site);
    auto interval =
        model::resolve_effective(record.effective, site != nullptr ? site->time_zone : "UTC");
    if (!interval) return interval.error();  // the text was checked before: it is the zone
    stored.interval = *interval;
  }
  if (record.amends != 0) {
    SubmissionResult refusal;
    auto placed =
        place_correction(writer_.connection(), submission, subject.row.id, stored, refusal);
    if (!placed) return placed.error();
    if (!refusal.faults.empty()) return refusal;
  }
  stored.id = writer_.next_id(store::Table::records);
  stored.position = writer_.next_position(stored.shard);
  const store::RecordLinks links{.study = study.row,
                                 .subject = subject.row.id,
                                 .previous = subject.row.last_record,
                                 .content = command.content};
  if (auto done = store::append_record(writer_, stored, links); !done) return done.error();
  subject.stored(stored.id);

  CommandResult result{.id = stored.id, .flags = stored.flags};
  if (auto done = watch(submission, subject, stored, result); !done) return done.error();
  return SubmissionResult::stored(std::move(result));
}

Result<CachedSubject*> Committer::subject_of(const Submission& submission, const Record& record,
                                             CachedSubject* enrolled, SubmissionResult& refusal) {
  const auto refuse = [&](std::string path, std::string reason) {
    refusal = SubmissionResult::refused(Verdict::invalid, std::move(reason), std::move(path));
    return static_cast<CachedSubject*>(nullptr);
  };
  const auto foreign = [&](const std::string& site) {
    if (submission.site.empty() || site == submission.site) return false;
    refusal = SubmissionResult::refused(
        Verdict::forbidden, "subject '" + record.subject + "' is of another site", "/subject");
    return true;
  };
  const ActiveStudy& study = *submission.study;
  if (enrolled != nullptr) {
    const std::string& site = enrolled->row.site;
    if (foreign(site)) return static_cast<CachedSubject*>(nullptr);
    if (record.site.empty() || record.site == site) return enrolled;
    return refuse("/site", "subject '" + record.subject + "' is of site '" + site + "', not '" +
                               record.site + "'");
  }
  if (record.kind != Kind::demographics && !study.study->enrol_by_first_record) {
    return refuse("/subject", "'" + record.subject +
                                  "' is not enrolled; a demographics record comes first");
  }
  if (record.amends != 0) {
    return refuse("/amends", "'" + record.subject + "' is not enrolled: there is nothing to amend");
  }
  const std::string& site = record.site.empty() ? study.study->default_site : record.site;
  if (site.empty()) {
    return refuse("/site", "the record enrols '" + record.subject + "' and must name its site");
  }
  if (foreign(site)) return static_cast<CachedSubject*>(nullptr);
  const store::Act act{.actor = submission.actor,
                       .action = "subject.enrolled",
                       .at_ms = submission.received_ms};
  const store::NewSubject newcomer{
      .study = study.row,
      .subject = record.subject,
      .site = site,
      .shard = model::shard_of(study.study->id, record.subject)};
  auto id = store::append_subject(writer_, newcomer, act);
  if (!id) return id.error();
  return subjects_.add(study, record.subject, {.id = *id, .site = site});
}

Status Committer::watch(const Submission& submission, CachedSubject& subject,
                        const StoredRecord& stored, CommandResult& result) {
  static const model::RuleInfo kFailure{.id = std::string(kRuleFailed),
                                        .title = "A rule failed on a record; see the log",
                                        .severity = model::AlertSeverity::critical};
  model::Observation found;
  try {
    found = subject.watch->observe(stored);
  } catch (const std::bad_alloc&) {
    throw;  // no fault of a rule: the transaction is taken back
  } catch (const std::exception& error) {
    base::log_error("intake: a rule failed on record " + std::to_string(stored.id) + ": " +
                    error.what());
    auto place = place_of(submission, subject, stored.shard);
    place.historical = Occasion::of(stored).historical;
    auto raised =
        raise_one(submission, place, kFailure, {.causes = {stored.id}}, &stored, result);
    if (!raised) return raised.error();
  }
  auto done = raise(submission, subject, stored, found, result);
  if (!done) return done;
  return revise(submission, subject, stored, found.ended);
}

Committer::Applied Committer::pass_time(const Submission& submission, const PassTime& command) {
  const ActiveStudy& study = *submission.study;
  auto found = subjects_.find(writer_.connection(), study, command.subject);
  if (!found) return found.error();
  if (*found == nullptr) return not_enrolled(command.subject);
  CachedSubject& subject = **found;
  CommandResult result;
  if (command.utc_ms <= subject.passed_ms) return SubmissionResult::stored(std::move(result));
  const int shard = model::shard_of(study.study->id, command.subject);
  const store::Act act{
      .actor = submission.actor, .action = "subject.waited", .at_ms = submission.received_ms};
  auto passed = store::append_pass(
      writer_, {.subject = subject.row.id, .utc_ms = command.utc_ms, .shard = shard}, act);
  if (!passed) return passed.error();
  auto overdue =
      sort_overdue(writer_.connection(), subject.watch->pass(command.utc_ms).matches);
  if (!overdue) return overdue.error();
  subject.passed_ms = command.utc_ms;
  auto place = place_of(submission, subject, shard);
  for (const Overdue& one : *overdue) {
    place.historical = one.historical;
    if (auto done = raise_again(submission, place, one.match, nullptr, result); !done) {
      return done.error();
    }
  }
  return SubmissionResult::stored(std::move(result));
}

Committer::Applied Committer::change_alert(const Submission& submission, const Command& command) {
  auto done = apply_to_alert(writer_, submission, command);
  if (!done) return refusal_of(done.error());
  return told(submission, std::move(done));
}

Committer::Applied Committer::change_outbox(const Submission& submission,
                                            const Command& command) {
  auto done = apply_to_outbox(writer_, submission, command);
  if (!done) return done.error();
  for (const Arrival& arrival : done->arrivals) {
    const Submission of{.study = arrival.study,
                        .actor = submission.actor,
                        .received_ms = submission.received_ms,
                        .received = submission.received};
    if (auto published = publish(of, arrival.event); !published) return published.error();
  }
  return std::move(done->result);
}

Committer::Applied Committer::told(const Submission& submission, Result<AlertOutcome> done) {
  if (!done) return done.error();
  for (const std::int64_t number : done->events) {
    if (auto published = publish(submission, number); !published) return published.error();
  }
  return std::move(done->result);
}

}  // namespace trialward::intake
