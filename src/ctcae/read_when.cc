#include "ctcae/read_when.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

namespace trialward::ctcae {
namespace {

struct Guard {
  std::string_view words;
  Clause::Of of;
};
// Longer ones first where one begins another.
constexpr std::array<Guard, 8> kGuards = {{{"baseline not high", Clause::Of::baseline_not_high},
                                           {"baseline not low", Clause::Of::baseline_not_low},
                                           {"baseline high", Clause::Of::baseline_high},
                                           {"baseline low", Clause::Of::baseline_low},
                                           {"adult", Clause::Of::adult},
                                           {"child", Clause::Of::child},
                                           {"male", Clause::Of::male},
                                           {"female", Clause::Of::female}}};

std::optional<Compare> parse_compare(std::string_view word) {
  if (word == "<") return Compare::below;
  if (word == "<=") return Compare::at_most;
  if (word == ">") return Compare::above;
  if (word == ">=") return Compare::at_least;
  return std::nullopt;
}

std::optional<Reference> parse_reference(std::string_view word) {
  if (word == "LLN") return Reference::lln;
  if (word == "ULN") return Reference::uln;
  if (word == "baseline") return Reference::baseline;
  if (word == "upper") return Reference::upper;
  return std::nullopt;
}

std::optional<double> parse_number(std::string_view word) {
  double number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

// Reads words from the front; the first fault stays.
class WhenReader {
 public:
  WhenReader(std::string_view text, const std::vector<std::string>& units)
      : rest_(text), units_(units) {}

  base::Result<Condition, std::string> read() && {
    Condition condition;
    if (rest_.size() > kWhenCharsMax) fail("is too long");
    while (fault_.empty()) {
      condition.clauses.push_back(read_clause());
      if (take("if known")) condition.if_known = true;
      if (rest_.empty() || !fault_.empty()) break;
      if (condition.if_known || !take("and")) fail("expected 'and' at '" + word() + "'");
      if (condition.clauses.size() == kClausesMax) fail("has too many clauses");
    }
    if (!fault_.empty()) return std::move(fault_);
    return condition;
  }

 private:
  Clause read_clause() {
    Clause clause;
    for (const Guard& guard : kGuards) {
      if (!take(guard.words)) continue;
      clause.of = guard.of;
      return clause;
    }
    if (take("change")) clause.of = Clause::Of::change;
    const auto compare = parse_compare(word());
    if (!compare) {
      fail("expected <, <=, >, >= or a word of the language at '" + word() + "'");
      return clause;
    }
    take(word());
    clause.compare = *compare;
    if (clause.of == Clause::Of::change) {
      clause.amounts.fill(read_number());
      if (!take("%")) fail("a change is in %");
      return clause;
    }
    read_limit(clause);
    return clause;
  }

  void read_limit(Clause& clause) {
    if (const auto reference = parse_reference(word())) {
      clause.reference = *reference;
      take(word());
    } else {
      const double number = read_number();
      if (!take("x")) return read_amounts(number, clause);
      clause.factor = number;
      const auto multiplied = parse_reference(word());
      if (!multiplied) return fail("expected LLN, ULN, baseline or upper at '" + word() + "'");
      clause.reference = *multiplied;
      take(word());
      if (clause.factor <= 0) fail("a factor is above 0");
    }
    if (take("+")) read_amounts(read_number(), clause);
  }

  // `number` is the first one, taken already.
  void read_amounts(double number, Clause& clause) {
    if (units_.empty()) {
      clause.amounts.fill(number);
      return;
    }
    std::vector<bool> given(units_.size(), false);
    while (fault_.empty()) {
      const std::string name = word();
      const auto unit = std::find(units_.begin(), units_.end(), name);
      if (unit == units_.end()) return fail("'" + name + "' is no unit of the term");
      take(name);
      const auto index = static_cast<std::size_t>(unit - units_.begin());
      if (given[index]) return fail("the unit " + name + " is given twice");
      given[index] = true;
      clause.amounts[index] = number;
      if (!take("|")) break;
      number = read_number();
    }
    for (std::size_t i = 0; i < units_.size(); ++i) {
      if (!given[i]) fail("the limit in " + units_[i] + " is missing");
    }
  }

  double read_number() {
    const std::string text = word();
    const auto number = parse_number(text);
    if (!number) {
      fail("expected a number at '" + text + "'");
      return 0;
    }
    take(text);
    return *number;
  }

  std::string word() const { return std::string(rest_.substr(0, rest_.find(' '))); }

  // Takes these words if they come next as whole words.
  bool take(std::string_view words) {
    if (words.empty() || !rest_.starts_with(words)) return false;
    if (rest_.size() > words.size() && rest_[words.size()] != ' ') return false;
    rest_.remove_prefix(std::min(words.size() + 1, rest_.size()));
    return true;
  }

  void fail(std::string reason) {
    if (fault_.empty()) fault_ = std::move(reason);
  }

  std::string_view rest_;
  const std::vector<std::string>& units_;
  std::string fault_;
};

}  // namespace

base::Result<Condition, std::string> read_when(std::string_view text,
                                               const std::vector<std::string>& units) {
  return WhenReader(text, units).read();
}

}  // namespace trialward::ctcae
