#include "ctcae/read_when.h"

#include <gtest/gtest.h>

namespace trialward::ctcae {
namespace {

const std::vector<std::string> kUnits = {"g/L", "g/dL"};

TEST(ReadWhen, ReadsComparisons) {
  const auto multiple = read_when("> 1.5 x ULN", {});
  ASSERT_TRUE(multiple.ok()) << multiple.error();
  ASSERT_EQ(multiple->clauses.size(), 1u);
  EXPECT_EQ(multiple->clauses[0].reference, Reference::uln);
  EXPECT_EQ(multiple->clauses[0].factor, 1.5);
  EXPECT_EQ(multiple->clauses[0].compare, Compare::above);

  const auto above = read_when("> upper + 20 g/L | 2 g/dL", kUnits);
  ASSERT_TRUE(above.ok()) << above.error();
  EXPECT_EQ(above->clauses[0].reference, Reference::upper);
  EXPECT_EQ(above->clauses[0].amounts[0], 20);
  EXPECT_EQ(above->clauses[0].amounts[1], 2);

  const auto fall = read_when("< LLN and change <= -25 %", {});
  ASSERT_TRUE(fall.ok()) << fall.error();
  ASSERT_EQ(fall->clauses.size(), 2u);
  EXPECT_EQ(fall->clauses[1].of, Clause::Of::change);
  EXPECT_EQ(fall->clauses[1].amounts[0], -25);
  EXPECT_FALSE(fall->if_known);

  const auto guarded = read_when("baseline not low and > 3 x baseline if known", {});
  ASSERT_TRUE(guarded.ok()) << guarded.error();
  EXPECT_EQ(guarded->clauses[0].of, Clause::Of::baseline_not_low);
  EXPECT_TRUE(guarded->if_known);

  for (const char* guard : {"adult", "child", "male", "female", "baseline high"}) {
    EXPECT_TRUE(read_when(std::string(guard) + " and >= 1 g/L | 0.1 g/dL", kUnits).ok()) << guard;
  }
}

TEST(ReadWhen, NamesTheWordAtFault) {
  struct Case {
    const char* text;
    std::vector<std::string> units;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {"", {}, "expected <, <=, >, >= or a word of the language at ''"},
      {"about 3", {}, "expected <, <=, >, >= or a word of the language at 'about'"},
      {"> three", {}, "expected a number at 'three'"},
      {"> nan", {}, "expected a number at 'nan'"},
      {"> 1e999", {}, "expected a number at '1e999'"},
      {"> 1.5 x UNL", {}, "expected LLN, ULN, baseline or upper at 'UNL'"},
      {"> 0 x ULN", {}, "a factor is above 0"},
      {"> 80 g/L", kUnits, "the limit in g/dL is missing"},
      {"> 80 g/L | 8 mg/L", kUnits, "'mg/L' is no unit of the term"},
      {"> 80 g/L | 80 g/L", kUnits, "the unit g/L is given twice"},
      {"> 80", kUnits, "'' is no unit of the term"},
      {"> 80 g/L", {}, "expected 'and' at 'g/L'"},
      {"> ULN or > baseline", {}, "expected 'and' at 'or'"},
      {"> ULN and", {}, "expected <, <=, >, >= or a word of the language at ''"},
      {"> ULN if known and > baseline", {}, "expected 'and' at 'and'"},
      {"change < 25", {}, "a change is in %"},
      {"baseline highest", {}, "expected <, <=, >, >= or a word of the language at 'baseline'"},
  };
  for (const Case& one : cases) {
    const auto read = read_when(one.text, one.units);
    ASSERT_FALSE(read.ok()) << one.text;
    EXPECT_EQ(read.error(), one.reason) << one.text;
  }
  std::string many = "> ULN";
  for (std::size_t i = 0; i < kClausesMax; ++i) many += " and > ULN";
  EXPECT_FALSE(read_when(many, {}).ok());
  EXPECT_FALSE(read_when("> ULN" + std::string(kWhenCharsMax, ' '), {}).ok());
}

}  // namespace
}  // namespace trialward::ctcae
