#include "monitor/read_test.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <optional>

#include "monitor/duration.h"

namespace trialward::monitor {
namespace {

using model::Code;
using model::Kind;
using model::TableReader;

struct OpName {
  const char* name;
  Op op;
};
constexpr std::array<OpName, 4> kOps = {{{"at_least", Op::at_least},
                                         {"above", Op::above},
                                         {"at_most", Op::at_most},
                                         {"below", Op::below}}};
constexpr std::array<const char*, 6> kChanges = {"rise",         "fall",       "rise_percent",
                                                 "fall_percent", "rise_above", "fall_above"};
constexpr std::string_view kSlope = "slope_";  // and an Op's name
constexpr const char* kGrade = "ctcae_grade_at_least";
constexpr std::array<const char*, 4> kOthers = {"one_of", "serious", "severity_from", kGrade};

// Reads the one test that a condition may have, then gives it for one code after the other.
class TestReader {
 public:
  TestReader(TableReader& table, const model::Study& study, Kind kind)
      : table_(table), study_(study), kind_(kind) {
    for (const OpName& op : kOps) look_for(op.name);
    for (const char* key : kChanges) look_for(key);
    for (const OpName& op : kOps) look_for(std::string(kSlope) + op.name);
    for (const char* key : kOthers) look_for(key);
    if (!keys_.empty()) read(keys_[0]);
    for (std::size_t i = 1; i < keys_.size(); ++i) {
      table_.fault(keys_[i], "a condition has one test: " + keys_[0] + " is one, too");
      skip(keys_[i]);
    }
    if (!with_of_) refuse(table_, "of", "needs at_least, above, at_most or below");
    if (!with_of_) refuse(table_, "ratio_to", "needs at_least, above, at_most or below");
    if (!in_unit_) refuse(table_, "unit", "needs a number that is no multiple and no percentage");
    if (!grade_) refuse(table_, "direction", "needs ctcae_grade_at_least");
    if (!with_from_) refuse(table_, "from", "needs a rise or a fall");
    if (!with_ratio_) refuse(table_, "apart", "needs ratio_to");
    if (!with_slope_) {
      for (const char* key : {"per", "over", "fit"}) refuse(table_, key, "needs a slope");
      refuse_number("points", "needs a slope");
    }
  }

  // One, or several of which any may hold.
  std::vector<Test> tests_for(const std::string& code_text) {
    if (grade_) return grades_for(code_text);
    return {test_for(code_text)};
  }

  Test test_for(const std::string& code_text) {
    const Code* code = study_.code(kind_, code_text);
    if (of_numbers_) {
      if (!code) {
        fault("a condition on numbers needs codes that study.toml lists");
        return RecordTest{};
      }
      if (code->type == model::ValueType::text) fault(code->code + " is a text, not a number");
      if (in_unit_) return in_unit_of(*code);
    }
    if (const auto* record_test = std::get_if<RecordTest>(&test_)) {
      if (const auto* answer = std::get_if<Answer>(record_test); answer && code) {
        check_answer(*answer, *code);
      }
    }
    return test_;
  }

  // The codes that are meant by none: those that a rule can grade.
  std::vector<std::string> expanded(const std::vector<std::string>& codes) {
    if (!grade_ || codes != std::vector<std::string>{""}) return codes;
    if_gradable_ = true;
    std::vector<std::string> gradable;
    for (const std::string& code : grading_.codes(kind_)) {
      if (!terms_of(code).empty()) gradable.push_back(code);
    }
    const bool may_grade = kind_ == Kind::lab || kind_ == Kind::vital;
    if (gradable.empty() && may_grade && study_.whole && grading_.criteria() != nullptr) {
      fault("the study has no " + std::string(to_string(kind_)) + " that a rule can grade");
    }
    return gradable;
  }

 private:
  void look_for(const std::string& key) {
    if (table_.has(key)) keys_.push_back(key);
  }
  void refuse_number(const char* key, const char* reason) {
    if (!table_.has(key)) return;
    (void)table_.number(key);
    table_.fault(key, std::string(key) + " " + reason);
  }
  void fault(std::string reason) { table_.fault(keys_[0], std::move(reason)); }

