// What a rule waits for, read and checked against the study, not yet compiled. See rules.h.
#pragma once

#include <cstdint>
#include <optional>

#include "model/study.h"
#include "model/table_reader.h"
#include "monitor/read_condition.h"

namespace trialward::monitor {

struct AbsenceCondition {
  Condition missing, after;
  std::optional<Condition> until;
  bool after_each = false;
  std::int64_t within_ms = 0;
};

// Of a table that has `missing`. Reads the members of an absence; the table's other members are
// left to the caller. Faults are noted in the table, and the answer is then good for nothing.
AbsenceCondition read_absence(model::TableReader& table, const model::Study& study);

}  // namespace trialward::monitor
