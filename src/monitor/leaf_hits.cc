#include "monitor/leaf_hits.h"

#include <algorithm>

#include "monitor/graded.h"

namespace trialward::monitor {
namespace {

using Points = std::vector<Point>;

Points::const_iterator first_from(const Series& series, std::int64_t at_ms) {
  return series.points().begin() + static_cast<std::ptrdiff_t>(series.first_from(at_ms));
}

Hit hit_of(const Point& last, std::int64_t from_ms, std::vector<std::int64_t> causes) {
  sort_causes(causes);
  return {last.at_ms, from_ms, last.record, last.name, std::move(causes)};
}

struct LeafHits {
  const Series& own;
  const std::vector<const Series*>& series;
  const Span span;
  Hits& found;

  void operator()(std::size_t bit) const {
    if (!own.may_have(bit)) return;
    const Points& points = own.points();
    auto point = first_from(own, span.from_ms);
    for (; point != points.end() && point->at_ms <= span.until_ms; ++point) {
      if (!point->superseded && (point->bits >> bit & 1) != 0) {
        found.push_back(hit_of(*point, point->at_ms, {point->record}));
      }
    }
  }

  void operator()(const Comparison& test) const {
    const Points& points = own.points();
    const auto baseline = test.with_baseline ? own.baseline() : std::nullopt;
    for (std::size_t i = own.first_from(span.from_ms); i < points.size(); ++i) {
      const Point& point = points[i];
      if (point.at_ms > span.until_ms) break;
      if (point.superseded || !point.number) continue;
      const auto reference = test.with_baseline ? baseline : own.value_before(i);
      if (!reference || *reference >= i) continue;
      const Point& earlier = points[*reference];
      if (test.holds(*point.number, *earlier.number)) {
        found.push_back(hit_of(point, point.at_ms, {earlier.record, point.record}));
      }
    }
  }

  void operator()(const GradeBesideBaseline& test) const {
    const Points& points = own.points();
    for (std::size_t i = own.first_from(span.from_ms); i < points.size(); ++i) {
      const Point& point = points[i];
      if (point.at_ms > span.until_ms) break;
      GradedPoint graded;
      if (!graded_at(test.from, own, i, false, graded)) continue;
      std::vector<std::int64_t> causes = {point.record};
      if (graded.baseline != 0) causes.push_back(graded.baseline);
      found.push_back(hit_of(point, point.at_ms, std::move(causes)));
    }
  }

  void operator()(const RatioLeaf& test) const {
    const Ratio& ratio = test.ratio;
    const auto value = [&](const Point& point) {
      if (point.superseded) return OptionalNumber();
      return ratio.of_uln ? point.of_uln : point.number;
    };
    const Points& points = own.points();
    auto point = first_from(own, span.from_ms - ratio.apart_ms);
    for (; point != points.end() && point->at_ms <= span.until_ms; ++point) {
      if (!value(*point)) continue;
      const Point* divisor = nearest(*series[test.divisor], *point, ratio.apart_ms, value);
      if (divisor == nullptr || !ratio.holds(*value(*point), *value(*divisor))) continue;
      const Point& last = *divisor < *point ? *point : *divisor;
      if (last.at_ms < span.from_ms || last.at_ms > span.until_ms) continue;
      found.push_back(hit_of(last, std::min(point->at_ms, divisor->at_ms),
                             {point->record, divisor->record}));
    }
  }

  // The point with a value that is nearest to an instant, of two as near the earlier; of several at
  // one instant the last.
  template <class Value>
  static const Point* nearest(const Series& of, const Point& point, std::int64_t apart_ms,
                              Value value) {
    const std::int64_t at_ms = point.at_ms;
    if (forgot_within(of, {at_ms - apart_ms, at_ms + apart_ms})) return nullptr;
    const Points& points = of.points();
    const auto after = first_from(of, at_ms + 1);
    const Point* before = nullptr;
    for (auto one = after; one != points.begin() && before == nullptr;) {
      --one;
      if (at_ms - one->at_ms > apart_ms) break;
      if (value(*one)) before = &*one;
    }
    const Point* later = nullptr;
    for (auto one = after; one != points.end() && one->at_ms - at_ms <= apart_ms; ++one) {
      if (later != nullptr && one->at_ms != later->at_ms) break;
      if (value(*one)) later = &*one;
    }
    const bool later_is_nearer =
        later != nullptr && before != nullptr && later->at_ms - at_ms < at_ms - before->at_ms;
    return before == nullptr || later_is_nearer ? later : before;
  }

  void operator()(const Slope& test) const {
    const Points& points = own.points();
    std::vector<const Point*> values;
    for (auto point = first_from(own, span.from_ms - test.over_ms);
         point != points.end() && point->at_ms <= span.until_ms; ++point) {
      if (!point->superseded && point->number) values.push_back(&*point);
    }
    std::vector<TimedValue> window;
    std::vector<std::int64_t> causes;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::int64_t at_ms = values[i]->at_ms;
      const bool last_of_instant = i + 1 == values.size() || values[i + 1]->at_ms != at_ms;
      if (at_ms < span.from_ms || !last_of_instant) continue;
      while (at_ms - values[begin]->at_ms > test.over_ms) ++begin;
      if (forgot_within(own, {at_ms - test.over_ms, at_ms})) continue;
      window.clear();
      causes.clear();
      for (std::size_t k = begin; k <= i; ++k) {
        window.push_back({values[k]->at_ms, *values[k]->number});
        causes.push_back(values[k]->record);
      }
      if (holds(test, window)) found.push_back(hit_of(*values[i], values[begin]->at_ms, causes));
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
