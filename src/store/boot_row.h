// On which clock since_ms of alert_states and alert_storms is: milliseconds of base::Clock::now(),
// which no jump of the wall clock touches and which goes on when the program is started again, but
// not when the machine is. boots says of which start of the machine they are. A store in PostgreSQL
// is shared by machines, which have no such clock in common: there it is base::SteadyUtc, which a
// jump of the wall clock changes with the next start of the program only.
#pragma once

#include "base/clock.h"
#include "base/steady_utc.h"
#include "store/writer.h"

namespace trialward::store {

// To be called before anything waits. After a new start of the machine all that waits is put on the
// new clock: by the wall clock, which is all that is left, and never into the future. Outside a
// transaction.
base::Status adopt_boot(Writer& writer, const base::Clock& clock);

// What since_ms is of something that begins to wait now.
std::int64_t waiting_ms(const Connection& connection, base::TimePoint now, base::SteadyUtc& utc);

}  // namespace trialward::store