  // Asks for a member only to say that it is known.
  void skip(const std::string& key) {
    if (key == "one_of") {
      (void)table_.texts(key);
    } else if (key == "serious") {
      (void)table_.flag(key);
    } else if (key == "severity_from") {
      (void)table_.text(key);
    } else {
      (void)table_.number(key);
    }
  }

  void read(const std::string& key) {
    if (key == "one_of") return read_answer();
    if (key == "serious") return read_serious();
    if (key == "severity_from") return read_severity();
    if (key == kGrade) return read_grade();
    of_numbers_ = true;
    amount_ = table_.number(key).value_or(1);
    const bool slope = key.starts_with(kSlope);
    const std::string name = slope ? key.substr(kSlope.size()) : key;
    const auto op =
        std::find_if(kOps.begin(), kOps.end(), [&](const OpName& one) { return name == one.name; });
    if (op == kOps.end()) return read_change(key);
    if (slope) return read_slope(op->op);
    read_threshold(op->op);
  }

  void read_threshold(Op op) {
    with_of_ = true;
    const std::string of = table_.text("of");
    if (table_.has("ratio_to")) return read_ratio(op, of);
    if (!table_.has("of")) {
      test_ = RecordTest(Threshold{op, amount_});
      return read_unit();
    }
    if (of == "baseline") {
      test_ = Comparison{.with_baseline = true, .op = op, .factor = amount_};
    } else if (of == "ULN" || of == "LLN") {
      test_ = RecordTest(RangeMultiple{op, amount_, of == "ULN"});
    } else {
      table_.fault("of", "of must be \"ULN\", \"LLN\" or \"baseline\"");
    }
    check_positive();
  }

  void read_ratio(Op op, const std::string& of) {
    with_ratio_ = true;
    Ratio ratio{.op = op, .limit = amount_, .of_uln = of == "ULN"};
    ratio.divisor = table_.text("ratio_to");
    if (table_.has("of") && !ratio.of_uln) {
      table_.fault("of", "a ratio is one of numbers or, with of = \"ULN\", of their multiples");
    }
    const Code* divisor = study_.code(kind_, ratio.divisor);
    if (divisor == nullptr && study_.whole) {
      table_.fault("ratio_to", "the study lists no " + std::string(to_string(kind_)) + " " +
                                   quoted(ratio.divisor));
    } else if (divisor != nullptr && divisor->type == model::ValueType::text) {
      table_.fault("ratio_to", divisor->code + " is a text, not a number");
    }
    const auto apart_ms = parse_duration(table_.text("apart"));
    if (!apart_ms) {
      table_.fault("apart", std::string("a ratio needs apart = ") + kDurationWanted);
    }
    ratio.apart_ms = apart_ms.value_or(0);
    check_positive();
    test_ = std::move(ratio);
  }

  void read_slope(Op op) {
    with_slope_ = true;
    Slope slope{.op = op};
    const auto per_ms = parse_time_unit(table_.text("per"));
    if (!per_ms) table_.fault("per", "a slope needs per = \"s\", \"min\", \"h\", \"d\" or \"wk\"");
    slope.per_ms = amount_ / static_cast<double>(per_ms.value_or(1));
    const auto over_ms = parse_duration(table_.text("over"));
    if (!over_ms) table_.fault("over", std::string("a slope needs over = ") + kDurationWanted);
    slope.over_ms = over_ms.value_or(0);
    const double points = table_.number("points").value_or(0);
    if (points != std::floor(points) || points < 2 || points > kSlopePointsMax) {
      table_.fault("points", "a slope needs points, a whole number from 2 to " +
                                 std::to_string(kSlopePointsMax));
    } else {
      slope.points_min = static_cast<std::size_t>(points);
    }
    const std::string fit = table_.text("fit");
    slope.ends = fit == "ends";
    if (table_.has("fit") && !slope.ends && fit != "least-squares") {
      table_.fault("fit", "fit must be \"least-squares\" or \"ends\"");
    }
    read_unit();
    test_ = slope;
  }

