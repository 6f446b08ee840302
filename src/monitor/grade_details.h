// What is said with an alert about a grade: the version of the CTCAE, the grade and its line. Pure.
#pragma once

#include <vector>

#include "model/watch.h"
#include "monitor/condition.h"
#include "monitor/rule_set.h"

namespace trialward::monitor {

// Fills in the details of the matches whose rules ask for a grade: of the record that was read, if
// it has the grade; else, where its coming changed the grades of others, of the last of these.
// `of_code`, `of_kind`: as the rule set has them for the record; either may be null.
void add_grade_details(const RuleSet& rules, const CodeRules* of_code, const CodeRules* of_kind,
                       const Reading& reading, const std::vector<const Series*>& series,
                       std::vector<model::Match>& matches);

}  // namespace trialward::monitor
