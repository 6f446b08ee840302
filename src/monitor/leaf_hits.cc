#include "monitor/leaf_hits.h"

#include <algorithm>
#include <optional>

#include "monitor/graded.h"

namespace trialward::monitor {
namespace {

Hit hit_of(const Series& series, std::size_t last, std::int64_t from_ms,
           std::vector<std::int64_t> causes) {
  sort_causes(causes);
  return {series.at_ms(last), from_ms, series[last].record, series.name(last), std::move(causes)};
}

struct LeafHits {
  const Series& own;
  const std::vector<const Series*>& series;
  const Span span;
  Hits& found;

  void operator()(std::size_t bit) const {
    if (!own.may_have(bit)) return;
    for (std::size_t i = own.first_from(span.from_ms); i < own.size(); ++i) {
      i = own.skip_to(bit, i);
      if (i == own.size() || own.at_ms(i) > span.until_ms) break;
      const PointData& point = own[i];
      if (!point.superseded && (point.bits >> bit & 1) != 0) {
        found.push_back(hit_of(own, i, point.at_ms, {point.record}));
      }
    }
  }

  void operator()(const Comparison& test) const {
    const auto baseline = test.with_baseline ? own.baseline() : std::nullopt;
    for (std::size_t i = own.first_from(span.from_ms); i < own.size(); ++i) {
      if (own.at_ms(i) > span.until_ms) break;
      const PointData& point = own[i];
      if (point.superseded || !point.number) continue;
      const auto reference = test.with_baseline ? baseline : own.value_before(i);
      if (!reference || *reference >= i) continue;
      const PointData& earlier = test.with_baseline ? own.baseline_point() : own[*reference];
      if (test.holds(*point.number, *earlier.number)) {
        found.push_back(hit_of(own, i, point.at_ms, {earlier.record, point.record}));
      }
    }
  }

  void operator()(const GradeBesideBaseline& test) const {
    for (std::size_t i = own.first_from(span.from_ms); i < own.size(); ++i) {
      if (own.at_ms(i) > span.until_ms) break;
      const PointData& point = own[i];
      GradedPoint graded;
      if (!graded_at(test.from, own, i, false, graded)) continue;
      std::vector<std::int64_t> causes = {point.record};
      if (graded.baseline != 0) causes.push_back(graded.baseline);
      found.push_back(hit_of(own, i, point.at_ms, std::move(causes)));
    }
  }

  void operator()(const RatioLeaf& test) const {
    const Ratio& ratio = test.ratio;
    const auto value = [&](const PointData& point) {
      if (point.superseded) return OptionalNumber();
      return ratio.of_uln ? point.of_uln : point.number;
    };
    for (std::size_t i = own.first_from(span.from_ms - ratio.apart_ms); i < own.size(); ++i) {
      if (own.at_ms(i) > span.until_ms) break;
      const PointData& point = own[i];
      if (!value(point)) continue;
      const Series& other = *series[test.divisor];
      const auto nearest_place = nearest(other, point.at_ms, ratio.apart_ms, value);
      if (!nearest_place) continue;
      const PointData& divisor = other[*nearest_place];
      if (!ratio.holds(*value(point), *value(divisor))) continue;
      const std::int64_t last_ms = std::max(point.at_ms, divisor.at_ms);
      if (last_ms < span.from_ms || last_ms > span.until_ms) continue;
      const bool is_last = divisor.at_ms != point.at_ms ? divisor.at_ms < point.at_ms
                                                        : other.name(*nearest_place) < own.name(i);
      found.push_back(hit_of(is_last ? own : other, is_last ? i : *nearest_place,
                             std::min(point.at_ms, divisor.at_ms),
                             {point.record, divisor.record}));
    }
  }

  // The point with a value that is nearest to an instant, of two as near the earlier; of several at
  // one instant the last.
  template <class Value>
  static std::optional<std::size_t> nearest(const Series& of, std::int64_t at_ms,
                                            std::int64_t apart_ms, Value value) {
    if (forgot_within(of, {at_ms - apart_ms, at_ms + apart_ms})) return std::nullopt;
    const std::size_t after = of.first_from(at_ms + 1);
    std::optional<std::size_t> before, later;
    for (std::size_t i = after; i > 0 && !before;) {
      --i;
      if (at_ms - of.at_ms(i) > apart_ms) break;
      if (value(of[i])) before = i;
    }
    for (std::size_t i = after; i < of.size() && of.at_ms(i) - at_ms <= apart_ms; ++i) {
      if (later && of.at_ms(i) != of.at_ms(*later)) break;
      if (value(of[i])) later = i;
    }
    const bool later_is_nearer =
        later && before && of.at_ms(*later) - at_ms < at_ms - of.at_ms(*before);
    return !before || later_is_nearer ? later : before;
  }

  void operator()(const Slope& test) const {
    std::vector<std::size_t> values;
    for (std::size_t i = own.first_from(span.from_ms - test.over_ms); i < own.size(); ++i) {
      if (own.at_ms(i) > span.until_ms) break;
      const PointData& point = own[i];
      if (!point.superseded && point.number) values.push_back(i);
    }
    std::vector<TimedValue> window;
    std::vector<std::int64_t> causes;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t at_ms = own.at_ms(values[i]);
      const bool last_of_instant = i + 1 == values.size() || own.at_ms(values[i + 1]) != at_ms;
      if (at_ms < span.from_ms || !last_of_instant) continue;
      while (at_ms - own.at_ms(values[begin]) > test.over_ms) ++begin;
      if (forgot_within(own, {at_ms - test.over_ms, at_ms})) continue;
      window.clear();
      causes.clear();
      for (std::size_t k = begin; k <= i; ++k) {
        const PointData& point = own[values[k]];
        window.push_back({point.at_ms, *point.number});
        causes.push_back(point.record);
      }
      if (holds(test, window)) {
        found.push_back(hit_of(own, values[i], own.at_ms(values[begin]), causes));
      }
    }
  }
};

}  // namespace

void add_leaf_hits(const Leaf& leaf, const std::vector<const Series*>& series, Span span,
                   Hits& found) {
  std::visit(LeafHits{*series[leaf.series], series, span, found}, leaf.test);
}

bool forgot_within(const Series& series, Span span) {
  const auto gap = series.gap();
  return gap && gap->from_ms <= span.until_ms && gap->until_ms >= span.from_ms;
}

}  // namespace trialward::monitor
