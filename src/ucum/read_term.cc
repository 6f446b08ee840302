#include "ucum/read_term.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include "ucum/unit_algebra.h"

namespace trialward::ucum {
namespace {

constexpr std::size_t kNumberDigitsMax = 12;
constexpr std::size_t kExponentDigitsMax = 4;  // enough to say that it is too large

bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_sign(char c) { return c == '+' || c == '-'; }
bool prints(char c) { return '!' <= c && c <= '~'; }

bool all_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

class TermReader {
 public:
  TermReader(std::string_view expression, const AtomTable& table, std::string* words)
      : text_(expression), table_(table), words_(words) {}

  base::Result<Unit> read() {
    check_characters();
    Unit unit;
    if (!failed()) unit = expression();
    if (!failed() && place_ < text_.size()) unexpected();
    if (failed()) return base::Error{base::Errc::invalid, std::move(*reason_)};
    unit.text = text_;
    return unit;
  }

 private:
  bool failed() const { return reason_.has_value(); }
  bool ended() const { return place_ == text_.size(); }
  char next() const { return ended() ? '\0' : text_[place_]; }

  // Only the first is kept.
  void fail(std::size_t place, const std::string& reason) {
    if (failed()) return;
    reason_ = "unit " + quoted(text_) + ", character " + std::to_string(place + 1) + ": " + reason;
  }
  void check(const base::Status& status, std::size_t place) {
    if (!status) fail(place, status.error().message);
  }
  void say(std::string_view words) {
    if (words_) words_->append(words);
  }

  void check_characters() {
    if (text_.empty()) return fail(0, "there is nothing");
    if (text_.size() > kExpressionCharsMax) {
      return fail(kExpressionCharsMax,
                  "more than " + std::to_string(kExpressionCharsMax) + " characters");
    }
    for (std::size_t i = 0; i < text_.size(); ++i) {
      if (text_[i] == ' ') return fail(i, "a blank; units are multiplied by '.'");
      if (!prints(text_[i])) return fail(i, "a character that UCUM does not have");
    }
  }

  void unexpected() {
    const std::size_t place = place_;
    if (next() == ')') return fail(place, "')' without '('");
    if (next() == '}') return fail(place, "'}' without '{'");
    if (next() == ']') return fail(place, "']' without '['");
    fail(place, "expected '.' or '/' before " + quoted(text_.substr(place)));
  }

  Unit expression() {
    if (next() != '/') return term(1);
    ++place_;
    say("1 / ");
    return term(-1);
  }

  // The sign is that of the first component.
  Unit term(int sign) {
    Unit product;
    for (;;) {
      const std::size_t start = place_;
      const Unit part = component();
      if (failed()) return product;
      check(multiply_into(product, part, sign), start);
      if (failed() || (next() != '.' && next() != '/')) return product;
      sign = next() == '.' ? 1 : -1;
      say(sign > 0 ? " * " : " / ");
      ++place_;
    }
  }

  Unit component() {
    if (next() == '(') return nested();
    if (next() == '{') {
      annotation(true);
      return {};
    }
    const std::size_t start = place_;
    const std::string_view run = take_run();
    if (run.empty()) {
      fail(start, ended() ? "a unit is missing at the end"
                          : "expected a unit before " + quoted(text_.substr(start)));
      return {};
    }
    Unit unit = all_digits(run) ? number(run, start) : simple_unit(run, start);
    if (!failed() && next() == '{') annotation(false);
    return unit;
  }

  Unit nested() {
    const std::size_t start = place_++;
    if (++depth_ > kNestingMax) {
      fail(start, "more than " + std::to_string(kNestingMax) + " parentheses in one another");
      return {};
    }
    say("(");
    Unit unit = term(1);
    say(")");
    --depth_;
    if (failed()) return {};
    if (next() != ')') {
      fail(start, "'(' without ')'");
      return {};
    }
    ++place_;
    return unit;
  }

  void annotation(bool alone) {
    const std::size_t start = place_;
    const std::size_t end = text_.find_first_of("{}", start + 1);
    if (end == std::string_view::npos || text_[end] == '{') return fail(start, "'{' without '}'");
    place_ = end + 1;
    if (alone) say(text_.substr(start, place_ - start));
  }

