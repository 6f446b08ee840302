#include "monitor/compile_rule.h"

#include <algorithm>
#include <map>

#include "monitor/read_rules.h"
#include "monitor/watch_format.h"

namespace trialward::monitor {
namespace {

constexpr std::size_t kSeriesMax = kWatchBytesMax / kSeriesBytesMax;

// What a tree asks of the series that it looks at.
using Uses = std::map<std::size_t, TreeUse>;

void collect_uses(const Node& node, Uses& uses) {
  for (const Leaf& leaf : node.leaves) {
    TreeUse& use = uses[leaf.series];
    if (const auto* bit = std::get_if<std::size_t>(&leaf.test)) {
      use.bits |= std::uint64_t{1} << *bit;
    } else {
      use.numbers = true;
    }
    if (const auto* ratio = std::get_if<RatioLeaf>(&leaf.test)) uses[ratio->divisor].numbers = true;
  }
  for (const Node& member : node.members) collect_uses(member, uses);
  for (const Node& excluded : node.without) collect_uses(excluded, uses);
}

std::int64_t span_ms(const Leaf& leaf) {
  if (const auto* ratio = std::get_if<RatioLeaf>(&leaf.test)) return ratio->ratio.apart_ms;
  if (const auto* slope = std::get_if<Slope>(&leaf.test)) return slope->over_ms;
  return 0;
}

std::int64_t span_ms(const Node& node) {
  std::int64_t longest = 0;
  for (const Leaf& leaf : node.leaves) longest = std::max(longest, span_ms(leaf));
  for (const Node& member : node.members) longest = std::max(longest, member.span_ms);
  return longest + node.within_ms;
}

// How far from a record what it makes a difference to may stand. More than enough: all the times of
// the tree, one after the other; of a ratio twice, because a divisor may take the place of another,
// which may have been as far on the other side.
std::int64_t reach_ms(const Node& node) {
  std::int64_t longest = 0;
  for (const Leaf& leaf : node.leaves) longest = std::max(longest, 2 * span_ms(leaf));
  std::int64_t all = node.within_ms + node.around_ms + longest;
  for (const Node& member : node.members) all += reach_ms(member);
  for (const Node& excluded : node.without) all += reach_ms(excluded);
  return all;
}

template <class Test>
bool has(const Node& node) {
  const auto inside = [](const Node& one) { return has<Test>(one); };
  return std::any_of(node.leaves.begin(), node.leaves.end(),
                     [](const Leaf& leaf) { return std::holds_alternative<Test>(leaf.test); }) ||
         std::any_of(node.members.begin(), node.members.end(), inside) ||
         std::any_of(node.without.begin(), node.without.end(), inside);
}

bool excludes(const Node& node) {
  return !node.without.empty() ||
         std::any_of(node.members.begin(), node.members.end(), excludes);
}

bool is_plain(const Condition& condition) {
  return condition.join == Join::any && condition.count == 1 && condition.without.empty();
}

// Whether one record alone decides.
bool is_direct(const Condition& condition) {
  return is_plain(condition) &&
         std::all_of(condition.tests.begin(), condition.tests.end(),
                     [](const CodeTest& test) {
                       return std::holds_alternative<RecordTest>(test.test);
                     }) &&
         std::all_of(condition.members.begin(), condition.members.end(), is_direct);
}

bool has_direct(const Condition& condition) {
  if (!is_plain(condition)) return false;
  const auto of_record = [](const CodeTest& test) {
    return std::holds_alternative<RecordTest>(test.test);
  };
  return std::any_of(condition.tests.begin(), condition.tests.end(), of_record) ||
         std::any_of(condition.members.begin(), condition.members.end(), has_direct);
}

// Takes `any` of several apart into those that have no members; false when one is made of several.
bool take_apart(const Condition& condition, std::vector<Condition>& parts) {
  const auto has_members = [](const Condition& one) { return !one.members.empty(); };
  if (condition.members.empty()) {
    if (std::any_of(condition.without.begin(), condition.without.end(), has_members)) return false;
    parts.push_back(condition);
    return true;
  }
  return is_plain(condition) &&
         std::all_of(condition.members.begin(), condition.members.end(),
                     [&](const Condition& member) { return take_apart(member, parts); });
}

}  // namespace

std::optional<std::string> RuleCompiler::add(std::size_t rule, OneAlertPer one_alert_per,
                                             const Condition& condition) {
  fault_.reset();
  if (is_direct(condition)) {
    add_direct(rule, one_alert_per, condition, false);
  } else if (one_alert_per == OneAlertPer::subject) {
    add_tree(rule, "", condition);
    add_direct(rule, one_alert_per, condition, true);
  } else if (std::vector<Condition> parts; take_apart(condition, parts)) {
    add_by_code(rule, one_alert_per, parts);
  } else {
    fail("what is made of several conditions has one alert per subject");
  }
  return fault_;
}

std::optional<std::string> RuleCompiler::add(std::size_t rule, const AbsenceCondition& absence) {
  fault_.reset();
  Absence compiled{.rule = rule,
                   .missing = compile(absence.missing),
                   .after = compile(absence.after),
                   .after_each = absence.after_each,
                   .within_ms = absence.within_ms};
  if (absence.until) compiled.until = compile(*absence.until);
  if (fault_) return fault_;
  Uses uses;
  collect_uses(compiled.missing, uses);
  collect_uses(compiled.after, uses);
  if (compiled.until) collect_uses(*compiled.until, uses);
  for (const auto& [series, use] : uses) rules_.awaited[series] = true;
  rules_.absences.push_back(std::move(compiled));
  return std::nullopt;
}

void RuleCompiler::add_direct(std::size_t rule, OneAlertPer one_alert_per,
                              const Condition& condition, bool if_not_remembered) {
  if (!is_plain(condition)) return;
  for (const Condition& member : condition.members) {
    add_direct(rule, one_alert_per, member, if_not_remembered);
  }
  for (const CodeTest& test : condition.tests) {
    const auto* record_test = std::get_if<RecordTest>(&test.test);
    if (record_test == nullptr) continue;
    if (std::holds_alternative<GradeFrom>(*record_test)) rules_.mark_graded(rule);
    rules_.add(condition.kind, test.code)
        .direct.push_back({.rule = rule,
                           .one_alert_per = one_alert_per,
                           .test = {*record_test, condition.visit},
                           .if_not_remembered = if_not_remembered});
  }
}

void RuleCompiler::add_by_code(std::size_t rule, OneAlertPer one_alert_per,
                               const std::vector<Condition>& conditions) {
  if (one_alert_per == OneAlertPer::record) {
    return fail("what is counted or compared cannot have one alert per record");
  }
  std::map<std::string, Condition> by_code;
  for (const Condition& condition : conditions) {
    for (const CodeTest& test : condition.tests) {
      if (test.code.empty()) return fail("one alert per code needs codes");
      Condition of_code = condition;
      of_code.tests = {test};
      by_code[test.code].members.push_back(std::move(of_code));
    }
  }
  for (const auto& [code, any] : by_code) {
    if (!is_direct(any)) add_tree(rule, code, any.members.size() == 1 ? any.members[0] : any);
    add_direct(rule, one_alert_per, any, !is_direct(any));
  }
}

void RuleCompiler::add_tree(std::size_t rule, std::string group, const Condition& condition) {
  Tree tree{.rule = rule, .group = std::move(group), .root = compile(condition)};
  if (fault_) return;
  tree.with_direct = has_direct(condition);
  const bool graded = has<GradeBesideBaseline>(tree.root);
  if (graded) rules_.mark_graded(rule);
  tree.compares = graded || has<Comparison>(tree.root);
  tree.revocable =
      tree.compares || has<RatioLeaf>(tree.root) || has<Slope>(tree.root) || excludes(tree.root);
  tree.reach_ms = reach_ms(tree.root);
  Uses uses;
  collect_uses(tree.root, uses);
  for (auto& [series, use] : uses) {
    use.tree = rules_.trees.size();
    rules_.trees_of_series[series].push_back(use);
  }
  rules_.trees.push_back(std::move(tree));
}

Node RuleCompiler::compile(const Condition& condition) {
  Node node{.join = condition.join,
            .count = condition.count,
            .within_ms = condition.within_ms,
            .around_ms = condition.around_ms};
  for (const CodeTest& test : condition.tests) node.leaves.push_back(compile(condition, test));
  for (const Condition& member : condition.members) node.members.push_back(compile(member));
  for (const Condition& excluded : condition.without) node.without.push_back(compile(excluded));
  node.span_ms = span_ms(node);
  return node;
}

// Its index; nothing, and a failure, when there are too many.
std::optional<std::size_t> RuleCompiler::series_of(model::Kind kind, const std::string& code) {
  auto& track = rules_.add(kind, code).track;
  if (track) return track->series;
  if (rules_.series_count() == kSeriesMax) {
    fail("the rules count or compare more than " + std::to_string(kSeriesMax) +
         " codes: too much would be remembered of a subject");
    return std::nullopt;
  }
  track.emplace().series = rules_.series_count();
  rules_.trees_of_series.emplace_back();
  rules_.awaited.push_back(false);
  return track->series;
}

Leaf RuleCompiler::compile(const Condition& condition, const CodeTest& test) {
  const auto series = series_of(condition.kind, test.code);
  if (!series) return {};
  if (const auto* ratio = std::get_if<Ratio>(&test.test)) {
    const auto divisor = series_of(condition.kind, ratio->divisor);
    if (!divisor) return {};
    for (const std::string& code : {test.code, ratio->divisor}) {
      Track& track = *rules_.add(condition.kind, code).track;
      (ratio->of_uln ? track.multiples : track.values) = true;
    }
    return {*series, RatioLeaf{*ratio, *divisor}};
  }
  Track& track = *rules_.add(condition.kind, test.code).track;
  if (const auto* record_test = std::get_if<RecordTest>(&test.test)) {
    if (track.tests.size() == kTestsPerSeriesMax) {
      fail("the rules count more than " + std::to_string(kTestsPerSeriesMax) + " conditions on " +
           (test.code.empty() ? "one kind" : test.code));
      return {};
    }
    track.tests.push_back({*record_test, condition.visit});
    return {*series, track.tests.size() - 1};
  }
  track.values = true;
  if (const auto* slope = std::get_if<Slope>(&test.test)) return {*series, *slope};
  if (const auto* graded = std::get_if<GradeBesideBaseline>(&test.test)) {
    track.ranges = true;
    return {*series, *graded};
  }
  return {*series, std::get<Comparison>(test.test)};
}

void RuleCompiler::fail(std::string reason) {
  if (!fault_) fault_ = std::move(reason);
}

}  // namespace trialward::monitor
