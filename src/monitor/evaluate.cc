#include "monitor/evaluate.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <tuple>

#include "monitor/leaf_hits.h"

namespace trialward::monitor {
namespace {

using AllSeries = std::vector<const Series*>;

// In the order of the instants; what holds by two conditions of the same records counts once.
void sort_and_unify(Hits& hits) {
  std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) {
    return std::tie(a.at_ms, a.name, a.causes) < std::tie(b.at_ms, b.name, b.causes);
  });
  const auto same = [](const Hit& a, const Hit& b) {
    return a.at_ms == b.at_ms && a.causes == b.causes;
  };
  hits.erase(std::unique(hits.begin(), hits.end(), same), hits.end());
}

// Makes one hit of several; it stands at the last of their instants.
class United {
 public:
  void add(const Hit& hit) {
    const bool later = causes_.empty() || std::tie(last_.at_ms, last_.name) <
                                              std::tie(hit.at_ms, hit.name);
    const std::int64_t from_ms =
        causes_.empty() ? hit.from_ms : std::min(last_.from_ms, hit.from_ms);
    if (later) {
      last_.at_ms = hit.at_ms;
      last_.record = hit.record;
      last_.name = hit.name;
    }
    last_.from_ms = from_ms;
    causes_.insert(causes_.end(), hit.causes.begin(), hit.causes.end());
  }
  Hit take() {
    sort_causes(causes_);
    last_.causes = std::move(causes_);
    return std::move(last_);
  }

 private:
  Hit last_;
  std::vector<std::int64_t> causes_;
};

// One hit for each record, whichever of the conditions it meets: "of so many records" is what a
// count asks for.
Hits one_per_record(const Hits& single) {
  Hits found;
  for (const Hit& hit : single) {
    if (!found.empty() && found.back().at_ms == hit.at_ms && found.back().record == hit.record) {
      United both;
      both.add(found.back());
      both.add(hit);
      found.back() = both.take();
    } else {
      found.push_back(hit);
    }
  }
  return found;
}

Hits any_hits(const Node& node, const AllSeries& series, Span span) {
  Hits found;
  for (const Leaf& leaf : node.leaves) add_leaf_hits(leaf, series, span, found);
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
    United all;
    for (std::size_t i = first; i <= last; ++i) all.add(single[i]);
    found.push_back(all.take());
  }
  return found;
}

// None at all when one member has none.
std::vector<Hits> hits_of_members(const Node& node, const AllSeries& series, Span span) {
  std::vector<Hits> of_member;
  for (const Node& member : node.members) {
    of_member.push_back(hits(member, series, span.widened(node.within_ms, 0)));
    if (of_member.back().empty()) return {};
  }
  return of_member;
}

// Those within the span, each once.
std::vector<std::int64_t> instants_of(std::span<const Hits> all, Span span) {
  std::vector<std::int64_t> instants;
  for (const Hits& hits : all) {
    for (const Hit& hit : hits) {
      if (hit.at_ms >= span.from_ms) instants.push_back(hit.at_ms);
    }
  }
  sort_causes(instants);
  return instants;
}

Hits all_hits(const Node& node, const AllSeries& series, Span span) {
  const std::vector<Hits> of_member = hits_of_members(node, series, span);
  Hits found;
  for (const std::int64_t at_ms : instants_of(of_member, span)) {
    United all;
    const bool each = std::all_of(of_member.begin(), of_member.end(), [&](const Hits& member) {
      const auto begin = first_from(member, at_ms - node.within_ms);
      const auto end = first_from(member, at_ms + 1);
      std::for_each(begin, end, [&](const Hit& hit) { all.add(hit); });
      return begin != end;
    });
    if (each) found.push_back(all.take());
  }
  return found;
}

// Takes whatever is a link of some chain that ends at an instant: a member's hits from the first
// that can follow on the members before it, until the last that the members after it can follow.
Hits then_hits(const Node& node, const AllSeries& series, Span span) {
  const std::vector<Hits> of_member = hits_of_members(node, series, span);
  if (of_member.empty()) return {};
  const std::size_t count = of_member.size();
  Hits found;
  for (const std::int64_t at_ms : instants_of(std::span(of_member).last(1), span)) {
    std::vector<Hits::const_iterator> begins(count);
    std::int64_t from_ms = at_ms - node.within_ms;
    bool each = true;
    for (std::size_t i = 0; each && i < count; ++i) {
      begins[i] = first_from(of_member[i], from_ms);
      each = begins[i] != of_member[i].end() && begins[i]->at_ms <= at_ms;
      if (each) from_ms = begins[i]->at_ms;
    }
    if (!each) continue;
    United all;
    std::int64_t until_ms = at_ms;
    for (std::size_t i = count; i-- > 0;) {
      const auto end = first_from(of_member[i], until_ms + 1);
      const auto begin = i + 1 == count ? first_from(of_member[i], at_ms) : begins[i];
      std::for_each(begin, end, [&](const Hit& hit) { all.add(hit); });
      until_ms = std::prev(end)->at_ms;
    }
    found.push_back(all.take());
  }
  return found;
}

bool forgot_within(const Node& node, const AllSeries& series, Span span) {
  const auto of_leaf = [&](const Leaf& leaf) {
    const auto* ratio = std::get_if<RatioLeaf>(&leaf.test);
    return monitor::forgot_within(*series[leaf.series], span) ||
           (ratio != nullptr && monitor::forgot_within(*series[ratio->divisor], span));
  };
  const auto of_member = [&](const Node& member) { return forgot_within(member, series, span); };
  return std::any_of(node.leaves.begin(), node.leaves.end(), of_leaf) ||
         std::any_of(node.members.begin(), node.members.end(), of_member);
}

// Of what cannot be said any more nothing holds.
void drop_excluded(const Node& node, const AllSeries& series, Span span, Hits& found) {
  for (const Node& excluded : node.without) {
    const std::int64_t around_ms = excluded.around_ms;
    const Hits all =
        hits(excluded, series, span.widened(node.span_ms + around_ms, around_ms));
    std::erase_if(found, [&](const Hit& hit) {
      const Span around{hit.from_ms - around_ms, hit.at_ms + around_ms};
      const auto first = first_from(all, around.from_ms);
      if (first != all.end() && first->at_ms <= around.until_ms) return true;
      return forgot_within(excluded, series, around.widened(excluded.span_ms, 0));
    });
  }
}

Hits hits_with(const Node& node, const AllSeries& series, Span span) {
  if (node.join == Join::all) return all_hits(node, series, span);
  if (node.join == Join::then) return then_hits(node, series, span);
  if (node.count == 1) return any_hits(node, series, span);
  const Hits single = any_hits(node, series, span.widened(node.within_ms, 0));
  return count_hits(node, one_per_record(single), span);
}

}  // namespace

Hits hits(const Node& node, const AllSeries& series, Span span) {
  Hits found = hits_with(node, series, span);
  if (!node.without.empty() && !found.empty()) drop_excluded(node, series, span, found);
  return found;
}

}  // namespace trialward::monitor
