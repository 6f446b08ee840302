#include "store/postgres_room.h"

namespace trialward::store {
namespace {

// -1 where a limit is not set. reserved_connections came with PostgreSQL 16.
constexpr const char* kLimits =
    "SELECT current_setting('max_connections')::bigint, "
    "current_setting('superuser_reserved_connections')::bigint + "
    "coalesce(nullif(current_setting('reserved_connections', true), ''), '0')::bigint, "
    "(SELECT datconnlimit::bigint FROM pg_database WHERE datname = current_database()), "
    "(SELECT rolconnlimit::bigint FROM pg_roles WHERE rolname = current_user)";

}  // namespace

base::Result<ConnectionRoom> read_connection_room(Connection& connection) {
  auto rows = connection.query(kLimits);
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) {
    return base::Error{base::Errc::unavailable, "the server does not tell its max_connections"};
  }
  const std::int64_t max = rows->integer(0), reserved = rows->integer(1);
  ConnectionRoom room{.connections = max - reserved,
                      .why = "max_connections = " + std::to_string(max) + ", of which " +
                             std::to_string(reserved) + " are reserved"};
  const struct {
    std::int64_t limit;
    const char* of;
  } limits[] = {{rows->integer(2), "database"}, {rows->integer(3), "user"}};
  for (const auto& one : limits) {
    if (one.limit < 0 || one.limit >= room.connections) continue;
    room = {.connections = one.limit,
            .why = "CONNECTION LIMIT " + std::to_string(one.limit) + " of the " + one.of};
  }
  return room;
}

}  // namespace trialward::store
