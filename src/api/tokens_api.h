// The routes of tokens. A token is shown once, in the answer to its creation.
#pragma once

#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "base/random.h"
#include "intake/intake.h"

namespace trialward::api {

// What a token shall be, as {"role","name","site","subject","source","unblinded","expires_days"};
// checked against the study.
base::Result<store::TokenRow, model::Faults> parse_token_wish(std::string_view json,
                                                              const intake::ActiveStudy& study,
                                                              std::int64_t now_ms);

// What is known of a token, revoked or not, as JSON; never the token itself.
std::string token_json(const store::TokenRow& row);

class TokensApi {
 public:
  TokensApi(intake::Intake& intake, ReadPool& reads, Exports& exports, TokenTable& tokens,
            base::Random& random, const base::Clock& clock)
      : intake_(intake),
        reads_(reads),
        exports_(exports),
        tokens_(tokens),
        random_(random),
        clock_(clock) {}

  // GET /v1/studies/{study}/tokens: ?after=, ?limit=; as lines all, else a page
  http::Decision list(const Call& call);
  // POST /v1/studies/{study}/tokens
  http::Decision create(const Call& call);
  // DELETE /v1/studies/{study}/tokens/{token}
  http::Decision revoke(const Call& call);
  // GET /v1/token: what the bearer's own token may do
  http::Decision describe(const Call& call, const Studies& studies);

 private:
  using Done = std::function<http::Response(const intake::SubmissionResult&)>;
  void submit(intake::Intake::Ticket ticket, const Principal& principal, const StudyPointer& study,
              intake::Command command, std::shared_ptr<http::Exchange> exchange, Done done);

  intake::Intake& intake_;
  ReadPool& reads_;
  Exports& exports_;
  TokenTable& tokens_;
  base::Random& random_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
