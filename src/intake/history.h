// Whether what is found now is about the past: then its alert is marked so, and nobody is called.
//
// It is when every record because of which it holds came with the data of the past (kHistorical),
// and so did the record that has just come; and of what is missing, when it was overdue before the
// last of these records came. What a record of today has a part in is news, and so is what takes
// the place of something of today, or was not overdue yet when the past was told. See
// docs/decisions/017.
#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "model/record.h"
#include "model/watch.h"
#include "store/connection.h"

namespace trialward::intake {

// Why something is found now.
struct Occasion {
  std::int64_t record = 0;  // the one that has just come; 0: time has passed
  bool historical = false;  // it is

  static Occasion of(const model::StoredRecord& stored) {
    return {.record = stored.id, .historical = (stored.flags & model::kHistorical) != 0};
  }
};

// Of a match that a record has brought about; `found` is all that it has.
base::Result<bool> is_history(store::Connection& connection, const Occasion& occasion,
                              const model::Match& match, const model::Observation& found);

// What time has brought about, with what is of the past taken together and so is what is news: at
// most two matches of one rule and group, in the order in which the first of each was due.
struct Overdue {
  model::Match match;
  bool historical = false;
};
base::Result<std::vector<Overdue>> sort_overdue(store::Connection& connection,
                                                std::vector<model::Match> matches);

}  // namespace trialward::intake
