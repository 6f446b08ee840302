// Turns the conditions that were read into what is evaluated, and gives out series and bits.
// Used by one thread, while a RuleSet is built.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "monitor/read_absence.h"
#include "monitor/read_condition.h"
#include "monitor/rule_set.h"

namespace trialward::monitor {

class RuleCompiler {
 public:
  explicit RuleCompiler(RuleSet& rules) : rules_(rules) {}

  // Adds a rule that has no fault by itself. The answer is why it cannot be had, if so.
  std::optional<std::string> add(std::size_t rule, OneAlertPer one_alert_per,
                                 const Condition& condition);

  // The same of an absence.
  std::optional<std::string> add(std::size_t rule, const AbsenceCondition& absence);

 private:
  void add_by_code(std::size_t rule, OneAlertPer one_alert_per,
                   const std::vector<Condition>& conditions);
  // `if_not_remembered`: as of Direct.
  void add_direct(std::size_t rule, OneAlertPer one_alert_per, const Condition& condition,
                  bool if_not_remembered);
  void add_tree(std::size_t rule, std::string group, const Condition& condition);
  Node compile(const Condition& condition);
  Leaf compile(const Condition& condition, const CodeTest& test);
  std::optional<std::size_t> series_of(model::Kind kind, const std::string& code);
  void fail(std::string reason);

  RuleSet& rules_;
  std::optional<std::string> fault_;
};

}  // namespace trialward::monitor
