#include "store/postgres_durability.h"

#include <array>

namespace trialward::store {

using base::Errc;
using base::Error;

base::Result<std::string> postgres_durability(Connection& connection, const std::string& name) {
  auto rows = connection.query(
      "SELECT current_setting('synchronous_commit'), current_setting('fsync'), "
      "current_setting('full_page_writes'), current_setting('synchronous_standby_names'), "
      "(SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')), "
      "CAST(pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS integer)");
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return Error{Errc::unavailable, name + " does not tell its settings"};
  constexpr std::array<const char*, 3> kNames = {"synchronous_commit", "fsync", "full_page_writes"};
  for (int i = 0; i < std::ssize(kNames); ++i) {
    if (rows->text(i) != "off") continue;
    return Error{Errc::invalid, name + " has " + kNames[static_cast<std::size_t>(i)] +
                                    " = off: what it acknowledges would not be durable"};
  }
  std::string words = "synchronous_commit=" + std::string(rows->text(0));
  if (rows->text(3).empty()) return words + ", no synchronous standby";
  if (rows->text(0) == "local") {
    return Error{Errc::invalid, name +
                                    " has synchronous_commit = local beside its "
                                    "synchronous_standby_names: what it acknowledges would be lost "
                                    "when a standby takes its place"};
  }
  if (rows->integer(5) == 0) {
    return words + ", synchronous_standby_names='" + std::string(rows->text(3)) +
           "', of which this role may not see more (GRANT pg_read_all_stats)";
  }
  const std::int64_t standbys = rows->integer(4);
  return words + ", " + std::to_string(standbys) + " synchronous standby" +
         (standbys == 1 ? "" : "s") + " of synchronous_standby_names='" +
         std::string(rows->text(3)) + "'";
}

}  // namespace trialward::store
