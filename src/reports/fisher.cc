#include "reports/fisher.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"
#include "reports/whole.h"

namespace trialward::reports {
namespace {

// The ways to draw `affected` of both groups so that k are of group A, for one k after the other:
// C(a, k) * C(b, affected - k).
class Draws {
 public:
  Draws(std::uint32_t a, std::uint32_t b, std::uint32_t affected)
      : a_(a), b_(b), affected_(affected), k_(affected > b ? affected - b : 0), ways_(1) {
    // C(a, k) * C(b, affected - k) for the first k, of which one factor is 1.
    const std::uint32_t of = k_ == 0 ? b_ : a_, take = k_ == 0 ? affected_ : k_;
    for (std::uint32_t i = 1; i <= take; ++i) {
      ways_.multiply(of - take + i);
      ways_.divide_exactly(i);
    }
  }
  std::uint32_t k() const { return k_; }
  std::uint32_t last() const { return std::min(a_, affected_); }
  const Whole& ways() const { return ways_; }
  void advance() {
    ways_.multiply(a_ - k_);
    ways_.multiply(affected_ - k_);
    ways_.divide_exactly(k_ + 1);
    ways_.divide_exactly(b_ - affected_ + k_ + 1);
    ++k_;
  }

 private:
  const std::uint32_t a_, b_, affected_;
  std::uint32_t k_;
  Whole ways_;
};

}  // namespace

std::optional<double> fisher_p(const TwoByTwo& table) {
  TW_CHECK(0 <= table.affected_a && table.affected_a <= table.total_a);
  TW_CHECK(0 <= table.affected_b && table.affected_b <= table.total_b);
  TW_CHECK(table.total_a + table.total_b <= std::numeric_limits<std::int32_t>::max());
  if (table.total_a == 0 || table.total_b == 0) return std::nullopt;
  std::int64_t affected = table.affected_a + table.affected_b, observed = table.affected_a;
  if (affected == 0) return std::nullopt;
  // Whoever is affected and whoever is not may change places: the smaller margin is less work.
  if (affected * 2 > table.total_a + table.total_b) {
    affected = table.total_a + table.total_b - affected;
    observed = table.total_a - observed;
  }
  const auto draws = [&] {
    return Draws(static_cast<std::uint32_t>(table.total_a),
                 static_cast<std::uint32_t>(table.total_b), static_cast<std::uint32_t>(affected));
  };
  Draws seen = draws();
  while (seen.k() < observed) seen.advance();
  Whole unlikely, all;
  for (Draws one = draws();; one.advance()) {
    all.add(one.ways());
    if (Whole::order(one.ways(), seen.ways()) <= 0) unlikely.add(one.ways());
    if (one.k() == one.last()) break;
  }
  return Whole::ratio(unlikely, all);
}

}  // namespace trialward::reports
