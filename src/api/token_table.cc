#include "api/token_table.h"

#include <array>

namespace trialward::api {

using base::Errc;
using base::Error;
using base::Status;

std::string make_token(base::Random& random, store::TokenRow& row) {
  static constexpr char kAlphabet[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::array<std::byte, 32> bits;
  random.fill(bits);
  std::string token = "tw_";
  unsigned held = 0;
  int held_bits = 0;
  for (const std::byte byte : bits) {
    held = (held << 8) | std::to_integer<unsigned>(byte);
    held_bits += 8;
    while (held_bits >= 6) {
      held_bits -= 6;
      token.push_back(kAlphabet[(held >> held_bits) & 63]);
    }
  }
  token.push_back(kAlphabet[(held << (6 - held_bits)) & 63]);
  row.hash = base::sha256(token);
  return token;
}

Status TokenTable::load(store::Connection& connection) {
  auto rows = store::read_tokens(connection, 0);
  if (!rows) return rows.error();
  for (const store::TokenRow& row : *rows) {
    if (row.revoked) {
      revoke(row.id);
      continue;
    }
    if (auto added = add(row); !added) return added;
  }
  return {};
}

Status TokenTable::add(const store::TokenRow& row) {
  const auto role = parse_role(row.role);
  if (!role) {
    return Error{Errc::corrupt, "token " + std::to_string(row.id) + " has the unknown role '" +
                                    row.role + "'"};
  }
  auto principal = std::make_shared<Principal>();
  principal->token = row.id;
  principal->name = row.role + ":" + (row.name.empty() ? std::to_string(row.id) : row.name);
  principal->role = *role;
  principal->study = row.study;
  principal->site = row.site;
  principal->subject = row.subject;
  principal->source = row.source;
  principal->unblinded = row.unblinded;
  principal->expires_ms = row.expires_ms;
  const std::lock_guard lock(mutex_);
  if (revoked_.contains(row.id)) return {};
  by_hash_[row.hash] = std::move(principal);
  by_id_[row.id] = row.hash;
  return {};
}

void TokenTable::revoke(std::int64_t token) {
  const std::lock_guard lock(mutex_);
  revoked_.insert(token);
  const auto found = by_id_.find(token);
  if (found == by_id_.end()) return;
  by_hash_.erase(found->second);
  by_id_.erase(found);
}

std::shared_ptr<const Principal> TokenTable::find(std::string_view token,
                                                  std::int64_t now_ms) const {
  // Looking the hash up leaks nothing of the token by its timing.
  const base::Digest hash = base::sha256(token);
  const std::lock_guard lock(mutex_);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end()) return nullptr;
  return found->second->expired(now_ms) ? nullptr : found->second;
}

bool TokenTable::admits(const Principal& principal, std::int64_t now_ms) const {
  if (principal.token == 0) return true;
  if (principal.expired(now_ms)) return false;
  const std::lock_guard lock(mutex_);
  return by_id_.contains(principal.token);
}

std::shared_ptr<const Principal> TokenTable::holder(std::int64_t token) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_id_.find(token);
  return found == by_id_.end() ? nullptr : by_hash_.at(found->second);
}

bool TokenTable::revoked(std::int64_t token) const {
  const std::lock_guard lock(mutex_);
  return revoked_.contains(token);
}

}  // namespace trialward::api
