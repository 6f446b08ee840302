#include <cmath>

#include "tests/ucum/parsed_unit.h"
#include "ucum/analyte.h"

namespace trialward::ucum {
namespace {

TEST(Convert, NumbersOfTheSameKind) {
  const struct {
    double number;
    const char *from, *to;
    double expected;
  } cases[] = {
      {98.6, "[degF]", "Cel", 37},
      {37, "Cel", "[degF]", 98.6},
      {-40, "Cel", "[degF]", -40},
      {0, "Cel", "K", 273.15},
      {310.15, "K", "Cel", 37},
      {29.6, "[degRe]", "Cel", 37},
      {37000, "mCel", "Cel", 37},
      {3.7, "10.Cel", "Cel", 37},
      {7.4, "[pH]", "nmol/L", 39.810717055349734},
      {40, "nmol/L", "[pH]", 7.397940008672037},
      {20, "dB", "B", 2},
      {2, "B", "1", 100},
      {60, "dB[SPL]", "Pa", 0.02},
      {1, "Np", "B", 0.43429448190325176},
      {8, "bit_s", "1", 256},
      {100, "[p'diop]", "deg", 45},
      {45, "deg", "%[slope]", 100},
      {3, "[m/s2/Hz^(1/2)]", "m2/s4/Hz", 9},
      {6, "[hp'_X]", "1", 1e-6},
      {1e-12, "1", "[hp'_C]", 6},
      {14, "g/dL", "g/L", 140},
      {120, "mm[Hg]", "kPa", 15.99864},
      {1, "ukat/L", "U/L", 60},
      {40, "U/L", "ukat/L", 0.66666666666666663},
      {72, "/min", "Hz", 1.2},
      {150, "[lb_av]", "kg", 68.0388555},
      {70, "[in_i]", "cm", 177.8},
      {42, "%", "1", 0.42},
      {250, "10*3/uL", "10*9/L", 250},
      {7, "meq/L", "ueq/mL", 7},
      {290, "mosm/kg", "osm/kg", 0.29},
      {90, "mL/min/(173.10*-2.m2)", "mL/s/m2", 0.8670520231213873},
      {5, "u[iU]/mL", "m[IU]/L", 5},
      {1, "a", "d", 365.25},
      {1, "kcal", "kJ", 4.184},
  };
  for (const auto& [number, from, to, expected] : cases) {
    const auto converted = convert(number, unit(from), unit(to));
    ASSERT_TRUE(converted.ok()) << converted.error().message;
    EXPECT_TRUE(std::abs(*converted - expected) <= 1e-12 * std::max(1.0, std::abs(expected)))
        << number << " " << from << " is " << *converted << " " << to << ", not " << expected;
  }
}

TEST(Convert, FactorsOfFewDigitsAreExact) {
  for (const auto& [from, to, factor] :
       {std::tuple{"g/dL", "g/L", 10.0}, std::tuple{"mg/dL", "g/L", 0.01},
        std::tuple{"umol/L", "mmol/L", 0.001}, std::tuple{"10*3/uL", "10*9/L", 1.0},
        std::tuple{"ng/mL", "ug/L", 1.0}, std::tuple{"[in_i]", "cm", 2.54},
        std::tuple{"ug/dL", "mg/L", 0.01}, std::tuple{"[lb_av]", "kg", 0.45359237}}) {
    const auto conversion = prepare(unit(from), unit(to));
    ASSERT_TRUE(conversion.ok());
    EXPECT_TRUE(conversion->linear);
    EXPECT_EQ(conversion->factor, factor) << from << " to " << to;
    EXPECT_EQ(conversion->offset, 0);
  }
}

TEST(Convert, MassAmountAndEquivalentsByTheSubstance) {
  const struct {
    double number;
    const char *from, *to, *analyte;
    double expected;  // to four digits, as tables of conversion factors have them
  } cases[] = {
      {100, "mg/dL", "mmol/L", "GLUC", 5.551},
      {5.551, "mmol/L", "mg/dL", "GLUC", 100},
      {1, "mg/dL", "umol/L", "BILI", 17.10},
      {1, "mg/dL", "umol/L", "CREAT", 88.40},
      {1, "mg/dL", "mmol/L", "BUN", 0.3570},
      {1, "mg/dL", "mmol/L", "UREA", 0.1665},
      {1, "mg/dL", "mmol/L", "CHOL", 0.02586},
      {1, "mg/dL", "mmol/L", "TRIG", 0.01129},
      {1, "mg/dL", "umol/L", "URATE", 59.48},
      {1, "mg/dL", "mmol/L", "PHOS", 0.3229},
      {1, "mg/dL", "mmol/L", "CA", 0.2495},
      {1, "meq/L", "mmol/L", "CA", 0.5},
      {2, "mg/dL", "meq/L", "MG", 1.646},
      {4, "meq/L", "mmol/L", "K", 4},
      {140, "mmol/L", "meq/L", "SODIUM", 140},
      {1, "g/dL", "mmol/L", "HGB", 0.6206},
      {1, "pg", "fmol", "MCH", 0.06206},
      {1, "pg/mL", "pmol/L", "VITB12", 0.7378},
      {1, "ug/dL", "umol/L", "IRON", 0.1791},
      {9.008, "mg/dL", "mmol/L", "LACTICAC", 1},
      {4, "g/dL", "umol/L", "ALB", 601.8},
      {1, "ng/dL", "pmol/L", "T4FR", 12.87},
  };
  for (const auto& [number, from, to, code, expected] : cases) {
    const Analyte* known = analyte(code);
    ASSERT_NE(known, nullptr) << code;
    const auto converted = convert(number, unit(from), unit(to), known->molar_mass);
    ASSERT_TRUE(converted.ok()) << converted.error().message;
    EXPECT_NEAR(*converted / expected, 1, 5e-4) << code << " " << from << ": " << *converted;
  }
}

TEST(Convert, WhatCannotBeConvertedNamesBothUnits) {
  constexpr const char* kRatioOfMoles = "a ratio of moles is no other fraction, and of HbA1c alone "
                                        "is it known how the two belong together";
  const struct {
    const char *from, *to;
    MolarMass molar_mass;
    const char* reason;
  } cases[] = {
      {"mg/dL", "mmol/L", {}, "the molar mass is not known"},
      {"meq/L", "mmol/L", {}, "the valence is not known"},
      {"mg/dL", "meq/L", {}, "the molar mass and the valence are not known"},
      {"mg/dL", "meq/L", {24.305, 0}, "the valence is not known"},
      {"mg/dL", "meq/L", {0, 2}, "the molar mass is not known"},
      {"mg/dL", "mmol/L", {-1, 0}, "the molar mass is not known"},
      {"mg/dL", "mmol/L", {NAN, 0}, "the molar mass is not known"},
      {"mosm/L", "mmol/L", {180, 1}, "osmoles depend on what is dissolved"},
      {"10*9/L", "mmol/L", {180, 1}, "they measure different things"},
      {"mg", "mmol/L", {180, 1}, "they measure different things"},
      {"mg/mmol", "mg/g", {113, 1}, "they measure different things"},
      {"mg2", "mmol2", {113, 1}, "they measure different things"},
      {"Cel", "m", {}, "they measure different things"},
      {"[iU]/L", "U/L", {}, "an arbitrary unit has a meaning of its own"},
      {"[iU]/L", "[USP'U]/L", {}, "an arbitrary unit has a meaning of its own"},
      {"[iU]/L", "mg/L", {100, 1}, "an arbitrary unit has a meaning of its own"},
      {"mmol/mol", "%", {}, kRatioOfMoles},
      {"mmol/mol{Hb}", "1", {180, 1}, kRatioOfMoles},
      {"%", "umol/mmol", {180, 1}, kRatioOfMoles},
  };
  for (const auto& [from, to, molar_mass, reason] : cases) {
    const auto converted = convert(1, unit(from), unit(to), molar_mass);
    ASSERT_FALSE(converted.ok()) << from << " to " << to;
    EXPECT_EQ(converted.error().message, std::string("\"") + from + "\" cannot be converted to \"" +
                                             to + "\": " + reason);
  }
  EXPECT_EQ(convert(-1, unit("nmol/L"), unit("[pH]")).error().message,
            "\"nmol/L\" cannot be converted to \"[pH]\": the number has no counterpart");
  EXPECT_FALSE(convert(1e300, unit("km"), unit("fm")).ok());
  EXPECT_FALSE(prepare(unit("Ym12"), unit("ym12")).ok());
}

// https://ngsp.org/ifcc.asp: NGSP = 0.09148 * IFCC + 2.152.
TEST(Convert, HbA1cHasTwoScales) {
  const struct {
    double number;
    const char *from, *to;
    double expected;
  } cases[] = {
      {48, "mmol/mol", "%", 6.54304},       {53, "mmol/mol", "%", 7.00044},
      {0, "mmol/mol", "%", 2.152},          {48, "mmol/mol{Hb}", "1", 0.0654304},
      {0.048, "mol/mol", "%", 6.54304},     {6.54304, "%", "mmol/mol", 48},
      {0.0654304, "1", "umol/mmol", 48},    {48, "umol/mmol", "mmol/mol", 48},
      {6.5, "%", "g/g", 0.065},             {6.5, "g%", "g/dL", 6.5},
  };
  for (const auto& [number, from, to, expected] : cases) {
    const auto converted = convert(number, unit(from), unit(to), {0, 0, true});
    ASSERT_TRUE(converted.ok()) << converted.error().message;
    EXPECT_TRUE(same_at(*converted, expected)) << number << " " << from << ": " << *converted;
  }
}

TEST(Convert, ThereAndBackIsWhereOneWas) {
  for (const auto& [a, b] : {std::pair{"[degF]", "Cel"}, std::pair{"[pH]", "nmol/L"},
                             std::pair{"g/dL", "g/L"}, std::pair{"dB[SPL]", "Pa"},
                             std::pair{"[p'diop]", "deg"}, std::pair{"ukat", "U"}}) {
    for (const double number : {0.01, 1.0, 7.4, 36.6, 101.5}) {
      const auto there = convert(number, unit(a), unit(b));
      ASSERT_TRUE(there.ok());
      const auto back = convert(*there, unit(b), unit(a));
      ASSERT_TRUE(back.ok());
      EXPECT_NEAR(*back, number, 1e-11 * std::max(1.0, number)) << a << " and " << b;
    }
  }
}

TEST(Convert, AtSignificantDigitsNoiseDecidesNothing) {
  const struct {
    double a, b;
    int digits;
    bool same;
  } cases[] = {
      {5.0 * 17.104, 85.52, kSignificantDigits, true},
      {0.1 + 0.2, 0.3, kSignificantDigits, true},
      {3 * 1.1, 3.3, kSignificantDigits, true},
      {85.52, 85.5200001, kSignificantDigits, false},
      {85.52, 85.53, 4, true},
      {85.52, 85.7, 4, false},
      {-1, 1, 1, false},
      {0, 0, kSignificantDigits, true},
      {0, 1e-300, kSignificantDigits, false},
      {INFINITY, INFINITY, kSignificantDigits, true},
      {NAN, NAN, kSignificantDigits, false},
      {1, 1.0000000000000002, 16, true},
      {1, 1.0000000000001, 99, false},
      {1, 1.05, -5, true},
  };
  for (const auto& [a, b, digits, same] : cases) {
    EXPECT_EQ(same_at(a, b, digits), same) << a << " and " << b << " at " << digits;
    EXPECT_EQ(same_at(b, a, digits), same) << b << " and " << a << " at " << digits;
  }
}

}  // namespace
}  // namespace trialward::ucum
