#include "store/boot_row.h"

#include <new>

namespace trialward::store {

using base::Status;

namespace {

std::int64_t steady_ms(base::TimePoint time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

// What waits since a time to come, as the wall clock was set back, waits from now on.
Status bring_into_the_past(Connection& connection, std::int64_t now_ms) {
  for (const char* sql :
       {"UPDATE alert_states SET since_ms = $1 WHERE waits = 1 AND since_ms > $2",
        "UPDATE alert_storms SET since_ms = $1 WHERE waits = 1 AND since_ms > $2"}) {
    // Clocks of nodes differ by as much.
    const std::int64_t limit_ms = now_ms + base::SteadyUtc::kDriftMax.count();
    if (auto done = connection.execute(sql, {now_ms, limit_ms}); !done) return done;
  }
  return {};
}

Status put_on(Writer& writer, const base::Clock& clock, const std::string& boot) {
  Connection& connection = writer.connection();
  if (connection.is_postgres()) return bring_into_the_past(connection, clock.utc_ms());
  auto known = connection.integer("SELECT count(*) FROM boots WHERE boot = $1",
                                  {std::string_view(boot)});
  if (!known) return known.error();
  if (*known != 0) return {};
  const std::int64_t now_ms = steady_ms(clock.now());
  for (const char* sql :
       {"UPDATE alert_states SET since_ms = $1 - "
        "CASE WHEN $2 > since_utc_ms THEN $2 - since_utc_ms ELSE 0 END WHERE waits = 1",
        "UPDATE alert_storms SET since_ms = $1 - "
        "CASE WHEN $2 > since_utc_ms THEN $2 - since_utc_ms ELSE 0 END WHERE waits = 1"}) {
    if (auto done = connection.execute(sql, {now_ms, clock.utc_ms()}); !done) return done;
  }
  return connection.execute(
      "INSERT INTO boots (one, boot) VALUES (1, $1) "
      "ON CONFLICT (one) DO UPDATE SET boot = excluded.boot",
      {std::string_view(boot)});
}

}  // namespace

Status adopt_boot(Writer& writer, const base::Clock& clock) {
  const std::string boot = clock.boot_id();
  if (auto begun = writer.begin(); !begun) return begun;
  Status done;
  try {
    done = put_on(writer, clock, boot);
  } catch (const std::bad_alloc&) {
    done = base::Error{base::Errc::refused, "out of memory"};
  }
  if (done) return writer.commit();
  writer.rollback();
  return done;
}

std::int64_t waiting_ms(const Connection& connection, base::TimePoint now, base::SteadyUtc& utc) {
  return connection.is_postgres() ? utc.now_ms() : steady_ms(now);
}

}  // namespace trialward::store
