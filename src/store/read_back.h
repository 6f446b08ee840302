// What whoever acknowledges an alert has to read back: of each kind and code among the records that
// caused it the newest value in effective time, as corrected since; at most kReadBackMax of them,
// those of the newest records. So it is one value for an ALT that stayed high, and two for ALT with
// bilirubin. Who was shown the alert before a record joined it, or was corrected, is refused.
//
// A record without a value stands with its code, and one that was not done with the reason. What a
// subject was given (exposures) is no part of it: it would tell the treatment.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/alert_detail.h"
#include "model/fault.h"
#include "store/connection.h"

namespace trialward::store {

inline constexpr std::size_t kReadBackMax = 8;
// Of an alert with more records than these only the newest by id are looked at.
inline constexpr std::int64_t kReadBackRecordsMax = 256;

base::Result<std::vector<model::ReadBack>> read_back_of(Connection& connection,
                                                        std::int64_t alert);

// What is wrong with `given` where `expected` is to be read back; each fault says what is right.
// Numbers are the same when they mean the same (121 and 121.0), texts when they differ in nothing
// but case and surrounding spaces. A unit must be there, as it is written. Pure.
model::Faults compare_read_back(std::span<const model::ReadBack> expected,
                                std::span<const model::ReadBack> given);

}  // namespace trialward::store
