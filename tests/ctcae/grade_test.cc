#include "ctcae/grade.h"

#include "ctcae/fit.h"
#include "ctcae/tables.h"
#include "tests/ctcae/harness.h"

namespace trialward::ctcae {
namespace {

Measurement measurement_of(const Term& term, const std::string& text) {
  Measurement measurement;
  std::istringstream members(text);
  for (std::string member; members >> member;) {
    const auto equal = member.find('=');
    const std::string name = member.substr(0, equal);
    const std::string given = member.substr(equal + 1);
    if (name == "unit") {
      const auto unit = listed_unit(term, given);
      EXPECT_TRUE(unit) << given;
      measurement.unit = unit.value_or(0);
    } else if (name == "flag") {
      measurement.baseline_flag = given == "low"      ? BaselineFlag::low
                                  : given == "normal" ? BaselineFlag::normal
                                                      : BaselineFlag::high;
    } else if (name == "sex") {
      measurement.sex = given == "male" ? Sex::male : Sex::female;
    } else if (name == "digits") {
      measurement.significant_digits = std::stoi(given);
    } else {
      auto& number = name == "value"    ? measurement.value
                     : name == "lln"    ? measurement.lln
                     : name == "uln"    ? measurement.uln
                     : name == "base"   ? measurement.baseline
                     : name == "change" ? measurement.change_percent
                                        : measurement.age_years;
      EXPECT_TRUE(&number != &measurement.age_years || name == "age") << member;
      number = std::stod(given);
    }
  }
  return measurement;
}

TEST(GradeOf, IsWhatTheCasesSay) {
  for (const std::string& line : read_lines(test_file("grades.txt"))) {
    SCOPED_TRACE(line);
    const auto colon = line.find(": ");
    const auto arrow = line.find(" => ");
    ASSERT_TRUE(colon < arrow && arrow != std::string::npos);
    const Criteria* criteria = criteria_of(line.substr(0, 1));
    ASSERT_NE(criteria, nullptr);
    const Term* term = criteria->term(line.substr(2, colon - 2));
    ASSERT_NE(term, nullptr);
    const Measurement measurement =
        measurement_of(*term, line.substr(colon + 2, arrow - colon - 2));
    EXPECT_EQ(to_text(*term, grade_of(*term, measurement)), line.substr(arrow + 4));
  }
}

// A worse value never has a better grade.
TEST(GradeOf, IsMonotoneInTheValue) {
  for (const NamedText& table : texts()) {
    if (!table.name.starts_with('v')) continue;
    const Criteria* criteria = criteria_of(table.name.substr(1, 1));
    ASSERT_NE(criteria, nullptr);
    for (const Term& term : criteria->terms) {
      for (const auto flag : {BaselineFlag::low, BaselineFlag::normal, BaselineFlag::high}) {
        Measurement measurement{.lln = 3, .uln = 7, .baseline = 5, .baseline_flag = flag};
        int last = 0;
        for (int step = 1; step <= 4000; ++step) {
          const double value = 0.05 * (term.direction == Direction::high ? step : 4000 - step);
          measurement.value = value;
          measurement.change_percent = (value / 5 - 1) * 100;
          measurement.age_years = 50;
          const int grade = grade_of(term, measurement).grade.value_or(last);
          EXPECT_GE(grade, last) << term.name << " v" << criteria->version << " at " << value;
          last = grade;
        }
      }
    }
  }
}

TEST(OrderAt, RoundsToTheDigits) {
  EXPECT_EQ(order_at(1.5, 0.1 * 15, 15), 0);
  EXPECT_EQ(order_at(0.1 + 0.2, 0.3, 15), 0);
  EXPECT_EQ(order_at(0.3, 0.3001, 15), -1);
  EXPECT_EQ(order_at(0.3, 0.3001, 3), 0);
  EXPECT_EQ(order_at(-75.04, -75, 3), 0);
  EXPECT_EQ(order_at(-75.06, -75, 3), -1);
  EXPECT_EQ(order_at(0, -0.0, 15), 0);
  EXPECT_EQ(order_at(1e-300, 0, 15), 1);
  EXPECT_EQ(order_at(99.6, 100, 2), 0);
  EXPECT_EQ(order_at(5, 4, 1), 1);
}

TEST(NamesOf, ListsWhatIsMissing) {
  EXPECT_EQ(names_of(0), "");
  EXPECT_EQ(names_of(kLln | kBaseline), "the LLN, the baseline");
}

}  // namespace
}  // namespace trialward::ctcae
