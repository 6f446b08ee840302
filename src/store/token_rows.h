// The rows of tokens. The token itself is never stored: only its SHA-256.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "store/writer.h"

namespace trialward::store {

struct TokenRow {
  std::int64_t id = 0;
  base::Digest hash{};
  std::string name, role;
  std::int64_t study = 0;  // the study's row
  std::string site;        // empty: every site
  std::string subject;     // of a patient's token
  std::string source;      // empty: any source of the study
  bool unblinded = false;
  std::int64_t created_ms = 0;
  std::optional<std::int64_t> expires_ms;
  bool revoked = false;
};

// Inside a transaction. The id in `row` is set.
base::Status append_token(Writer& writer, TokenRow& row, const Act& act);
// Errors: not_found; conflict when it is revoked already.
base::Status revoke_token(Writer& writer, std::int64_t token, const Act& act);

// Whether a token of the row's study, revoked or not, has its role and name.
base::Result<bool> token_name_taken(Connection& connection, const TokenRow& row);

// Every token with an id above `after`.
base::Result<std::vector<TokenRow>> read_tokens(Connection& connection, std::int64_t after);

// Those of a study, by id, a page at a time.
struct TokenPage {
  std::int64_t study = 0;  // its row
  std::string_view site;   // empty: of every site and of none
  std::int64_t after = 0;
  std::int64_t limit = 0;
};
base::Result<std::vector<TokenRow>> read_tokens(Connection& connection, const TokenPage& page);

}  // namespace trialward::store
