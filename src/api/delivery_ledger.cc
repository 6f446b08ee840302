#include "api/delivery_ledger.h"

#include "base/log.h"
#include "runtime/wait.h"

namespace trialward::api {
namespace {

constexpr std::size_t kAttemptBytes = 512;  // about

}  // namespace

bool DeliveryLedger::submit(intake::Lane lane, std::size_t bytes, intake::Command command,
                            intake::Intake::Done done) {
  if (intake_.failed()) return false;
  auto ticket = intake_.admit(lane, bytes);
  if (!ticket) return false;
  intake::Submission submission{
      .actor = "delivery", .received_ms = clock_.utc_ms(), .received = clock_.now()};
  submission.commands.push_back(std::move(command));
  intake_.submit(std::move(*ticket), std::move(submission), runtime::kForever, std::move(done));
  return true;
}

bool DeliveryLedger::record(const std::vector<store::DeliveryAttempt>& attempts,
                            std::function<void(bool stored)> done) {
  intake::RecordAttempts command{.attempts = attempts};
  for (const auto& [id, study] : studies_) command.studies.push_back(study);
  const std::size_t bytes = attempts.size() * kAttemptBytes;
  const auto answer = [done = std::move(done)](const intake::SubmissionResult& result) {
    done(result.verdict == intake::Verdict::stored);
  };
  // They are not urgent: what is shortens the batches of all others. But no overload by others may
  // keep them from being written down, for a subject's next event waits for that.
  return submit(intake::Lane::live, bytes, command, answer) ||
         submit(intake::Lane::safety, bytes, std::move(command), answer);
}

bool DeliveryLedger::prune(std::int64_t before_ms, std::int64_t limit,
                           std::function<void(std::int64_t rows)> done) {
  return submit(intake::Lane::bulk, 0, intake::PruneDeliveries{before_ms, limit},
                [done = std::move(done)](const intake::SubmissionResult& result) {
                  done(result.verdict == intake::Verdict::stored ? result.results.front().id : -1);
                });
}

base::Status warn_of_outbox(store::Connection& connection) {
  auto counts = store::count_deliveries(connection);
  if (!counts) return counts.error();
  for (const store::DeliveryCounts& count : *counts) {
    if (count.pending == 0) continue;
    base::log_warning("delivery: " + std::to_string(count.pending) + " alert events wait for '" +
                      count.target + "', and this server has no targets");
  }
  auto subscriptions = connection.integer(
      "SELECT count(*) FROM subscription_states WHERE status <> 'off'", {});
  if (!subscriptions) return subscriptions.error();
  if (*subscriptions > 0) {
    base::log_warning("delivery: nothing is sent for " + std::to_string(*subscriptions) +
                      " subscriptions, as this server has no targets");
  }
  return {};
}

}  // namespace trialward::api
