#include "api/subscription_feeds.h"

#include "runtime/wait.h"

namespace trialward::api {

bool SubscriptionLedger::move(const std::vector<store::SubscriptionMove>& moves,
                              std::function<void(bool stored)> done) {
  constexpr std::size_t kMoveBytes = 256;  // about
  if (intake_.failed()) return false;
  // Not urgent, but no overload by others may keep them from being written down
  // (docs/decisions/018).
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

void SubscriptionFeeds::open(Parts parts) {
  delivery::SubscriptionsOptions options;
  options.on_duty = std::move(parts.on_duty);
  options.token = [this](std::int64_t token) {
    using delivery::TokenState;
    if (token == 0) return TokenState::valid;  // the server's own machine
    if (const auto holder = tokens_.holder(token)) {
      return holder->expired(clock_.utc_ms()) ? TokenState::gone : TokenState::valid;
    }
    // Another node may have made it, of which this one has not heard yet.
    return tokens_.revoked(token) ? TokenState::gone : TokenState::unknown;
  };
  feeds_ = std::make_unique<delivery::Subscriptions>(
      delivery::Subscriptions::Parts{.targets = parts.targets,
                                     .outbound = parts.outbound,
                                     .ledger = ledger_,
                                     .form = form_,
                                     .random = parts.random,
                                     .tasks = parts.tasks},
      std::move(options), std::move(parts.reader));
}

void SubscriptionFeeds::start() {
  if (feeds_ != nullptr) feeds_->start();
}

void SubscriptionFeeds::stop(base::Duration grace) {
  if (feeds_ != nullptr) feeds_->stop(grace);
}

void SubscriptionFeeds::wake(bool again) {
  if (feeds_ == nullptr) return;
  again ? feeds_->look_again() : feeds_->wake();
}

delivery::SubscriptionsReport SubscriptionFeeds::report() const {
  return feeds_ != nullptr ? feeds_->report() : delivery::SubscriptionsReport();
}

}  // namespace trialward::api
