#include "ucum/unit.h"

#include "tests/ucum/parsed_unit.h"
#include "ucum/atoms.h"

namespace trialward::ucum {
namespace {

TEST(Unit, EqualOnesAreWrittenInManyWays) {
  const struct {
    const char *a, *b;
  } cases[] = {
      {"L", "dm3"},
      {"mL", "cm3"},
      {"mmol/L", "mol/m3"},
      {"10*9/L", "10^3/uL"},
      {"/uL", "10*6.L-1"},
      {"mg/(kg.d)", "mg/kg/d"},
      {"m+2", "m2"},
      {"kg.m/s2", "N"},
      {"U/L", "umol/min/L"},
      {"[IU]", "[iU]"},
      {"mg{creat}", "mg"},
      {"{cells}/uL", "/uL"},
      {"100.mL", "dL"},
      {"/100{WBC}", "%"},
      {"mm[Hg]", "m[Hg]/1000"},
      {"[in_i]", "254.cm/100"},
      {"dag", "10.g"},
      {"cd", "cd"},
      {"m0", "1"},
      {"(((m)))", "m"},
  };
  for (const auto& [a, b] : cases) {
    const Unit left = unit(a), right = unit(b);
    EXPECT_TRUE(same_dimension(left, right)) << a << " and " << b;
    const auto one = convert(1, left, right);
    ASSERT_TRUE(one.ok()) << one.error().message;
    EXPECT_EQ(*one, 1) << a << " in " << b;
  }
}

TEST(Unit, RefusalsNameThePlaceAndTheReason) {
  const std::string long_unit(kExpressionCharsMax + 1, 'm');
  const std::string deep = std::string(kNestingMax + 1, '(') + "m" + std::string(9, ')');
  const struct {
    std::string text, reason;
  } cases[] = {
      {"", "unit \"\", character 1: there is nothing"},
      {"mg/", "character 4: a unit is missing at the end"},
      {"/", "character 2: a unit is missing at the end"},
      {"mg//L", "character 4: expected a unit before \"/L\""},
      {".mg", "character 1: expected a unit before \".mg\""},
      {"furlong", "character 1: \"furlong\" is no unit"},
      {"mg/furlong", "unit \"mg/furlong\", character 4: \"furlong\" is no unit"},
      {"g/48h", "character 3: \"48h\" is no unit; between a number and a unit belongs '.'"},
      {"iU/L", "character 1: \"iU\" is no unit; [iU] is one"},
      {"k%", "character 1: \"k%\" is no unit"},
      {"10+3/ul", "character 1: \"10\" is a number and has no exponent; a power of ten is 10*3"},
      {"10-3", "character 1: \"10\" is a number and has no exponent; a power of ten is 10*-3"},
      {"m2+3", "character 3: a sign belongs between a unit and its exponent"},
      {"m+", "character 2: a sign belongs between a unit and its exponent"},
      {"m100", "character 2: an exponent beyond 99"},
      {"m99999999999", "character 2: an exponent beyond 99"},
      {"m-100", "character 2: an exponent beyond 99"},
      {"km3.m98", "character 5: an exponent beyond 99"},
      {"[iU]99.[iU]", "character 8: an exponent beyond 99"},
      {"[iU].[USP'U].[arb'U].[PFU]", "character 22: more than 3 different arbitrary units"},
      {"Ym99", "character 3: a size that no number here can hold"},
      {"0.m", "character 1: a unit cannot be 0"},
      {"1234567890123", "character 1: a number of more than 12 digits"},
      {"mg L", "character 3: a blank; units are multiplied by '.'"},
      {"\xC2\xB5g", "character 1: a character that UCUM does not have"},
      {"m\n", "character 2: a character that UCUM does not have"},
      {"(mg", "character 1: '(' without ')'"},
      {"mg)", "character 3: ')' without '('"},
      {"(/mg)", "character 2: expected a unit before \"/mg)\""},
      {"(m)2", "character 4: expected '.' or '/' before \"2\""},
      {"ug(8.h)", "character 3: expected '.' or '/' before \"(8.h)\""},
      {"{a", "character 1: '{' without '}'"},
      {"{a{b}}", "character 1: '{' without '}'"},
      {"mg}", "character 3: '}' without '{'"},
      {"{|}1", "character 4: expected '.' or '/' before \"1\""},
      {"m{a}{b}", "character 5: expected '.' or '/' before \"{b}\""},
      {"[iU", "character 1: '[' without ']'"},
      {"mg]", "character 3: ']' without '['"},
      {"[i[U]", "character 1: '[' without ']'"},
      {"Cel2", "character 4: a special unit has no powers"},
      {"Cel/m", "character 5: a special unit, as Cel is, can only be multiplied by a number"},
      {"/Cel", "character 2: a special unit, as Cel is, can only be multiplied by a number"},
      {"Cel.[pH]", "character 5: a special unit, as Cel is, can only be multiplied by a number"},
      {long_unit, "character 121: more than 120 characters"},
      {deep, "character 9: more than 8 parentheses in one another"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_TRUE(parsed.error().message.ends_with(reason)) << parsed.error().message;
    EXPECT_FALSE(display_name(text).ok()) << text;
  }
}

TEST(Unit, TheLimitsThemselvesAreAllowed) {
  EXPECT_TRUE(parse(std::string(kNestingMax, '(') + "m" + std::string(kNestingMax, ')')).ok());
  EXPECT_TRUE(parse("{" + std::string(kExpressionCharsMax - 2, 'a') + "}").ok());
  EXPECT_TRUE(parse("m99").ok());
  EXPECT_TRUE(parse("m-99").ok());
  EXPECT_TRUE(parse("[iU].[USP'U].[arb'U]").ok());
  EXPECT_TRUE(parse("999999999999.m").ok());
}

TEST(Unit, EverySymbolOfTheTableIsReadAsItself) {
  std::size_t metric = 0;
  for (const Atom& atom : AtomTable::ucum().atoms()) {
    const Unit read = unit(std::string(atom.code).c_str());
    EXPECT_EQ(read.dimension, atom.unit.dimension) << atom.code;
    EXPECT_EQ(read.factor, atom.unit.factor) << atom.code;
    EXPECT_EQ(read.scale, atom.unit.scale) << atom.code;
    EXPECT_TRUE(display_name(atom.code).ok()) << atom.code;
    const auto prefixed = parse("k" + std::string(atom.code));
    if (atom.metric) {
      ++metric;
      ASSERT_TRUE(prefixed.ok()) << atom.code;
      EXPECT_EQ(prefixed->dimension, atom.unit.dimension) << atom.code;
      const auto thousand = convert(1, *prefixed, read);
      if (atom.unit.scale == Scale::ratio) {
        EXPECT_TRUE(thousand.ok() && same_at(*thousand, 1000)) << atom.code;
      }
    }
  }
  EXPECT_EQ(AtomTable::ucum().atoms().size(), 312u);
  EXPECT_EQ(metric, 96u);
}

TEST(Unit, ProductsAndQuotientsAreUnits) {
  const auto product = multiply(unit("mg/dL"), unit("dL"));
  ASSERT_TRUE(product.ok());
  EXPECT_TRUE(same_dimension(*product, unit("g")));
  const auto quotient = divide(unit("[iU]/L"), unit("[iU]"));
  ASSERT_TRUE(quotient.ok());
  EXPECT_TRUE(same_dimension(*quotient, unit("/L")));
  EXPECT_EQ(multiply(unit("Cel"), unit("m")).error().message,
            "\"Cel\" times \"m\": a special unit, as Cel is, can only be multiplied by a number");
  EXPECT_FALSE(divide(unit("m"), unit("Cel")).ok());
  EXPECT_FALSE(multiply(unit("m99"), unit("m")).ok());
}

TEST(Unit, NamesInWordsFollowTheExpression) {
  const struct {
    const char *text, *name;
  } cases[] = {
      {"mg/dL", "(milligram) / (deciliter)"},
      {"/min", "1 / (minute)"},
      {"mmol/(8.h)", "(millimole) / (8 * (hour))"},
      {"{cells}/uL", "{cells} / (microliter)"},
      {"[degF]", "(degree Fahrenheit)"},
      {"kg{body_wt}", "(kilogram)"},
  };
  for (const auto& [text, name] : cases) EXPECT_EQ(display_name(text).value(), name);
}

}  // namespace
}  // namespace trialward::ucum
