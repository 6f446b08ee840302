#include "store/token_rows.h"

#include <array>
#include <cstring>

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr int kTokenShard = 0;  // tokens belong to no subject's chain

// In the order in which read_all() takes them.
constexpr const char* kSelectToken =
    "SELECT t.id, t.hash, t.name, t.role, t.study, t.site, t.subject, t.source, t.unblinded, "
    "t.created_ms, t.expires_ms, r.id FROM tokens t "
    "LEFT JOIN token_revocations r ON r.token = t.id ";

Result<std::vector<TokenRow>> read_all(Query& rows) {
  std::vector<TokenRow> tokens;
  while (true) {
    auto found = rows.next();
    if (!found) return found.error();
    if (!*found) return tokens;
    TokenRow row;
    row.id = rows.integer(0);
    const std::string_view hash = rows.blob(1);
    if (hash.size() != row.hash.size()) {
      return Error{Errc::corrupt, "token " + std::to_string(row.id) + " is damaged"};
    }
    std::memcpy(row.hash.data(), hash.data(), hash.size());
    row.name = std::string(rows.text(2));
    row.role = std::string(rows.text(3));
    row.study = rows.integer(4);
    row.site = std::string(rows.text(5));
    row.subject = std::string(rows.text(6));
    row.source = std::string(rows.text(7));
    row.unblinded = rows.integer(8) != 0;
    row.created_ms = rows.integer(9);
    if (!rows.null(10)) row.expires_ms = rows.integer(10);
    row.revoked = !rows.null(11);
    tokens.push_back(std::move(row));
  }
}

}  // namespace

Status append_token(Writer& writer, TokenRow& row, const Act& act) {
  row.id = writer.next_id(Table::tokens);
  const std::array<SqlValue, 11> values = {
      row.id,
      Blob{base::as_bytes(row.hash)},
      std::string_view(row.name),
      std::string_view(row.role),
      row.study,
      text_or_null(row.site),
      text_or_null(row.subject),
      text_or_null(row.source),
      std::int64_t{row.unblinded},
      row.created_ms,
      row.expires_ms ? SqlValue{*row.expires_ms} : SqlValue{},
  };
  return writer.append(Table::tokens, kTokenShard, act, values);
}

Status revoke_token(Writer& writer, std::int64_t token, const Act& act) {
  Connection& connection = writer.connection();
  auto exists = connection.integer("SELECT 1 FROM tokens WHERE id = $1", {token});
  if (!exists) {
    if (exists.error().code != Errc::not_found) return exists.error();
    return Error{Errc::not_found, "there is no token " + std::to_string(token)};
  }
  auto revoked = connection.integer("SELECT 1 FROM token_revocations WHERE token = $1", {token});
  if (revoked) {
    return Error{Errc::conflict, "token " + std::to_string(token) + " is revoked already"};
  }
  if (revoked.error().code != Errc::not_found) return revoked.error();
  const std::array<SqlValue, 3> values = {writer.next_id(Table::token_revocations), token,
                                          act.at_ms};
  return writer.append(Table::token_revocations, kTokenShard, act, values);
}

Result<bool> token_name_taken(Connection& connection, const TokenRow& row) {
  auto found =
      connection.integer("SELECT count(*) FROM tokens WHERE study = $1 AND role = $2 AND name = $3",
                         {row.study, std::string_view(row.role), std::string_view(row.name)});
  if (!found) return found.error();
  return *found > 0;
}

Result<std::vector<TokenRow>> read_tokens(Connection& connection, std::int64_t after) {
  static const std::string kSql = std::string(kSelectToken) + "WHERE t.id > $1 ORDER BY t.id";
  auto rows = connection.query(kSql, {after});
  if (!rows) return rows.error();
  return read_all(*rows);
}

Result<std::vector<TokenRow>> read_tokens(Connection& connection, const TokenPage& page) {
  static const std::string kSql =
      std::string(kSelectToken) +
      "WHERE t.id > $1 AND t.study = $2 AND ($3 = '' OR t.site = $3) ORDER BY t.id LIMIT $4";
  auto rows = connection.query(kSql, {page.after, page.study, page.site, page.limit});
  if (!rows) return rows.error();
  return read_all(*rows);
}

}  // namespace trialward::store
