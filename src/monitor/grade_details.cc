#include "monitor/grade_details.h"

#include <algorithm>

namespace trialward::monitor {
namespace {

std::string direct_detail(const CodeRules* rules, std::size_t rule, const Reading& reading) {
  if (rules == nullptr) return "";
  for (const Direct& direct : rules->direct) {
    const auto* from = std::get_if<GradeFrom>(&direct.test.test);
    if (direct.rule != rule || from == nullptr) continue;
    ctcae::Grade grade;
    const ctcae::GradedTerm* term = from->holds(observed_of(reading), nullptr, grade);
    if (term != nullptr) return ctcae::describe(*from->criteria, *term, grade);
  }
  return "";
}

// Of the last cause that has the grade.
void find_detail(const Node& node, const std::vector<const Series*>& series,
                 const std::vector<std::int64_t>& causes, std::int64_t& record,
                 std::string& detail) {
  for (const Leaf& leaf : node.leaves) {
    const auto* beside = std::get_if<GradeBesideBaseline>(&leaf.test);
    if (beside == nullptr) continue;
    const Series& own = *series[leaf.series];
    for (const std::int64_t cause : causes) {
      const auto place = own.find(cause);
      GradedPoint graded;
      if (cause <= record || !place) continue;
      if (!graded_at(beside->from, own, *place, true, graded)) continue;
      record = cause;
      detail = std::move(graded.description);
    }
  }
  for (const Node& member : node.members) find_detail(member, series, causes, record, detail);
}

}  // namespace

void add_grade_details(const RuleSet& rules, const CodeRules* of_code, const CodeRules* of_kind,
                       const Reading& reading, const std::vector<const Series*>& series,
                       std::vector<model::Match>& matches) {
  for (model::Match& match : matches) {
    if (!rules.grades(match.rule)) continue;
    match.detail = direct_detail(of_code, match.rule, reading);
    if (match.detail.empty()) match.detail = direct_detail(of_kind, match.rule, reading);
    if (!match.detail.empty()) continue;
    std::int64_t record = 0;
    for (const Tree& tree : rules.trees) {
      if (tree.rule != match.rule || tree.group != match.group) continue;
      find_detail(tree.root, series, match.causes, record, match.detail);
    }
  }
}

}  // namespace trialward::monitor
