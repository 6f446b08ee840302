#include "intake/subscription_commands.h"

namespace trialward::intake {

base::Result<SubmissionResult> apply_to_subscriptions(store::Writer& writer,
                                                      const Submission& submission,
                                                      const Command& command) {
  if (const auto* move = std::get_if<MoveSubscriptions>(&command)) {
    if (auto done = store::move_subscriptions(writer, move->moves); !done) return done.error();
    return SubmissionResult::stored({});
  }
  const auto& write = std::get<WriteSubscription>(command);
  store::Subscription subscription = write.subscription;
  subscription.study = submission.study->row;
  store::Act act{.actor = submission.actor, .at_ms = submission.received_ms};
  base::Status done;
  switch (write.deed) {
    case WriteSubscription::Deed::create:
      act.action = "subscription.created";
      done = store::append_subscription(writer, subscription, act);
      break;
    case WriteSubscription::Deed::amend:
      act.action = "subscription.changed";
      done = store::amend_subscription(writer, subscription, write.before, act);
      break;
    case WriteSubscription::Deed::remove:
      act.action = "subscription.deleted";
      done = store::delete_subscription(writer, subscription.study, subscription.id,
                                        subscription.token, act);
      break;
  }
  if (!done) return refusal_of(done.error());
  return SubmissionResult::stored({.id = subscription.id, .version = subscription.version});
}

}  // namespace trialward::intake
