// Every token of the store, in memory. A revocation by this process counts from the moment that it
// is committed; one by another node that shares the store, once that is heard of. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "api/principal.h"
#include "base/random.h"
#include "store/token_rows.h"

namespace trialward::api {

// A new token: 256 random bits as "tw_" and 43 characters of base64url. Its row gets the hash.
std::string make_token(base::Random& random, store::TokenRow& row);

class TokenTable {
 public:
  // Also what has come since it was last loaded. Error: corrupt, when a row has a role that is not
  // known.
  base::Status load(store::Connection& connection);
  base::Status add(const store::TokenRow& row);
  void revoke(std::int64_t token);
  // Nothing when it is unknown, revoked or expired. Shared: requests outlive a revocation.
  std::shared_ptr<const Principal> find(std::string_view token, std::int64_t now_ms) const;
  // Whether what was asked with it may still go on: it was neither revoked, nor has it expired.
  bool admits(const Principal& principal, std::int64_t now_ms) const;
  // Whose a token is; null when there is no such one, or it was revoked.
  std::shared_ptr<const Principal> holder(std::int64_t token) const;
  // Whether it is known as revoked: one that this node has not heard of is not.
  bool revoked(std::int64_t token) const;

 private:
  mutable std::mutex mutex_;
  std::map<base::Digest, std::shared_ptr<const Principal>> by_hash_;
  std::map<std::int64_t, base::Digest> by_id_;
  std::set<std::int64_t> revoked_;  // whoever read it before that shall not bring it back
};

}  // namespace trialward::api
