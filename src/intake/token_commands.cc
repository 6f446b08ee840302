#include "intake/token_commands.h"

namespace trialward::intake {

base::Result<SubmissionResult> apply_to_tokens(store::Writer& writer, const Submission& submission,
                                               const Command& command) {
  store::Act act{.actor = submission.actor, .at_ms = submission.received_ms};
  if (const auto* create = std::get_if<CreateToken>(&command)) {
    act.action = "token.created";
    store::TokenRow row = create->token;
    if (!create->name_may_recur && !row.name.empty()) {
      auto taken = store::token_name_taken(writer.connection(), row);
      if (!taken) return taken.error();
      if (*taken) {
        return SubmissionResult::refused(
            Verdict::conflict, "the study has, or had, a token of this role and name", "/name");
      }
    }
    if (auto done = store::append_token(writer, row, act); !done) return refusal_of(done.error());
    return SubmissionResult::stored({.id = row.id});
  }
  act.action = "token.revoked";
  const std::int64_t token = std::get<RevokeToken>(command).token;
  if (auto done = store::revoke_token(writer, token, act); !done) return refusal_of(done.error());
  return SubmissionResult::stored({.id = token});
}

}  // namespace trialward::intake
