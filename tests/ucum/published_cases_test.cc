// UCUM's published functional tests: units that are valid and that are not, their names in words,
// conversions and quotients. The file lies outside of the project and is found through
// TRIALWARD_SHARED. All sections and all cases are in scope: nothing is left out.
#include <gtest/gtest.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "ucum/unit.h"

namespace trialward::ucum {
namespace {

using Case = std::map<std::string, std::string>;

std::vector<std::string> cut(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream in(line + ",");
  for (std::string cell; std::getline(in, cell, ',');) {
    if (cell.ends_with('\r')) cell.pop_back();
    cells.push_back(cell);
  }
  return cells;
}

// The cases of a section; none when the file is not there.
std::vector<Case> cases(const std::string& section) {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  const std::string root = shared ? shared : TRIALWARD_SOURCE "/../shared";
  std::ifstream file(root + "/data/ucum/cases.csv");
  std::vector<Case> found;
  std::string line;
  std::getline(file, line);
  const auto names = cut(line);
  while (std::getline(file, line)) {
    const auto cells = cut(line);
    Case one;
    for (std::size_t i = 0; i < names.size() && i < cells.size(); ++i) one[names[i]] = cells[i];
    if (one["section"] == section) found.push_back(std::move(one));
  }
  return found;
}

double to_number(const std::string& text) {
  double number = NAN;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The digits that a published result has; 0.160 has three.
int significant_digits(const std::string& text) {
  int digits = 0;
  for (const char c : text) {
    if (c == '.' || (c == '0' && digits == 0)) continue;
    ++digits;
  }
  return digits;
}

// Whether a result, rounded to the digits of the published one, is the same.
bool rounds_to(double result, const std::string& published) {
  const int digits = std::min(significant_digits(published), kSignificantDigits + 1);
  const double expected = to_number(published);
  const double last = std::pow(10, std::floor(std::log10(std::abs(expected))) + 1 - digits);
  return std::abs(result - expected) <= last * 0.5000001;
}

TEST(PublishedCases, EachUnitIsValidOrNotAsItSays) {
  const auto all = cases("validation");
  if (all.empty()) GTEST_SKIP() << "no ucum/cases.csv";
  EXPECT_EQ(all.size(), 260u);
  for (const Case& one : all) {
    const auto unit = parse(one.at("unit"));
    EXPECT_EQ(unit.ok(), one.at("valid") == "true")
        << one.at("id") << " " << one.at("unit") << (unit ? "" : ": " + unit.error().message);
  }
}

TEST(PublishedCases, EachNameInWordsIsTheSame) {
  const auto all = cases("displayNameGeneration");
  if (all.empty()) GTEST_SKIP() << "no ucum/cases.csv";
  EXPECT_EQ(all.size(), 7u);
  for (const Case& one : all) {
    const auto name = display_name(one.at("unit"));
    ASSERT_TRUE(name.ok()) << name.error().message;
    EXPECT_EQ(*name, one.at("display")) << one.at("id");
  }
}

TEST(PublishedCases, EachConversionRoundsToTheResult) {
  const auto all = cases("conversion");
  if (all.empty()) GTEST_SKIP() << "no ucum/cases.csv";
  EXPECT_EQ(all.size(), 12u);
  for (const Case& one : all) {
    const auto from = parse(one.at("srcUnit")), to = parse(one.at("dstUnit"));
    ASSERT_TRUE(from.ok() && to.ok()) << one.at("id");
    const auto result = convert(to_number(one.at("value")), *from, *to);
    ASSERT_TRUE(result.ok()) << one.at("id") << ": " << result.error().message;
    EXPECT_TRUE(rounds_to(*result, one.at("outcome")))
        << one.at("id") << ": " << *result << " is not " << one.at("outcome");
  }
}

TEST(PublishedCases, EachQuotientRoundsToTheResult) {
  const auto all = cases("division");
  if (all.empty()) GTEST_SKIP() << "no ucum/cases.csv";
  EXPECT_EQ(all.size(), 1u);
  for (const Case& one : all) {
    const auto u1 = parse(one.at("u1")), u2 = parse(one.at("u2"));
    ASSERT_TRUE(u1.ok() && u2.ok()) << one.at("id");
    const auto quotient = divide(*u1, *u2);
    ASSERT_TRUE(quotient.ok()) << quotient.error().message;
    const auto expected_unit = one.at("uRes").empty() ? Unit{} : parse(one.at("uRes")).value();
    const auto result =
        convert(to_number(one.at("v1")) / to_number(one.at("v2")), *quotient, expected_unit);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_TRUE(rounds_to(*result, one.at("vRes"))) << one.at("id") << ": " << *result;
  }
}

}  // namespace
}  // namespace trialward::ucum
