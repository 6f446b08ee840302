// How likely counts are, exactly: by summing up probabilities, not by a normal curve, which is
// wrong where counts are small. Pure.
#pragma once

#include <cstdint>
#include <optional>

namespace trialward::reports {

// A count of events with this mean: of a Poisson distribution, or, if it is out of so many, of a
// binomial one. mean >= 0; of >= mean.
struct Chance {
  double mean = 0;
  std::optional<std::int64_t> of{};
};

double at_most(const Chance& chance, std::int64_t count);   // P(X <= count)
double at_least(const Chance& chance, std::int64_t count);  // P(X >= count)

// The least count that is not as unlikely as this, and the most: a lower one has
// P(X <= count) <= alpha, a higher one P(X >= count) <= alpha. 0 < alpha < 0.5.
std::int64_t lower_limit(const Chance& chance, double alpha);
std::int64_t upper_limit(const Chance& chance, double alpha);

}  // namespace trialward::reports
