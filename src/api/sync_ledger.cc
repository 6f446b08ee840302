#include "api/sync_ledger.h"

#include "runtime/wait.h"

namespace trialward::api {
namespace {

constexpr std::size_t kSubjectBytes = 512;  // about

}  // namespace

bool SyncLedger::store(std::vector<store::SubjectSync> subjects,
                       std::optional<store::SyncMark> mark,
                       std::function<void(bool stored)> done) {
  if (intake_.failed()) return false;
  auto ticket = intake_.admit(intake::Lane::bulk, (1 + subjects.size()) * kSubjectBytes);
  if (!ticket) return false;
  intake::Submission submission{.study = study_,
                                .actor = actor_,
                                .received_ms = clock_.utc_ms(),
                                .received = clock_.now()};
  submission.commands.emplace_back(
      intake::SyncSubjects{.subjects = std::move(subjects), .mark = std::move(mark)});
  intake_.submit(std::move(*ticket), std::move(submission), runtime::kForever,
                 [done = std::move(done)](const intake::SubmissionResult& result) {
                   done(result.verdict == intake::Verdict::stored);
                 });
  return true;
}

}  // namespace trialward::api
