// alert_storms, compared with what the events of a storm's alerts lead to: how many there are,
// whether one waits, which tier was told, since when and when the last one came. since_ms is on a
// clock that only the machine knew, and unchecked.
// One thread. Errors: corrupt, which names the first bad entry; cancelled, unavailable.
#pragma once

#include "base/result.h"
#include "store/connection.h"

namespace trialward::records {

// In one read transaction: there are few. What alert_states say must be right.
base::Status check_storms(store::Connection& reader);

}  // namespace trialward::records
