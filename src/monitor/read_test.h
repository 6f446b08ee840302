// The test of one condition of rules.toml, checked against the study. See rules.h. Pure; faults are
// noted in the table.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/study.h"
#include "model/table_reader.h"
#include "monitor/condition.h"
#include "monitor/pattern.h"

namespace trialward::monitor {

using Test = std::variant<RecordTest, Comparison, GradeBesideBaseline, Ratio, Slope>;

struct CodeTest {
  std::string code;  // empty: whatever the code
  Test test;
};

// The test for each of the codes, its numbers in that code's own unit; of a grade there may be two
// for a code, either of which may hold. Asks the table for the members of a test only. A grade of
// the kind as a whole (one empty code) is one of each of its codes that a rule can grade.
std::vector<CodeTest> read_tests(model::TableReader& table, const model::Study& study,
                                 model::Kind kind, const std::vector<std::string>& codes);

// The text in quotes, for a reason.
std::string quoted(std::string_view text);

// Notes a fault when there is this text, which means something only beside others.
void refuse(model::TableReader& table, const char* key, const char* reason);

}  // namespace trialward::monitor
