// Reading the audit trail by what it is about. An entry has no study of its own: it is that of the
// row that the entry names, which is found by its primary key. The trail has no index but that on
// seq, and gets none, as each record written would pay for it: who reads bounds how many entries
// are looked at.
// Errors: those of the store.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "store/connection.h"
#include "store/schema.h"

namespace trialward::store {

// An entry, and what of the row that it is about tells what that is.
struct AuditRow {
  std::int64_t seq = 0, position = 0, at_ms = 0, object = 0;
  int shard = 0;
  std::string actor, action, table, reason;
  base::Digest hash{};
  std::int64_t alert = 0;     // 0: it is about none
  std::string subject, site;  // empty: it is about none
  std::string name, role;     // of a token; of a delivery the target is its name
  std::string rule;           // of an alert
};

inline constexpr std::size_t kAuditActionsMax = 40;

// Which entries: those of a study with from <= seq <= until, up to `limit`, in the order of seq.
// What is empty, 0 or nothing does not narrow.
struct AuditPage {
  std::int64_t study = 0;
  std::int64_t from = 1, until = 0;
  bool newest_first = true;
  std::size_t limit = 100;
  std::optional<std::array<std::string_view, kAuditActionsMax>> actions;  // the rest is empty
  std::string actor;  // how the actor's name begins, in lower case
  std::int64_t after_ms = std::numeric_limits<std::int64_t>::min();  // after_ms <= at_ms
  std::int64_t until_ms = std::numeric_limits<std::int64_t>::max();  // at_ms < until_ms
  std::int64_t subject = 0;                                          // the subject's row
  std::string site, source;  // of a source are records alone
};
base::Result<std::vector<AuditRow>> read_audit(Connection& connection, const AuditPage& page);

// The newest entry; 0 in a store without any.
base::Result<std::int64_t> last_audit(Connection& connection);

// The entry about a row of a table. Rows are numbered in the order of their entries, so that it is
// found by halving: some dozens of statements, but for a long run of entries without one about the
// table, which is read. Nothing when there is no such row.
base::Result<std::optional<std::int64_t>> audit_of(Connection& connection, Table table,
                                                   std::int64_t object);

// What the trail has about an alert: the alert's own row, its events, their details, and what
// became of their deliveries; at most `limit` of each, in the order of their coming.
struct AuditedRow {
  Table table = Table::alerts;
  std::int64_t id = 0;
};
base::Result<std::vector<AuditedRow>> audited_of_alert(Connection& connection, std::int64_t alert,
                                                       std::size_t limit);

}  // namespace trialward::store
