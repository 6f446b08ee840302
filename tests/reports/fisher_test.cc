#include "reports/fisher.h"

#include <gtest/gtest.h>

namespace trialward::reports {
namespace {

// The first: Fisher's tea tasting, 0.4857 in The Design of Experiments. The others were computed
// with Python's fractions and comb(), as sums of whole numbers.
TEST(Fisher, IsTheSumOfWhatIsNoLikelier) {
  const struct {
    TwoByTwo table;
    double p;
  } cases[] = {
      {{3, 4, 1, 4}, 0.4857142857142857},
      {{65, 86, 77, 84}, 0.006533129364778908},
      {{2, 86, 7, 84}, 0.09712203850778989},
      {{0, 86, 1, 84}, 0.49411764705882355},
      {{1, 86, 1, 84}, 1.0},
      {{4, 86, 2, 84}, 0.6819872895414121},
      {{1, 2, 1, 2}, 1.0},
      {{0, 5, 5, 5}, 0.007936507936507936},
      {{12, 86, 13, 84}, 0.8308386740537835},
      {{300, 1000, 350, 1000}, 0.01928432161451363},
      {{1, 2000, 9, 2100}, 0.02169994695606213},
      {{50, 60, 3, 40}, 1.7242853374915884e-14},
      {{499, 500, 1, 500}, 1.8498843984150093e-294},
  };
  for (const auto& [table, p] : cases) {
    const auto found = fisher_p(table);
    ASSERT_TRUE(found);
    EXPECT_NEAR(*found, p, p * 1e-14) << table.affected_a << "/" << table.total_a;
    const auto swapped =
        fisher_p({table.affected_b, table.total_b, table.affected_a, table.total_a});
    EXPECT_NEAR(*swapped, p, p * 1e-14);
    const auto inverse = fisher_p({table.total_a - table.affected_a, table.total_a,
                                   table.total_b - table.affected_b, table.total_b});
    if (inverse) {
      EXPECT_NEAR(*inverse, p, p * 1e-14);
    }
  }
}

TEST(Fisher, SaysNothingWhereNobodyIsAffected) {
  EXPECT_FALSE(fisher_p({0, 10, 0, 10}));
  EXPECT_FALSE(fisher_p({0, 0, 1, 10}));
  EXPECT_EQ(fisher_p({10, 10, 5, 5}), 1.0);
}

}  // namespace
}  // namespace trialward::reports
