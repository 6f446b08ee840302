#include "monitor/evaluate.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace trialward::monitor {
namespace {

using Hits = std::vector<Hit>;

// In the order of the instants; what holds by two conditions of the same records counts once.
void sort_and_unify(Hits& hits) {
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return std::tie(a.at_ms, a.record, a.causes) < std::tie(b.at_ms, b.record, b.causes);
  });
  const auto same = [](const Hit& a, const Hit& b) {
    return a.at_ms == b.at_ms && a.causes == b.causes;
  };
  hits.erase(std::unique(hits.begin(), hits.end(), same), hits.end());
}

// The first hit at or after an instant.
Hits::const_iterator from(const Hits& hits, std::int64_t at_ms) {
  return std::lower_bound(hits.begin(), hits.end(), at_ms,
                          [](const Hit& hit, std::int64_t at) { return hit.at_ms < at; });
}

Hit unite(std::int64_t at_ms, std::int64_t record, std::vector<std::int64_t> causes) {
  std::sort(causes.begin(), causes.end());
  causes.erase(std::unique(causes.begin(), causes.end()), causes.end());
  return {at_ms, record, std::move(causes)};
}

// One hit for each record, whichever of the conditions it meets: "of so many records" is what a
// count asks for.
Hits one_per_record(const Hits& single) {
  Hits found;
  for (const Hit& hit : single) {
    if (!found.empty() && found.back().at_ms == hit.at_ms && found.back().record == hit.record) {
      auto causes = std::move(found.back().causes);
      causes.insert(causes.end(), hit.causes.begin(), hit.causes.end());
      found.back() = unite(hit.at_ms, hit.record, std::move(causes));
    } else {
      found.push_back(hit);
    }
  }
  return found;
}

void add_bit_hits(const Series& series, std::size_t bit, Span span, Hits& found) {
  const auto& points = series.points();
  auto point = std::lower_bound(points.begin(), points.end(), span.from_ms,
                                [](const Point& p, std::int64_t at) { return p.at_ms < at; });
  for (; point != points.end() && point->at_ms <= span.until_ms; ++point) {
    if (!point->superseded && (point->bits >> bit & 1) != 0) {
      found.push_back({point->at_ms, point->record, {point->record}});
    }
  }
}

void add_comparison_hits(const Series& series, const Comparison& test, Span span, Hits& found) {
  const auto& points = series.points();
  const auto baseline = test.with_baseline ? series.baseline() : std::nullopt;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& point = points[i];
    if (point.at_ms < span.from_ms || point.at_ms > span.until_ms) continue;
    if (point.superseded || !point.number) continue;
    const auto reference = test.with_baseline ? baseline : series.value_before(i);
    if (!reference || *reference >= i) continue;
    const Point& earlier = points[*reference];
    if (test.holds(*point.number, *earlier.number)) {
      found.push_back(unite(point.at_ms, point.record, {earlier.record, point.record}));
    }
  }
}

void add_grade_hits(const Series& series, const GradeFrom& from, Span span, Hits& found) {
  const auto& points = series.points();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point& point = points[i];
    if (point.at_ms < span.from_ms || point.at_ms > span.until_ms) continue;
    GradedPoint graded;
    if (!graded_at(from, series, i, false, graded)) continue;
    std::vector<std::int64_t> causes = {point.record};
    if (graded.baseline != 0) causes.push_back(graded.baseline);
    found.push_back(unite(point.at_ms, point.record, std::move(causes)));
  }
}

Hits any_hits(const Node& node, const std::vector<const Series*>& series, Span span) {
  Hits found;
  for (const Leaf& leaf : node.leaves) {
    if (const auto* bit = std::get_if<std::size_t>(&leaf.test)) {
      add_bit_hits(*series[leaf.series], *bit, span, found);
    } else if (const auto* graded = std::get_if<GradeBesideBaseline>(&leaf.test)) {
      add_grade_hits(*series[leaf.series], graded->from, span, found);
    } else {
      add_comparison_hits(*series[leaf.series], std::get<Comparison>(leaf.test), span, found);
    }
  }
  for (const Node& member : node.members) {
    Hits more = hits(member, series, span);
    std::move(more.begin(), more.end(), std::back_inserter(found));
  }
  sort_and_unify(found);
  return found;
}

// `single`: also of the time before the span, as far as the count looks back.
Hits count_hits(const Node& node, const Hits& single, Span span) {
  Hits found;
  for (std::size_t last = node.count - 1; last < single.size(); ++last) {
    const std::size_t first = last + 1 - node.count;
    const std::int64_t at_ms = single[last].at_ms;
    if (at_ms < span.from_ms || at_ms - single[first].at_ms > node.within_ms) continue;
    std::vector<std::int64_t> causes;
    for (std::size_t i = first; i <= last; ++i) {
      causes.insert(causes.end(), single[i].causes.begin(), single[i].causes.end());
    }
    found.push_back(unite(at_ms, single[last].record, std::move(causes)));
  }
  return found;
}

Hits all_hits(const Node& node, const std::vector<const Series*>& series, Span span) {
  std::vector<Hits> of_member;
  std::vector<std::int64_t> instants;
  for (const Node& member : node.members) {
    of_member.push_back(hits(member, series, {span.from_ms - node.within_ms, span.until_ms}));
    for (const Hit& hit : of_member.back()) {
      if (hit.at_ms >= span.from_ms) instants.push_back(hit.at_ms);
    }
  }
  std::sort(instants.begin(), instants.end());
  instants.erase(std::unique(instants.begin(), instants.end()), instants.end());

  Hits found;
  for (const std::int64_t at_ms : instants) {
    std::int64_t record = 0;
    std::vector<std::int64_t> causes;
    const bool each = std::all_of(of_member.begin(), of_member.end(), [&](const Hits& member) {
      const auto begin = from(member, at_ms - node.within_ms);
      const auto end = from(member, at_ms + 1);
      for (auto hit = begin; hit != end; ++hit) {
        if (hit->at_ms == at_ms) record = std::max(record, hit->record);
        causes.insert(causes.end(), hit->causes.begin(), hit->causes.end());
      }
      return begin != end;
    });
    if (each) found.push_back(unite(at_ms, record, std::move(causes)));
  }
  return found;
}

}  // namespace

std::vector<Hit> hits(const Node& node, const std::vector<const Series*>& series, Span span) {
  if (node.all) return all_hits(node, series, span);
  if (node.count == 1) return any_hits(node, series, span);
  const Hits single = any_hits(node, series, {span.from_ms - node.within_ms, span.until_ms});
  return count_hits(node, one_per_record(single), span);
}

}  // namespace trialward::monitor
