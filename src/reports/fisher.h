// Fisher's exact test of a table of two groups and two outcomes: two-sided, the sum of the
// probabilities of all tables with the same margins that are no likelier than this one, in whole
// numbers throughout: no rounding decides which tables those are, and the result is the same
// everywhere. The work grows with the smaller margin times the digits of the numbers: for 100,000
// subjects of whom 1,000 are affected some milliseconds. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace trialward::reports {

struct TwoByTwo {
  std::int64_t affected_a = 0, total_a = 0;
  std::int64_t affected_b = 0, total_b = 0;
};

// None when there is nothing to compare: a group is empty, or nobody is affected in either. When
// all are, it is 1. Errors of arithmetic: below 1e-15 of the value.
std::optional<double> fisher_p(const TwoByTwo& table);

}  // namespace trialward::reports
