// A study's rules as they are evaluated: what to ask of a record, found by its kind and code; which
// points to remember; and trees of conditions over what is remembered. Built by read_rules, then
// immutable: any thread may read it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "model/study.h"
#include "model/watch.h"
#include "monitor/condition.h"
#include "monitor/pattern.h"
#include "monitor/series.h"

namespace trialward::monitor {

enum class OneAlertPer : std::uint8_t { subject, code, record };

// What is asked of one record.
struct VisitTest {
  RecordTest test;
  std::string visit;  // its record's; empty: any
};

// A rule that is judged by one record alone and remembers nothing.
struct Direct {
  std::size_t rule = 0;
  OneAlertPer one_alert_per = OneAlertPer::subject;
  VisitTest test;
  bool if_not_remembered = false;  // a tree judges it where the record is remembered
};

inline constexpr std::size_t kTestsPerSeriesMax = 64;  // the bits of a Point

// What is remembered of records: those for which a test holds, and all numbers if they are
// compared.
struct Track {
  std::size_t series = 0;
  bool values = false;
  bool multiples = false;        // of the upper limit of normal, too
  bool ranges = false;           // beside the values
  std::vector<VisitTest> tests;  // test i holds: bit i
};

// What the rules have to do with the records of one code, or of one kind whatever the code.
struct CodeRules {
  std::vector<Direct> direct;
  std::optional<Track> track;
};

struct RatioLeaf {
  Ratio ratio;
  std::size_t divisor = 0;  // a series
};

struct Leaf {
  std::size_t series = 0;
  // A bit, or a test of several values.
  std::variant<std::size_t, Comparison, GradeBesideBaseline, RatioLeaf, Slope> test;
};

enum class Join : std::uint8_t { any, all, then };

// Holds where one of its leaves or members does; with `all`, where each member does within
// `within_ms`; with `then`, where each does, none before the one that it follows; with a count,
// where that happens so many times within `within_ms`.
// It does not hold where one of `without` does, from `around_ms` before what it takes until as long
// after.
struct Node {
  std::vector<Leaf> leaves;
  std::vector<Node> members;
  Join join = Join::any;
  std::size_t count = 1;
  std::int64_t within_ms = 0;
  std::vector<Node> without;
  std::int64_t around_ms = 0;  // of a node that is one of `without`
  std::int64_t span_ms = 0;    // what it takes lies at most so far apart, but for references
};

// A rule that is judged by what is remembered.
struct Tree {
  std::size_t rule = 0;
  std::string group;
  Node root;
  // Has a comparison, or a grade beside the baseline: a record that is a baseline makes a
  // difference at any distance.
  bool compares = false;
  bool revocable = false;  // a record may end what holds, though it corrects nothing
  bool with_direct = false;  // one of its conditions is also judged directly, see there
  std::int64_t reach_ms = 0;  // how far another record makes a difference
};

// What a tree asks of the points of one series.
struct TreeUse {
  std::size_t tree = 0;
  std::uint64_t bits = 0;
  bool numbers = false;  // their values or multiples, too
};

// A rule that is judged by what is remembered and by the time.
struct Absence {
  std::size_t rule = 0;
  Node missing, after;
  std::optional<Node> until;
  bool after_each = false;  // false: after the first only
  std::int64_t within_ms = 0;
};

class RuleSet {
 public:
  std::shared_ptr<const model::Study> study;
  std::vector<model::RuleInfo> infos;
  std::vector<Tree> trees;
  std::vector<std::vector<TreeUse>> trees_of_series;
  std::vector<Absence> absences;
  std::vector<bool> awaited;  // by series: whether an absence looks at it
  std::vector<bool> graded;  // by rule: whether it asks for a grade; may be shorter
  std::string hash;

  bool grades(std::size_t rule) const { return rule < graded.size() && graded[rule]; }
  std::size_t series_count() const { return trees_of_series.size(); }

  // Null when no rule mentions them.
  const CodeRules* of_code(model::Kind kind, std::string_view code) const {
    const auto& codes = codes_[static_cast<std::size_t>(kind)];
    const auto found = codes.find(code);
    return found == codes.end() ? nullptr : &found->second;
  }
  const CodeRules* of_kind(model::Kind kind) const {
    const auto& rules = kinds_[static_cast<std::size_t>(kind)];
    return rules ? &*rules : nullptr;
  }
  void mark_graded(std::size_t rule) {
    if (graded.size() <= rule) graded.resize(rule + 1);
    graded[rule] = true;
  }
  // For building; an empty code stands for the whole kind.
  CodeRules& add(model::Kind kind, const std::string& code) {
    if (!code.empty()) return codes_[static_cast<std::size_t>(kind)][code];
    auto& rules = kinds_[static_cast<std::size_t>(kind)];
    return rules ? *rules : rules.emplace();
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>()(text);
    }
  };
  std::array<std::unordered_map<std::string, CodeRules, Hash, std::equal_to<>>, model::kKinds>
      codes_;
  std::array<std::optional<CodeRules>, model::kKinds> kinds_;
};

}  // namespace trialward::monitor