  // Up to an operator, a sign or an annotation; whatever stands in brackets belongs to it.
  std::string_view take_run() {
    const std::size_t start = place_;
    while (!ended()) {
      const char c = next();
      if (c == '[') {
        const std::size_t end = text_.find_first_of("[]", place_ + 1);
        if (end == std::string_view::npos || text_[end] == '[') {
          fail(place_, "'[' without ']'");
          return "[";
        }
        place_ = end;
      } else if (c == '.' || c == '/' || c == '(' || c == ')' || c == '{' || c == '}' ||
                 c == ']' || is_sign(c)) {
        break;
      }
      ++place_;
    }
    return text_.substr(start, place_ - start);
  }

  Unit number(std::string_view digits, std::size_t start) {
    if (failed()) return {};
    if (is_sign(next())) {
      fail(start, quoted(digits) + " is a number and has no exponent; a power of ten is 10*" +
                      (next() == '-' ? "-" : "") + "3");
      return {};
    }
    if (digits.size() > kNumberDigitsMax) {
      fail(start, "a number of more than " + std::to_string(kNumberDigitsMax) + " digits");
      return {};
    }
    Unit unit;
    std::from_chars(digits.data(), digits.data() + digits.size(), unit.factor);
    if (unit.factor == 0) fail(start, "a unit cannot be 0");
    say(digits);
    return unit;
  }

  Unit simple_unit(std::string_view run, std::size_t start) {
    if (failed()) return {};
    std::string_view symbol = run;
    while (is_digit(symbol.back())) symbol.remove_suffix(1);
    std::string_view exponent = run.substr(symbol.size());
    if (is_sign(next())) {
      const std::size_t sign = place_++;
      while (is_digit(next())) ++place_;
      if (!exponent.empty() || place_ == sign + 1) {
        fail(sign, "a sign belongs between a unit and its exponent");
        return {};
      }
      exponent = text_.substr(sign, place_ - sign);
    }
    const auto found = table_.symbol(symbol);
    if (!found) {
      fail(start, unknown(symbol));
      return {};
    }
    Unit unit = found->atom->unit;
    if (found->prefix) {
      (unit.scale == Scale::ratio ? unit.factor : unit.step) *= found->prefix->value;
    }
    say("(");
    if (found->prefix) say(found->prefix->name);
    say(found->atom->name);
    if (!exponent.empty()) power(unit, exponent, start + symbol.size());
    say(")");
    return unit;
  }

  void power(Unit& unit, std::string_view exponent, std::size_t start) {
    if (exponent.front() == '+') exponent.remove_prefix(1);
    int value = kExponentMax + 1;
    if (exponent.size() <= kExponentDigitsMax) {
      std::from_chars(exponent.data(), exponent.data() + exponent.size(), value);
    }
    if (std::abs(value) > kExponentMax) {
      return fail(start, "an exponent beyond " + std::to_string(kExponentMax));
    }
    say(" ^ ");
    say(exponent);
    check(raise(unit, value), start);
  }

  std::string unknown(std::string_view symbol) const {
    std::string reason = quoted(symbol) + " is no unit";
    const std::size_t digits = std::min(symbol.find_first_not_of("0123456789"), symbol.size());
    if (digits > 0 && table_.symbol(symbol.substr(digits))) {
      reason += "; between a number and a unit belongs '.'";
    } else if (const auto meant = table_.symbol("[" + std::string(symbol) + "]")) {
      reason += "; [" + std::string(symbol) + "] is one";
    }
    return reason;
  }

  const std::string_view text_;
  const AtomTable& table_;
  std::string* const words_;
  std::size_t place_ = 0;
  int depth_ = 0;
  std::optional<std::string> reason_;
};

}  // namespace

base::Result<Unit> read_term(std::string_view expression, const AtomTable& table,
                             std::string* words) {
  return TermReader(expression, table, words).read();
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kBytesMax = 60;
  std::size_t end = std::min(text.size(), kBytesMax);
  if (end < text.size()) {  // not within a UTF-8 sequence
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  }
  std::string found = "\"";
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    found.push_back(byte < ' ' || byte == 0x7F ? '?' : c);
  }
  return found + (end < text.size() ? "…\"" : "\"");
}

}  // namespace trialward::ucum
