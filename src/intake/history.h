// Whether what is found now is about the past: then its alert is marked so, and nobody is called.
//
// It is when every record because of which it holds came with the data of the past (kHistorical),
// and so did the record that has just come; and of what is missing, when it was overdue before the
// last of these records came. What a record of today has a part in is news, and so is what was not
// overdue yet when the past was told. docs/decisions/017.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "store/connection.h"

namespace trialward::intake {

// Why something is found now.
struct Occasion {
  std::int64_t record = 0;  // the one that has just come; 0: time has passed
  bool historical = false;  // it is
  std::int64_t due_ms = 0;  // the instant that has passed: what is missing was due then

  static Occasion of(const model::StoredRecord& stored) {
    return {.record = stored.id, .historical = (stored.flags & model::kHistorical) != 0};
  }
};

base::Result<bool> is_history(store::Connection& connection, const Occasion& occasion,
                              const std::vector<std::int64_t>& causes);

}  // namespace trialward::intake
