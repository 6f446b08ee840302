#include "monitor/condition.h"

#include <gtest/gtest.h>

namespace trialward::monitor {
namespace {

TEST(Condition, SeveritiesAreGrades) {
  EXPECT_EQ(severity_grade("MILD"), 1);
  EXPECT_EQ(severity_grade("LIFE THREATENING"), 4);
  EXPECT_EQ(severity_grade("FATAL"), 5);
  EXPECT_EQ(severity_grade("1"), 1);
  EXPECT_EQ(severity_grade("5"), 5);
  for (const char* none : {"", "0", "6", "mild", "33"}) EXPECT_FALSE(severity_grade(none)) << none;
}

TEST(Condition, ComparesWithAReference) {
  struct Row {
    Comparison test;
    double value, reference;
    bool holds;
  };
  const Comparison doubled{.op = Op::at_least, .factor = 2};
  const Comparison rise{.op = Op::at_least, .offset = 0.3};
  const Comparison fall{.op = Op::at_most, .offset = -0.3};
  const std::vector<Row> rows = {
      {doubled, 20, 10, true},   {doubled, 19.9, 10, false},
      {doubled, 5, 0, false},    // nothing is a multiple of 0
      {doubled, -1, -2, false},  // nor of less
      {rise, 0.3, 0, true},      // but a difference is one from anywhere
      {rise, 0.2, -0.1, true},   // 0.30000000000000004 in binary
      {rise, 0.19, -0.1, false}, {fall, 0, 0.3, true},
      {fall, 0.1, 0.4, true},  // 0.10000000000000003 in binary
      {fall, 0.11, 0.4, false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.test.holds(row.value, row.reference), row.holds)
        << row.value << " beside " << row.reference;
  }
}

}  // namespace
}  // namespace trialward::monitor
