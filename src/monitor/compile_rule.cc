#include "monitor/compile_rule.h"

#include <algorithm>

#include "monitor/read_rules.h"
#include "monitor/watch_format.h"

namespace trialward::monitor {
namespace {

constexpr std::size_t kSeriesMax = kWatchBytesMax / kSeriesBytesMax;

// The series that a tree looks at, each once.
void collect_series(const Node& node, std::vector<std::size_t>& series) {
  for (const Leaf& leaf : node.leaves) series.push_back(leaf.series);
  for (const Node& member : node.members) collect_series(member, series);
  std::sort(series.begin(), series.end());
  series.erase(std::unique(series.begin(), series.end()), series.end());
}

std::int64_t span_ms(const Node& node) {
  std::int64_t longest = 0;
  for (const Node& member : node.members) longest = std::max(longest, span_ms(member));
  return longest + node.within_ms;
}

}  // namespace

std::optional<std::string> RuleCompiler::add(std::size_t rule, OneAlertPer one_alert_per,
                                             const Condition& condition) {
  fault_.reset();
  const bool repeats = condition.all || condition.count > 1;
  if (condition.members.empty()) {
    add_tests(rule, one_alert_per, condition);
  } else if (!repeats) {
    // Any of several is as many rules of one name.
    for (const Condition& member : condition.members) {
      if (auto fault = add(rule, one_alert_per, member)) return fault;
    }
  } else if (one_alert_per != OneAlertPer::subject) {
    fail("what is made of several conditions has one alert per subject");
  } else {
    add_tree(rule, "", condition);
  }
  return fault_;
}

void RuleCompiler::add_tests(std::size_t rule, OneAlertPer one_alert_per,
                             const Condition& condition) {
  if (condition.count > 1 && one_alert_per == OneAlertPer::subject) {
    return add_tree(rule, "", condition);
  }
  for (const CodeTest& test : condition.tests) {
    const auto* record_test = std::get_if<RecordTest>(&test.test);
    if (record_test && condition.count == 1) {
      if (std::holds_alternative<GradeFrom>(*record_test)) rules_.mark_graded(rule);
      CodeRules& of_code = rules_.add(condition.kind, test.code);
      of_code.direct.push_back({rule, one_alert_per, *record_test});
      continue;
    }
    if (one_alert_per == OneAlertPer::record) {
      return fail("what is counted or compared cannot have one alert per record");
    }
    if (one_alert_per == OneAlertPer::code && test.code.empty()) {
      return fail("one alert per code needs codes");
    }
    const Condition of_code{.kind = condition.kind,
                            .tests = {test},
                            .count = condition.count,
                            .within_ms = condition.within_ms};
    add_tree(rule, one_alert_per == OneAlertPer::code ? test.code : "", of_code);
  }
}

void RuleCompiler::add_tree(std::size_t rule, std::string group, const Condition& condition) {
  Tree tree{.rule = rule, .group = std::move(group)};
  tree.root = compile(condition, tree);
  tree.span_ms = span_ms(tree.root);
  if (fault_) return;
  std::vector<std::size_t> series;
  collect_series(tree.root, series);
  for (const std::size_t index : series) {
    rules_.trees_of_series[index].push_back(rules_.trees.size());
  }
  rules_.trees.push_back(std::move(tree));
}

Node RuleCompiler::compile(const Condition& condition, Tree& tree) {
  Node node{.all = condition.all, .count = condition.count, .within_ms = condition.within_ms};
  for (const CodeTest& test : condition.tests) {
    if (!std::holds_alternative<RecordTest>(test.test)) tree.compares = true;
    if (std::holds_alternative<GradeBesideBaseline>(test.test)) rules_.mark_graded(tree.rule);
    node.leaves.push_back(compile(condition.kind, test));
  }
  for (const Condition& member : condition.members) node.members.push_back(compile(member, tree));
  return node;
}

Leaf RuleCompiler::compile(model::Kind kind, const CodeTest& test) {
  auto& track = rules_.add(kind, test.code).track;
  if (!track) {
    if (rules_.series_count() == kSeriesMax) {
      fail("the rules count or compare more than " + std::to_string(kSeriesMax) +
           " codes: too much would be remembered of a subject");
      return {};
    }
    track.emplace().series = rules_.series_count();
    rules_.trees_of_series.emplace_back();
  }
  if (const auto* comparison = std::get_if<Comparison>(&test.test)) {
    track->values = true;
    return {track->series, *comparison};
  }
  if (const auto* graded = std::get_if<GradeBesideBaseline>(&test.test)) {
    track->values = true;
    track->ranges = true;
    return {track->series, *graded};
  }
  if (track->tests.size() == kTestsPerSeriesMax) {
    fail("the rules count more than " + std::to_string(kTestsPerSeriesMax) + " conditions on " +
         (test.code.empty() ? "one kind" : test.code));
    return {};
  }
  track->tests.push_back(std::get<RecordTest>(test.test));
  return {track->series, track->tests.size() - 1};
}

void RuleCompiler::fail(std::string reason) {
  if (!fault_) fault_ = std::move(reason);
}

}  // namespace trialward::monitor
