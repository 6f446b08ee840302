// What a list of numbers is summed up as, by SAS's definitions: the sample's standard deviation
// (n - 1), quantiles as the empirical distribution's, averaged where it is level (QNTLDEF=5). Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace trialward::reports {

// NaN where there is too little: of none everything but n, of one the standard deviation.
struct Summary {
  std::int64_t n = 0;
  double mean, sd, median, q1, q3, low, high;
};

// The order of the numbers changes nothing: they are sorted first. All are finite.
Summary summarize(std::vector<double> numbers);

// 0 <= p <= 1; of sorted numbers, at least one.
double quantile(const std::vector<double>& sorted, double p);

}  // namespace trialward::reports