  void read_change(const std::string& key) {
    const bool rises = key.starts_with("rise");
    Comparison change{.op = rises ? Op::at_least : Op::at_most};
    if (key.ends_with("_above")) change.op = rises ? Op::above : Op::below;
    with_from_ = true;
    const std::string from = table_.text("from");
    change.with_baseline = from == "baseline";
    if (from != "baseline" && from != "last") {
      table_.fault("from", "a change needs from = \"baseline\" or from = \"last\"");
    }
    check_positive();
    if (key.ends_with("_percent")) {
      change.factor = 1 + (rises ? amount_ : -amount_) / 100;
      if (!rises && amount_ > 100) fault("nothing falls by more than 100 percent");
    } else {
      change.offset = rises ? amount_ : -amount_;
      read_unit();
    }
    test_ = change;
  }

  void check_positive() {
    if (amount_ <= 0) fault(keys_[0] + " must be greater than 0 here");
  }

  void read_unit() {
    in_unit_ = true;
    unit_ = table_.text("unit");
  }

  void read_answer() {
    Answer answer{table_.texts("one_of")};
    if (answer.one_of.empty()) fault("one_of must name at least one text");
    test_ = RecordTest(std::move(answer));
  }

  void read_serious() {
    if (!table_.flag("serious").value_or(true)) fault("serious can only be true");
    check_adverse_event();
    test_ = RecordTest(Serious{});
  }

  void read_grade() {
    const double grade = table_.number(kGrade).value_or(1);
    if (grade != 1 && grade != 2 && grade != 3 && grade != 4) {
      fault("ctcae_grade_at_least must be 1, 2, 3 or 4");
    }
    grade_ = std::clamp(static_cast<int>(grade), 1, 4);
    const std::string direction = table_.text("direction");
    if (direction == "low") direction_ = ctcae::Direction::low;
    if (direction == "high") direction_ = ctcae::Direction::high;
    if (table_.has("direction") && !direction_) {
      table_.fault("direction", "direction must be \"low\" or \"high\"");
    }
    // What is wrong in [ctcae] is told when the rules as a whole are read.
    if (auto made = ctcae::StudyGrading::make(study_)) grading_ = std::move(*made);
    // A study without an id could not be read, and what it lacks is no fault of the rules.
    if (!study_.ctcae && !study_.id.empty()) {
      fault("ctcae_grade_at_least needs [ctcae] in study.toml");
    }
    if (kind_ != Kind::lab && kind_ != Kind::vital) fault("only a lab or a vital has a grade");
  }

  std::vector<ctcae::GradedTerm> terms_of(const std::string& code) const {
    std::vector<ctcae::GradedTerm> chosen;
    const auto* terms = grading_.terms(kind_, code);
    if (terms == nullptr) return chosen;
    for (const ctcae::GradedTerm& one : *terms) {
      if (direction_ && one.term->direction != *direction_) continue;
      if (!if_gradable_ || gradable(one)) chosen.push_back(one);
    }
    return chosen;
  }

  static bool asks_for_patient(const ctcae::GradedTerm& one) {
    return (one.term->asks_for() & (ctcae::kAge | ctcae::kSex)) != 0;
  }
  // Whether it is to be had by a rule that lists no codes. What the study names itself is meant to
  // be graded, and is at fault where its unit does not fit.
  static bool gradable(const ctcae::GradedTerm& one) {
    return !asks_for_patient(one) && (one.unfit.empty() || one.named);
  }

  static bool asks_for_baseline(const ctcae::GradedTerm& one) {
    return (one.term->asks_for() & (ctcae::kBaseline | ctcae::kChange)) != 0;
  }

