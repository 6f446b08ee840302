#include "ucum/analyte.h"

#include <gtest/gtest.h>

namespace trialward::ucum {
namespace {

TEST(Analyte, TheTableIsSortedAndEachEntryIsWhole) {
  const auto& table = analytes();
  EXPECT_GE(table.size(), 40u);
  for (std::size_t i = 0; i < table.size(); ++i) {
    const Analyte& one = table[i];
    if (i > 0) {
      EXPECT_LT(table[i - 1].code, one.code);
    }
    EXPECT_EQ(analyte(one.code), &one);
    EXPECT_FALSE(one.name.empty() || one.basis.empty()) << one.code;
    EXPECT_NE(one.molar_mass.g_per_mol > 1, one.molar_mass.hba1c) << one.code;
    EXPECT_GE(one.molar_mass.valence, 0) << one.code;
    EXPECT_LE(one.molar_mass.valence, 3) << one.code;
  }
}

TEST(Analyte, WhatItDoesNotHaveIsNothing) {
  EXPECT_EQ(analyte("ALT"), nullptr);
  EXPECT_EQ(analyte(""), nullptr);
  EXPECT_EQ(analyte("gluc"), nullptr);
}

}  // namespace
}  // namespace trialward::ucum
