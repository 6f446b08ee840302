#include "model/form_value.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/effective_time.h"
#include "ucum/unit.h"

namespace trialward::model {
namespace {

constexpr std::string_view kUcum = "http://unitsofmeasure.org";

std::optional<int> order(double a, double b) { return a < b ? -1 : a > b ? 1 : 0; }

// Texts of one shape, most significant first, of which either may be only a beginning: nothing
// where one is the beginning of the other and so may mean any side of it.
std::optional<int> order_of_partial(std::string_view a, std::string_view b) {
  const std::size_t common = std::min(a.size(), b.size());
  const int head = a.substr(0, common).compare(b.substr(0, common));
  if (head != 0) return head < 0 ? -1 : 1;
  if (a.size() == b.size()) return 0;
  return std::nullopt;
}

std::optional<int> order_of_dates(std::string_view a, std::string_view b) {
  const auto instant_a = parse_instant(a), instant_b = parse_instant(b);
  if (instant_a && instant_b) return *instant_a < *instant_b ? -1 : *instant_a > *instant_b;
  // A day of another zone may be another day; as the day is all that is known it counts as it is.
  return order_of_partial(a.substr(0, 10), b.substr(0, 10));
}

// Seconds without a fraction are those with one of zero.
std::optional<int> order_of_times(std::string_view a, std::string_view b) {
  const int head = a.substr(0, 8).compare(b.substr(0, 8));
  if (head != 0) return head < 0 ? -1 : 1;
  const auto fraction = [](std::string_view time) {
    std::string_view digits = time.size() > 9 ? time.substr(9) : std::string_view();
    return digits.substr(0, digits.find_last_not_of('0') + 1);
  };
  const int tail = fraction(a).compare(fraction(b));
  return tail < 0 ? -1 : tail > 0;
}

std::optional<int> order_of_quantities(const FormValue& a, const FormValue& b) {
  if (!a.has_number || !b.has_number) return std::nullopt;
  const Coding &one = a.coding, &other = b.coding;
  if (one.code.empty() || other.code.empty()) {
    // Units in words are compared as words; a number without any unit is one of the same unit.
    const std::string_view left = one.display.empty() ? one.code : one.display;
    const std::string_view right = other.display.empty() ? other.code : other.display;
    if (left != right && !left.empty() && !right.empty()) return std::nullopt;
    return order(a.number, b.number);
  }
  if (one.code == other.code && one.system == other.system) return order(a.number, b.number);
  if (one.system != kUcum || other.system != kUcum) return std::nullopt;
  const auto from = ucum::parse(one.code), to = ucum::parse(other.code);
  if (!from || !to) return std::nullopt;
  const auto converted = ucum::convert(a.number, *from, *to);
  if (!converted || !std::isfinite(*converted)) return std::nullopt;
  if (ucum::same_at(*converted, b.number)) return 0;
  return order(*converted, b.number);
}

bool is_number(FormType type) { return type == FormType::integer || type == FormType::decimal; }
bool is_date(FormType type) { return type == FormType::date || type == FormType::date_time; }
bool is_text(FormType type) { return type == FormType::string || type == FormType::uri; }

}  // namespace

bool same_concept(const Coding& a, const Coding& b) {
  if (a.code.empty() && b.code.empty()) return a.system == b.system && a.display == b.display;
  return a.system == b.system && a.code == b.code;
}

std::optional<int> compare(const FormValue& a, const FormValue& b) {
  const bool quantities = a.type == FormType::quantity && b.type == FormType::quantity;
  if (quantities) return order_of_quantities(a, b);
  const auto numeric = [](FormType type) {
    return is_number(type) || type == FormType::quantity;
  };
  if (numeric(a.type) && numeric(b.type)) {
    if (!a.has_number || !b.has_number) return std::nullopt;
    return order(a.number, b.number);
  }
  if (is_date(a.type) && is_date(b.type)) return order_of_dates(a.text, b.text);
  if (a.type == FormType::time && b.type == FormType::time) return order_of_times(a.text, b.text);
  if (is_text(a.type) && is_text(b.type)) {
    const int order = a.text.compare(b.text);  // UTF-8's order is that of its characters
    return order < 0 ? -1 : order > 0;
  }
  return std::nullopt;
}

bool same_value(const FormValue& a, const FormValue& b) {
  if (a.type == FormType::coding && b.type == FormType::coding) {
    return same_concept(a.coding, b.coding);
  }
  if (a.type == FormType::boolean && b.type == FormType::boolean) return a.flag == b.flag;
  if (a.type == FormType::reference && b.type == FormType::reference) return a.text == b.text;
  return compare(a, b) == 0;
}

std::string words_of(const FormValue& value) {
  const auto named = [](const std::string& code, const std::string& words) {
    if (code.empty()) return words;
    return words.empty() ? code : code + " (" + words + ")";
  };
  std::string words;
  switch (value.type) {
    case FormType::none: words = "nothing"; break;
    case FormType::boolean: words = value.flag ? "true" : "false"; break;
    case FormType::coding: words = named(value.coding.code, value.coding.display); break;
    case FormType::quantity: {
      const std::string& unit = value.coding.code;
      words = value.text + ' ' + (unit.empty() ? value.coding.display : unit);
      break;
    }
    case FormType::other: words = value.element; break;
    default: words = value.text;
  }
  return words;
}

std::string in_words(const FormValue& value) { return ucum::quoted(words_of(value)); }

int decimal_places(std::string_view number) {
  int places = 0;
  const std::size_t exponent_at = number.find_first_of("eE");
  const std::size_t point = number.find('.');
  if (point != std::string_view::npos) {
    places = static_cast<int>(std::min(exponent_at, number.size()) - point - 1);
  }
  if (exponent_at != std::string_view::npos) {
    std::string_view digits = number.substr(exponent_at + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    int exponent = 0;
    // An exponent beyond an int is of a number beyond a double, which is none here.
    std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    places = std::clamp(places - std::clamp(exponent, -10000, 10000), 0, 20000);
  }
  return places;
}

}  // namespace trialward::model
