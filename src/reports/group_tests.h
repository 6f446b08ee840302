// Whether groups differ: the F test of a one-way analysis of variance, and Pearson's chi-square.
// Pure. None where there is too little to say: fewer than two groups with values, no variation.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace trialward::reports {

// A list of numbers for each group.
std::optional<double> anova_p(const std::vector<std::vector<double>>& groups);

// Counts: a row for each group, a column for each category. Empty rows and columns do not count.
std::optional<double> chi_square_p(const std::vector<std::vector<std::int64_t>>& counts);

// The upper tails of the distributions; x >= 0, degrees of freedom > 0.
double f_tail(double x, double freedom_1, double freedom_2);
double chi_square_tail(double x, double freedom);

}  // namespace trialward::reports
