#include "monitor/subject_watch.h"

#include <algorithm>
#include <set>

#include "monitor/evaluate.h"
#include "monitor/watch_format.h"

namespace trialward::monitor {
namespace {

using model::Match;
using model::StoredRecord;

void add_match(std::vector<Match>& matches, std::size_t rule, const std::string& group,
               const std::vector<std::int64_t>& causes) {
  const auto same = std::find_if(matches.begin(), matches.end(), [&](const Match& match) {
    return match.rule == rule && match.group == group;
  });
  if (same == matches.end()) {
    matches.push_back({rule, group, causes});
    return;
  }
  auto& all = same->causes;
  all.insert(all.end(), causes.begin(), causes.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

// All versions of a record are one to the alerts: each correction belongs to the first of them.
std::string group_of(OneAlertPer one_alert_per, const StoredRecord& stored) {
  switch (one_alert_per) {
    case OneAlertPer::subject:
      return "";
    case OneAlertPer::code:
      return stored.record.code;
    case OneAlertPer::record:
      if (stored.first != 0) return std::to_string(stored.first);
      return std::to_string(stored.record.amends != 0 ? stored.record.amends : stored.id);
  }
  return "";
}

void add_direct(const CodeRules* rules, const Reading& reading, const StoredRecord& stored,
                std::vector<Match>& matches) {
  if (rules == nullptr) return;
  for (const Direct& direct : rules->direct) {
    if (!holds(direct.test, reading)) continue;
    add_match(matches, direct.rule, group_of(direct.one_alert_per, stored), {stored.id});
  }
}

// What a series remembers of a record; nothing when no test holds and its value is not compared.
std::optional<Point> point_of(const StoredRecord& stored, const Track& track,
                              const Reading& reading) {
  Point point;
  for (std::size_t bit = 0; bit < track.tests.size(); ++bit) {
    if (holds(track.tests[bit], reading)) point.bits |= std::uint64_t{1} << bit;
  }
  if (track.values) point.number = reading.number;
  if (point.bits == 0 && !point.number) return std::nullopt;
  const model::Record& record = stored.record;
  point.at_ms = stored.interval->from_ms;
  point.name.reserve(record.source.size() + 1 + record.source_id.size());
  point.name.append(record.source).push_back('\0');
  point.name.append(record.source_id);
  point.record = stored.id;
  point.marked = record.baseline;
  return point;
}

std::set<std::int64_t> causes_of(const std::vector<Hit>& all) {
  std::set<std::int64_t> causes;
  for (const Hit& hit : all) causes.insert(hit.causes.begin(), hit.causes.end());
  return causes;
}

}  // namespace

SubjectWatch::SubjectWatch(std::shared_ptr<const RuleSet> rules, std::vector<Series> series)
    : rules_(std::move(rules)), series_(std::move(series)) {
  TW_CHECK(series_.size() == rules_->series_count());
}

std::string SubjectWatch::save() const { return save_series(series_); }

std::vector<Match> SubjectWatch::observe(const StoredRecord& stored) {
  const model::Record& record = stored.record;
  const CodeRules* of_code = rules_->of_code(record.kind, record.code);
  const CodeRules* of_kind = rules_->of_kind(record.kind);
  if (!of_code && !of_kind && record.amends == 0) return {};

  const Reading reading(*rules_->study, record);
  Edits edits = edits_for(stored, of_code, of_kind, reading);
  std::vector<Match> matches = matches_of(stored, edits);
  add_direct(of_code, reading, stored, matches);
  add_direct(of_kind, reading, stored, matches);
  // Nothing below throws.
  for (auto& [index, series] : edits) {
    series_[index] = std::move(series);
    changed_ = true;
  }
  return matches;
}

SubjectWatch::Edits SubjectWatch::edits_for(const StoredRecord& stored, const CodeRules* of_code,
                                            const CodeRules* of_kind,
                                            const Reading& reading) const {
  Edits edits;
  const auto edit = [&](std::size_t index) -> Series& {
    return edits.try_emplace(index, series_[index]).first->second;
  };
  if (stored.record.amends != 0) {
    // A correction may change the code, so the corrected record may stand in any series.
    for (std::size_t index = 0; index < series_.size(); ++index) {
      const auto place = series_[index].find(stored.record.amends);
      if (place) edit(index).supersede(*place);
    }
  }
  if (!stored.interval) return edits;
  for (const CodeRules* rules : {of_code, of_kind}) {
    if (rules == nullptr || !rules->track) continue;
    auto point = point_of(stored, *rules->track, reading);
    const std::size_t index = rules->track->series;
    if (point && !series_[index].has(*point)) edit(index).insert(std::move(*point));
  }
  return edits;
}

// A hit is news when the record is one of its causes. Where values are compared, a correction can
// also make two others neighbours: then it is news when a cause was none before.
std::vector<Match> SubjectWatch::matches_of(const StoredRecord& stored, const Edits& edits) const {
  std::vector<Match> matches;
  if (edits.empty()) return matches;
  std::vector<const Series*> before, after;
  for (const Series& series : series_) before.push_back(&series);
  after = before;
  std::set<std::size_t> trees;
  for (const auto& [index, series] : edits) {
    after[index] = &series;
    trees.insert(rules_->trees_of_series[index].begin(), rules_->trees_of_series[index].end());
  }
  for (const std::size_t index : trees) {
    const Tree& tree = rules_->trees[index];
    Span span;
    std::set<std::int64_t> known;
    if (tree.compares) {
      known = causes_of(hits(tree.root, before, span));
    } else if (stored.interval) {
      span = {stored.interval->from_ms, stored.interval->from_ms + tree.span_ms};
    } else {
      continue;
    }
    for (const Hit& hit : hits(tree.root, after, span)) {
      const bool news = std::any_of(hit.causes.begin(), hit.causes.end(), [&](std::int64_t id) {
        return id == stored.id || (tree.compares && !known.contains(id));
      });
      if (news) add_match(matches, tree.rule, tree.group, hit.causes);
    }
  }
  return matches;
}

}  // namespace trialward::monitor
