// A batch's transaction: it is begun, applied, and committed, or what became of it is found.
#include <algorithm>
#include <iterator>
#include <new>
#include <utility>

#include "base/log.h"
#include "intake/committer.h"
#include "intake/linked_original.h"
#include "store/boot_row.h"

namespace trialward::intake {

using base::Errc;
using base::Error;
using base::Status;
using model::Record;

namespace {

// Of a batch in a transaction that gave way to another.
constexpr int kRetries = 3;
// Transactions after one that met a record that is stored already: who sends some again is likely
// to send more.
constexpr int kLookedUp = 256;

// Of a transaction that was begun too early: it is made again.
Error given_way() { return {Errc::retry, "the transaction before did not end as expected"}; }

// Where even this takes too much memory, the counted refusals are all that is told.
void log_refusal(std::initializer_list<std::string_view> words) {
  try {
    std::string text = "intake: ";
    for (const std::string_view word : words) text += word;
    base::log_error(text);
  } catch (const std::bad_alloc&) {
  }
}

}  // namespace

Committer::Outcome Committer::commit(std::span<Submission> batch) {
  TW_CHECK(!under_way_);
  Outcome outcome;
  outcome.results.reserve(batch.size());  // so that no answer takes memory once it is stored
  commit_part(batch, outcome);
  TW_CHECK(outcome.results.size() == batch.size());
  return outcome;
}

void Committer::start(std::span<Submission> batch, const std::function<bool()>& more_waits,
                      Done done) {
  Outcome outcome;
  outcome.results.reserve(batch.size());
  if (batch.empty()) {
    finish();
  } else {
    commit_part(batch, outcome, &more_waits);
    if (under_way_) {
      under_way_->done = std::move(done);
      return;
    }
  }
  TW_CHECK(outcome.results.size() == batch.size());
  done(std::move(outcome));
}

void Committer::finish() {
  if (!under_way_ || !end_under_way()) return;
  writer_.rollback();  // nothing was made of it
  subjects_.rolled_back();
}

bool Committer::end_under_way() {
  UnderWay last = *std::exchange(under_way_, std::nullopt);
  Status ended = writer_.await_commit();
  last.outcome.commit += clock_.now() - last.sent;
  if (ended) {
    subjects_.committed();
    last.done(std::move(last.outcome));
    if (writer_.await_begin()) return true;
    subjects_.rolled_back();
    return false;
  }
  subjects_.rolled_back();
  last.outcome.publications.clear();
  last.outcome.results.clear();
  const bool presumed = std::exchange(presumed_, last.presumed);
  try {
    after_failure(std::move(ended), last.batch, last.outcome, nullptr);
  } catch (const std::bad_alloc&) {
    // Who has no result is told so.
  }
  presumed_ = presumed;
  last.done(std::move(last.outcome));
  return false;
}

Status Committer::notice_end(bool waits) {
  if (!under_way_ || !(waits || writer_.commit_has_ended()) || end_under_way()) return {};
  return given_way();
}

void Committer::commit_part(std::span<Submission> batch, Outcome& outcome,
                            MoreWaits more_waits) {
  if (batch.empty()) return;
  after_failure(try_commit(batch, outcome, more_waits), batch, outcome, more_waits);
}

void Committer::after_failure(Status done, std::span<Submission> batch, Outcome& outcome,
                              MoreWaits more_waits) {
  for (int again = 0; again < kRetries && !done && again_after(done.error()); ++again) {
    done = try_commit(batch, outcome, more_waits);
  }
  // One by itself once more, before it is blamed: a table may have been changed, and after a
  // failure what is known of it is asked for anew.
  if (!done && batch.size() == 1 && !writer_.is_of_store(done.error()) &&
      writer_.connection().is_postgres()) {
    done = try_commit(batch, outcome, more_waits);
  }
  if (done) return;
  if (writer_.failed()) {
    refuse_all(batch, "the store cannot be written", outcome);
  } else if (writer_.is_of_store(done.error()) || done.error().code == Errc::retry) {
    refuse_all(batch, "the database cannot be used now; try again", outcome);
    log_refusal({"a batch was not stored: ", done.error().message});
  } else if (done.error().code == Errc::refused) {
    // It is no submission's fault, and may be over by the time that they are sent again.
    subjects_.clear();
    writer_.connection().release_memory();
    refuse_all(batch, "the server is out of memory; try again", outcome);
    log_refusal({"a batch was not stored: ", done.error().message});
  } else if (batch.size() == 1) {
    outcome.results.push_back(SubmissionResult::refused_anyhow(
        Verdict::poison, "the store cannot take this submission: ", done.error().message));
    log_refusal({"a submission of '", batch.front().actor, "' cannot be stored: ",
                 done.error().message});
  } else {
    commit_part(batch.first(batch.size() / 2), outcome);
    commit_part(batch.subspan(batch.size() / 2), outcome);
  }
}

bool Committer::again_after(const Error& error) {
  if (error.code == Errc::conflict && presumed_) {
    looked_up_ = kLookedUp;
    return true;
  }
  return error.code == Errc::retry;
}

void Committer::refuse_all(std::span<Submission> batch, std::string_view reason,
                           Outcome& outcome) {
  for (std::size_t i = 0; i < batch.size(); ++i) {
    outcome.results.push_back(SubmissionResult::refused_anyhow(Verdict::unavailable, reason));
  }
}

Status Committer::begin(base::TimePoint now) {
  if (!boot_adopted_) {
    if (auto adopted = store::adopt_boot(writer_, clock_); !adopted) return adopted;
    boot_adopted_ = true;
  }
  publications_.clear();
  known_.forget();
  if (!under_way_) {
    if (auto begun = writer_.begin(); !begun) return begun;
  }
  writer_.set_steady_ms(store::waiting_ms(writer_.connection(), now, utc_));
  const auto foreign = writer_.take_foreign();
  return foreign ? subjects_.learn(writer_.connection(), *foreign) : Status();
}

Status Committer::apply_all(std::span<Submission> batch, std::vector<SubmissionResult>& results,
                            Outcome& outcome) {
  try {
    if (auto found = look_up(batch); !found) return found;
    // To look is to ask the system.
    constexpr std::size_t kLooksEvery = 8;
    constexpr base::Duration kLooksAfter = std::chrono::milliseconds(1);
    base::TimePoint looked = clock_.now();
    for (Submission& submission : batch) {
      // What asks the server would wait for it: then whoever waits for the answers has them first.
      const bool plain = submission.commands.size() == 1 &&
                         std::holds_alternative<AppendRecord>(submission.commands.front());
      const base::TimePoint now = clock_.now();
      if (!plain || results.size() % kLooksEvery == 0 || now - looked > kLooksAfter) {
        if (auto noticed = notice_end(!plain); !noticed) return noticed;
        looked = now;
      }
      auto applied = apply(submission);
      if (!applied) return applied.error();
      results.push_back(std::move(*applied));
    }
    outcome.publications.reserve(outcome.publications.size() + publications_.size());
    return subjects_.save(writer_.connection());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return Error{Errc::invalid, error.what()};
  }
}

Status Committer::look_up(std::span<const Submission> batch) {
  presumed_ = false;
  if (!writer_.connection().is_postgres()) return {};
  const bool presumes = looked_up_ == 0;
  if (!presumes) --looked_up_;
  std::vector<store::RecordKey> keys, presumed;
  for (const Submission& submission : batch) {
    const bool linked = has_links(submission);
    for (const Command& command : submission.commands) {
      const auto* append = std::get_if<AppendRecord>(&command);
      if (append == nullptr) continue;
      const Record& record = append->record;
      // What refers to others is stored twice, perhaps: then nothing may be found out in between.
      const bool plain = append->faults.empty() && record.amends == 0 && !linked;
      (presumes && plain ? presumed : keys)
          .push_back({submission.study->row, record.source, record.source_id});
      subjects_.expect(*submission.study, record.subject);
    }
  }
  if (auto noticed = notice_end(!keys.empty() || subjects_.expects()); !noticed) return noticed;
  if (auto found = known_.prefetch(writer_.connection(), keys); !found) return found;
  known_.presume_new(presumed);
  presumed_ = !presumed.empty();
  return subjects_.prefetch(writer_.connection());
}

Status Committer::try_commit(std::span<Submission> batch, Outcome& outcome,
                             MoreWaits more_waits) {
  base::TimePoint started = clock_.now();
  const base::Duration used = clock_.thread_cpu();
  std::vector<SubmissionResult> results;
  Status done;
  try {
    results.reserve(batch.size());
    done = begin(started);
    const base::TimePoint asked = std::exchange(started, clock_.now());
    outcome.commit += started - asked;  // it has waited for other nodes, perhaps
    if (done) done = apply_all(batch, results, outcome);
  } catch (const std::bad_alloc&) {
    done = Error{Errc::refused, "out of memory"};
  }
  outcome.work += clock_.now() - started;
  outcome.cpu += clock_.thread_cpu() - used;
  if (under_way_ && !end_under_way()) done = given_way();
  if (done) {
    try {
      done = send(batch, results, outcome, more_waits);
    } catch (const std::bad_alloc&) {
      done = Error{Errc::refused, "out of memory"};
    }
  }
  if (!done) {
    if (writer_.in_transaction()) writer_.rollback();
    subjects_.rolled_back();
  }
  return done;
}

Status Committer::send(std::span<Submission> batch, std::vector<SubmissionResult>& results,
                       Outcome& outcome, MoreWaits more_waits) {
  const base::TimePoint sent = clock_.now();
  bool ahead = more_waits != nullptr && !drop_caches_ && (*more_waits)();
  if (ahead) {
    auto may = writer_.may_send_commit();
    if (!may) return may.error();
    ahead = *may;
  }
  if (ahead) {
    auto awaited = writer_.send_commit();
    if (!awaited) return awaited.error();
    ahead = *awaited;
  } else if (auto done = writer_.commit(); !done) {
    outcome.commit += clock_.now() - sent;
    return done;
  }
  std::move(results.begin(), results.end(), std::back_inserter(outcome.results));
  std::move(publications_.begin(), publications_.end(),
            std::back_inserter(outcome.publications));
  if (ahead) {
    subjects_.sent();
    under_way_.emplace(UnderWay{batch, std::move(outcome), presumed_, sent, {}});
    return {};
  }
  outcome.commit += clock_.now() - sent;
  subjects_.committed();
  if (std::exchange(drop_caches_, false)) {
    subjects_.clear();
    writer_.connection().release_memory();
  }
  return {};
}

}  // namespace trialward::intake
