#include "api/subscription_ledger.h"

#include <optional>

#include "runtime/wait.h"

namespace trialward::api {

bool SubscriptionLedger::move(const std::vector<store::SubscriptionMove>& moves,
                              std::function<void(bool stored)> done) {
  constexpr std::size_t kMoveBytes = 256;  // about
  if (intake_.failed()) return false;
  // Like outcomes of deliveries (docs/decisions/018): not urgent, but no overload by others may
  // keep them from being written down.
  auto ticket = intake_.admit(intake::Lane::live, moves.size() * kMoveBytes);
  if (!ticket) ticket = intake_.admit(intake::Lane::safety, moves.size() * kMoveBytes);
  if (!ticket) return false;
  intake::Submission submission{
      .actor = "delivery", .received_ms = clock_.utc_ms(), .received = clock_.now()};
  submission.commands.emplace_back(intake::MoveSubscriptions{moves});
  intake_.submit(std::move(*ticket), std::move(submission), runtime::kForever,
                 [done = std::move(done)](const intake::SubmissionResult& result) {
                   done(result.verdict == intake::Verdict::stored);
                 });
  return true;
}

}  // namespace trialward::api
