#include "model/form_value.h"

#include <gtest/gtest.h>

#include "model/json_number.h"

namespace trialward::model {
namespace {

FormValue value(FormType type, std::string text, Coding unit = {}) {
  FormValue result;
  result.type = type;
  result.coding = std::move(unit);
  const auto number = parse_json_number(text);
  result.has_number = number.has_value();
  result.number = number.value_or(0);
  result.text = std::move(text);
  return result;
}

struct OrderCase {
  FormValue a, b;
  std::optional<int> order;
};

TEST(FormValue, IsComparedWithItsLike) {
  constexpr const char* kUcum = "http://unitsofmeasure.org";
  const Coding kg{kUcum, "kg", ""}, g{kUcum, "g", ""}, m{kUcum, "m", ""}, words{"", "", "Kg"};
  const OrderCase cases[] = {
      {value(FormType::integer, "1"), value(FormType::decimal, "1.5"), -1},
      {value(FormType::quantity, "1", kg), value(FormType::quantity, "1000", g), 0},
      {value(FormType::quantity, "1", kg), value(FormType::quantity, "999", g), 1},
      {value(FormType::quantity, "1", kg), value(FormType::quantity, "1", m), std::nullopt},
      {value(FormType::quantity, "2", words), value(FormType::quantity, "1", words), 1},
      {value(FormType::quantity, "2", words), value(FormType::quantity, "1", kg), std::nullopt},
      {value(FormType::quantity, "2", kg), value(FormType::integer, "3"), -1},
      {value(FormType::date, "2020"), value(FormType::date, "2020-06"), std::nullopt},
      {value(FormType::date, "2020-05"), value(FormType::date, "2020-06-01"), -1},
      {value(FormType::date_time, "2020-01-01T00:00:00+01:00"),
       value(FormType::date_time, "2020-01-01T00:00:00Z"), -1},
      {value(FormType::date_time, "2020-01-01T00:00:00Z"), value(FormType::date, "2020-01-01"), 0},
      {value(FormType::time, "08:00:00"), value(FormType::time, "08:00:00.00"), 0},
      {value(FormType::time, "08:00:00.5"), value(FormType::time, "08:00:00.45"), 1},
      {value(FormType::string, "a"), value(FormType::uri, "b"), -1},
      {value(FormType::string, "a"), value(FormType::integer, "1"), std::nullopt},
      {value(FormType::date, "2020"), value(FormType::integer, "2020"), std::nullopt},
  };
  for (const OrderCase& one : cases) {
    EXPECT_EQ(compare(one.a, one.b), one.order) << in_words(one.a) << ' ' << in_words(one.b);
    const std::optional<int> reverse = one.order ? std::optional(-*one.order) : std::nullopt;
    EXPECT_EQ(compare(one.b, one.a), reverse) << in_words(one.b) << ' ' << in_words(one.a);
    EXPECT_EQ(same_value(one.a, one.b), one.order == 0);
  }
  EXPECT_TRUE(same_value(value(FormType::string, "a"), value(FormType::uri, "a")));
}

TEST(FormValue, ConceptsAreTheSameByCodeAndSystem) {
  EXPECT_TRUE(same_concept({"s", "a", "A"}, {"s", "a", "B"}));
  EXPECT_FALSE(same_concept({"s", "a", ""}, {"t", "a", ""}));
  EXPECT_FALSE(same_concept({"", "a", "A"}, {"", "", "A"}));
  EXPECT_TRUE(same_concept({"", "", "A"}, {"", "", "A"}));
}

TEST(FormValue, DecimalPlacesAreThoseWritten) {
  for (const auto& [text, places] :
       {std::pair("1", 0), {"1.50", 2}, {"-0.5", 1}, {"1.5e-1", 2}, {"1.25e1", 1}, {"1.5E+3", 0},
        {"1e-400", 400}, {"1e99999999999", 0}}) {
    EXPECT_EQ(decimal_places(text), places) << text;
  }
}

}  // namespace
}  // namespace trialward::model
