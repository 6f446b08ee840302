// One condition of rules.toml, read and checked against the study, not yet compiled. See rules.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/study.h"
#include "model/table_reader.h"
#include "monitor/read_test.h"
#include "monitor/rule_set.h"

namespace trialward::monitor {

// Either a kind with a test for each of its codes, or members.
struct Condition {
  model::Kind kind = model::Kind::lab;
  std::string visit;  // of the records; empty: any
  std::vector<CodeTest> tests;
  std::vector<Condition> members;
  Join join = Join::any;  // of the members
  std::size_t count = 1;
  std::int64_t within_ms = 0;
  std::vector<Condition> without;
  std::int64_t around_ms = 0;  // of a condition that is one of `without`
};

class ConditionReader {
 public:
  explicit ConditionReader(const model::Study& study) : study_(study) {}

  // Reads the members of a condition; the table's other members are left to the caller. Faults are
  // noted in the table, and the answer is then good for nothing.
  Condition read(model::TableReader& table);

 private:
  // Whether a table may hold one more; a fault is noted of the first that is too many.
  bool count_one(model::TableReader& table);
  void read_members(model::TableReader& table, const char* key, Condition& condition);
  void read_without(model::TableReader& table, Condition& condition);
  void read_leaf(model::TableReader& table, Condition& condition);
  void read_visit(model::TableReader& table, Condition& condition);
  void read_time(model::TableReader& table, Condition& condition);
  std::vector<std::string> read_codes(model::TableReader& table, model::Kind kind);

  const model::Study& study_;
  std::size_t depth_ = 0, conditions_ = 0;
};

}  // namespace trialward::monitor