  // Terms that ask for the baseline are judged by what is remembered, which is in the code's own
  // unit; the others by the record, in the unit that was measured.
  std::vector<Test> grades_for(const std::string& code) {
    GradeFrom from{*grade_, grading_.criteria(), terms_of(code)};
    if (grading_.criteria() == nullptr || code.empty()) return {RecordTest{}};  // told already
    if (from.terms.empty()) {
      fault("CTCAE version " + grading_.criteria()->version + " has no term for " + code +
            " that is known here; [ctcae.terms] in study.toml may name one");
    }
    for (const ctcae::GradedTerm& one : from.terms) {
      if (!one.unfit.empty()) fault(code + ": " + one.unfit);
      if (asks_for_patient(one)) {
        fault(code + ": " + one.term->name + " asks for the age, which no rule knows");
      }
    }
    const auto beside =
        std::stable_partition(from.terms.begin(), from.terms.end(), std::not_fn(asks_for_baseline));
    GradeFrom compared{from.grade, from.criteria, {beside, from.terms.end()}};
    from.terms.erase(beside, from.terms.end());
    std::vector<Test> tests;
    if (!from.terms.empty()) tests.emplace_back(RecordTest(std::move(from)));
    if (!compared.terms.empty()) tests.emplace_back(GradeBesideBaseline{std::move(compared)});
    return tests;
  }

  void read_severity() {
    const std::string severity = table_.text("severity_from");
    const auto grade = severity_grade(severity);
    if (!grade) fault("unknown severity " + quoted(severity));
    check_adverse_event();
    test_ = RecordTest(SeverityFrom{grade.value_or(1)});
  }

  void check_adverse_event() {
    if (kind_ != Kind::adverse_event) fault("only an adverse_event has " + keys_[0]);
  }

  void check_answer(const Answer& answer, const Code& code) {
    if (code.type == model::ValueType::number) {
      fault(code.code + " is a number: use at_least, above, at_most or below");
    }
    for (const std::string& text : answer.one_of) {
      const auto& values = code.values;
      if (!values.empty() && std::find(values.begin(), values.end(), text) == values.end()) {
        fault(quoted(text) + " is not one of the values of " + code.code);
      }
    }
  }

  // The test with its number in the code's own unit.
  Test in_unit_of(const Code& code) {
    const auto to_own = code.to_own(unit_);
    if (!to_own) {
      const bool given = table_.has("unit");
      table_.fault(given ? "unit" : keys_[0], (given ? "" : "unit ") + to_own.error().message);
      return test_;
    }
    if (!to_own->linear) {
      table_.fault("unit", ucum::quoted(unit_) + " is wrong: " + code.code + " is in " +
                               code.units.front().name + ", which is not in proportion to it");
      return test_;
    }
    if (const auto* comparison = std::get_if<Comparison>(&test_)) {
      Comparison converted = *comparison;
      converted.offset *= to_own->factor;
      return converted;
    }
    if (const auto* slope = std::get_if<Slope>(&test_)) {
      Slope converted = *slope;
      converted.per_ms *= to_own->factor;
      return converted;
    }
    auto converted = std::get<Threshold>(std::get<RecordTest>(test_));
    converted.limit = (*to_own)(converted.limit);
    return RecordTest(converted);
  }

  TableReader& table_;
  const model::Study& study_;
  const Kind kind_;
  std::vector<std::string> keys_;  // those of the test; one when there is no fault
  Test test_;                      // its number, if any, not yet in the code's own unit
  double amount_ = 1;
  bool of_numbers_ = false, in_unit_ = false;
  bool with_of_ = false, with_from_ = false;  // which members belong to the test
  bool with_ratio_ = false, with_slope_ = false;
  std::string unit_;
  std::optional<int> grade_;
  bool if_gradable_ = false;  // terms that cannot be had are left out
  std::optional<ctcae::Direction> direction_;
  ctcae::StudyGrading grading_;
};

}  // namespace

std::vector<CodeTest> read_tests(TableReader& table, const model::Study& study, Kind kind,
                                 const std::vector<std::string>& codes) {
  TestReader reader(table, study, kind);
  std::vector<CodeTest> tests;
  for (const std::string& code : reader.expanded(codes)) {
    for (Test& test : reader.tests_for(code)) tests.push_back({code, std::move(test)});
  }
  return tests;
}

std::string quoted(std::string_view text) {
  std::string all = "\"";
  all.append(text).push_back('"');
  return all;
}

void refuse(TableReader& table, const char* key, const char* reason) {
  if (!table.has(key)) return;
  (void)table.text(key);
  table.fault(key, std::string(key) + " " + reason);
}

}  // namespace trialward::monitor
