#include "intake/due_sweep.h"

#include <map>
#include <mutex>
#include <set>

#include "base/log.h"
#include "store/stopped_by.h"

namespace trialward::intake {

namespace {

constexpr const char* kActor = "monitor";
constexpr std::size_t kBytes = 256;  // that a submission counts for in the queue

}  // namespace

struct DueSweep::UnderWay {
  mutable std::mutex mutex;
  std::set<std::string> subjects;  // by study and subject
  // Studies of whose subjects one was not read, since when: it has to be found again.
  std::map<std::int64_t, base::TimePoint> missed;
};

DueSweep::DueSweep(Intake& intake, const base::Clock& clock,
                   std::unique_ptr<store::Connection> reader,
                   std::vector<std::shared_ptr<const ActiveStudy>> studies)
    : intake_(intake),
      clock_(clock),
      utc_(clock),
      reader_(std::move(reader)),
      under_way_(std::make_shared<UnderWay>()) {
  for (auto& study : studies) {
    if (study->monitor->waits()) waiting_.push_back({.study = std::move(study)});
  }
}

std::size_t DueSweep::under_way() const {
  const std::lock_guard lock(under_way_->mutex);
  return under_way_->subjects.size();
}

base::Status DueSweep::run(const runtime::Cancel& cancel) {
  const store::StoppedBy stopping(cancel, *reader_);
  for (Waiting& waiting : waiting_) {
    if (cancel.fired() || intake_.failed()) return {};
    if (auto done = run(waiting); !done) return done;
  }
  return {};
}

base::Status DueSweep::run(Waiting& waiting) {
  const ActiveStudy& study = *waiting.study;
  const std::int64_t utc_ms = utc_.now_ms();
  auto due = store::subjects_due(*reader_, study.row, utc_ms, kUnderWayMax);
  if (!due) return due.error();
  for (std::string& subject : *due) {
    if (!submit(waiting, std::move(subject), utc_ms)) return {};
  }
  {
    const std::lock_guard lock(under_way_->mutex);
    const auto missed = under_way_->missed.find(study.row);
    if (missed != under_way_->missed.end() && clock_.now() - missed->second >= kAgainAfter) {
      under_way_->missed.erase(missed);
      waiting.all_known = false;
      waiting.known = 0;
    }
  }
  if (waiting.all_known) return {};
  // Subjects from before the study had these rules; nothing passes for them but that they are read.
  std::int64_t known = waiting.known;
  auto unknown = store::subjects_not_waited_for(*reader_, study.row, study.monitor->hash(), known,
                                                kUnderWayMax / 2);
  if (!unknown) return unknown.error();
  waiting.all_known = unknown->empty();
  for (std::string& subject : *unknown) {
    if (!submit(waiting, std::move(subject), 0)) return {};
  }
  waiting.known = known;
  return {};
}

bool DueSweep::submit(const Waiting& waiting, std::string subject, std::int64_t utc_ms) {
  const std::string key = std::to_string(waiting.study->row) + '/' + subject;
  {
    const std::lock_guard lock(under_way_->mutex);
    if (under_way_->subjects.size() >= kUnderWayMax) return false;
    if (!under_way_->subjects.insert(key).second) return true;
  }
  const auto end = [clock = &clock_, under_way = under_way_, key,
                    study = waiting.study->row](bool stored) {
    const std::lock_guard lock(under_way->mutex);
    under_way->subjects.erase(key);
    if (!stored) under_way->missed.emplace(study, clock->now());
  };
  auto ticket = intake_.admit(Lane::safety, kBytes);
  if (!ticket) {
    end(true);  // the caller has not counted it
    return false;
  }
  Submission submission{.study = waiting.study,
                        .actor = kActor,
                        .received_ms = clock_.utc_ms(),
                        .received = clock_.now()};
  submission.commands.emplace_back(PassTime{std::move(subject), utc_ms});
  intake_.submit(std::move(*ticket), std::move(submission), runtime::kForever,
                 [end, key](const SubmissionResult& result) {
                   if (result.verdict != Verdict::stored) {
                     base::log_warning("what is overdue of " + key + " was not found: " +
                                       std::string(to_string(result.verdict)));
                   }
                   end(result.verdict == Verdict::stored);
                 });
  return true;
}

}  // namespace trialward::intake
