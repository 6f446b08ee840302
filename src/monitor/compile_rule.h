// Turns the conditions that were read into what is evaluated, and gives out series and bits.
// Used by one thread, while a RuleSet is built.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "monitor/read_condition.h"
#include "monitor/rule_set.h"

namespace trialward::monitor {

class RuleCompiler {
 public:
  explicit RuleCompiler(RuleSet& rules) : rules_(rules) {}

  // Adds a rule that has no fault by itself. The answer is why it cannot be had, if so.
  std::optional<std::string> add(std::size_t rule, OneAlertPer one_alert_per,
                                 const Condition& condition);

 private:
  void add_tests(std::size_t rule, OneAlertPer one_alert_per, const Condition& condition);
  void add_tree(std::size_t rule, std::string group, const Condition& condition);
  Node compile(const Condition& condition, Tree& tree);
  Leaf compile(model::Kind kind, const CodeTest& test);
  void fail(std::string reason);

  RuleSet& rules_;
  std::optional<std::string> fault_;
};

}  // namespace trialward::monitor
