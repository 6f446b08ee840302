#include "epro/anchor_history.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace trialward::epro {

AnchorHistory::AnchorHistory(const std::vector<Said>& said, Pick pick) {
  struct Change {
    std::int64_t at = 0;  // the record that changes it
    const Said* comes = nullptr;
    const Said* goes = nullptr;
  };
  std::vector<Change> changes;
  for (const Said& one : said) {
    if (!one.when || !one.when->whole()) continue;
    changes.push_back({.at = one.record, .comes = &one});
    if (one.amended_by != 0) changes.push_back({.at = one.amended_by, .goes = &one});
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  const auto before = [](const Said* a, const Said* b) {
    return std::tuple(a->when->from_ms, a->record) < std::tuple(b->when->from_ms, b->record);
  };
  std::set<const Said*, decltype(before)> there(before);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].comes) there.insert(changes[i].comes);
    if (changes[i].goes) there.erase(changes[i].goes);
    // What a correction takes away and what it says instead are one change.
    if (i + 1 < changes.size() && changes[i + 1].at == changes[i].at) continue;
    std::optional<When> when;
    if (!there.empty()) {
      when = (pick == Pick::earliest ? *there.begin() : *there.rbegin())->when;
    }
    if (known_.empty() || known_.back().when != when) known_.push_back({changes[i].at, when});
  }
}

std::optional<When> AnchorHistory::now() const {
  return known_.empty() ? std::nullopt : known_.back().when;
}

std::optional<When> AnchorHistory::as_of(std::int64_t record) const {
  const auto after = std::partition_point(known_.begin(), known_.end(),
                                          [&](const Known& one) { return one.from <= record; });
  return after == known_.begin() ? std::nullopt : std::prev(after)->when;
}

}  // namespace trialward::epro
