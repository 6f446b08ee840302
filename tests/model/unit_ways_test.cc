#include "model/unit_ways.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace trialward::model {
namespace {

TEST(UnitWays, KeepsWhatItWorkedOut) {
  const UnitWays ways(ucum::parse("mg/dL").value(), {180.156, 0});
  EXPECT_EQ(ways.kept(), 0u);
  for (int i = 0; i < 3; ++i) {
    const auto way = ways.find("mmol/L");
    ASSERT_TRUE(way.ok());
    EXPECT_TRUE(ucum::same_at((*way)(10), 180.156));
  }
  EXPECT_EQ(ways.kept(), 1u);
  EXPECT_EQ(ways.find("mg/L").value()(10), 1);
  EXPECT_EQ(ways.kept(), 2u);
}

TEST(UnitWays, WhatDoesNotConvertNamesBothUnitsAndIsNotKept) {
  const UnitWays ways(ucum::parse("mg/dL").value(), {});
  EXPECT_EQ(ways.find("mmol/L").error().message,
            "\"mmol/L\" cannot be converted to \"mg/dL\": the molar mass is not known");
  EXPECT_EQ(ways.find("cups").error().message, "unit \"cups\", character 1: \"cups\" is no unit");
  EXPECT_EQ(ways.kept(), 0u);
}

TEST(UnitWays, P3_SpellingsWithoutEndTakeNoMoreRoom) {
  const UnitWays ways(ucum::parse("mg/dL").value(), {});
  for (int i = 0; i < 1000; ++i) {
    const auto way = ways.find("g/L{" + std::to_string(i) + "}");
    ASSERT_TRUE(way.ok());
    EXPECT_EQ(way->factor, 100);
  }
  EXPECT_EQ(ways.kept(), UnitWays::kWaysMax);
}

TEST(UnitWays, ManyThreadsFindTheSame) {
  const UnitWays ways(ucum::parse("mmol/L").value(), {180.156, 1});
  const std::vector<std::string> units = {"mg/dL", "g/L", "umol/L", "MG/DL", "meq/L", "nmol/mL"};
  std::vector<double> expected;
  for (const auto& unit : units) {
    const UnitWays alone(ucum::parse("mmol/L").value(), {180.156, 1});
    expected.push_back(alone.find(unit).value()(3));
  }
  std::atomic<int> wrong = 0;
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < 5000; ++i) {
        const std::size_t which = (i + t) % units.size();
        const auto way = ways.find(units[which]);
        if (!way || (*way)(3) != expected[which]) ++wrong;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(ways.kept(), units.size());
}

}  // namespace
}  // namespace trialward::model
