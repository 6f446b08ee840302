#include "monitor/subject_watch.h"

#include <algorithm>
#include <ranges>

#include "monitor/evaluate.h"
#include "monitor/grade_details.h"
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
  if (track.ranges && point.number) {
    point.low = reading.range.low;
    point.high = reading.range.high;
  }
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
  for (const Series& one : series_) all_.push_back(&one);
}

std::string SubjectWatch::save() const { return save_series(series_); }

// A series may be long, so it is not copied but changed, and changed back if a rule throws.
std::vector<Match> SubjectWatch::observe(const StoredRecord& stored) {
  const model::Record& record = stored.record;
  const CodeRules* of_code = rules_->of_code(record.kind, record.code);
  const CodeRules* of_kind = rules_->of_kind(record.kind);
  if (!of_code && !of_kind && record.amends == 0) return {};

  const Reading reading(*rules_->study, record);
  Edits edits = edits_for(stored, of_code, of_kind, reading);
  const std::vector<std::size_t> trees = trees_of(edits);
  std::vector<Causes> known;
  for (const std::size_t tree : trees) known.push_back(known_causes(rules_->trees[tree]));
  std::vector<Match> matches;
  try {
    apply(edits);
    for (std::size_t i = 0; i < trees.size(); ++i) {
      add_matches(stored, rules_->trees[trees[i]], known[i], matches);
    }
    add_direct(of_code, reading, stored, matches);
    add_direct(of_kind, reading, stored, matches);
    add_grade_details(*rules_, of_code, of_kind, reading, all_, matches);
  } catch (...) {
    take_back(stored.id, edits);
    throw;
  }
  if (!edits.empty()) changed_ = true;
  return matches;
}

SubjectWatch::Edits SubjectWatch::edits_for(const StoredRecord& stored, const CodeRules* of_code,
                                            const CodeRules* of_kind,
                                            const Reading& reading) const {
  Edits edits;
  if (stored.record.amends != 0) {
    // A correction may change the code, so the corrected record may stand in any series.
    for (std::size_t index = 0; index < series_.size(); ++index) {
      const auto place = series_[index].find(stored.record.amends);
      if (place) edits.push_back({.series = index, .point = {}, .superseded = *place});
    }
  }
  if (!stored.interval) return edits;
  for (const CodeRules* rules : {of_code, of_kind}) {
    if (rules == nullptr || !rules->track) continue;
    auto point = point_of(stored, *rules->track, reading);
    const std::size_t index = rules->track->series;
    if (!point || series_[index].has(*point)) continue;
    edits.push_back({.series = index, .point = std::move(point)});
  }
  return edits;
}

std::vector<std::size_t> SubjectWatch::trees_of(const Edits& edits) const {
  std::vector<std::size_t> trees;
  for (const Edit& edit : edits) {
    const auto& of_series = rules_->trees_of_series[edit.series];
    trees.insert(trees.end(), of_series.begin(), of_series.end());
  }
  std::sort(trees.begin(), trees.end());
  trees.erase(std::unique(trees.begin(), trees.end()), trees.end());
  return trees;
}

SubjectWatch::Causes SubjectWatch::known_causes(const Tree& tree) const {
  return tree.compares ? causes_of(hits(tree.root, all_, Span())) : Causes();
}

void SubjectWatch::apply(Edits& edits) {
  for (Edit& edit : edits) {
    Series& series = series_[edit.series];
    if (edit.point) {
      edit.forgotten = series.insert(std::move(*edit.point));
    } else {
      series.supersede(edit.superseded);
    }
    edit.done = true;
  }
}

void SubjectWatch::take_back(std::int64_t record, Edits& edits) {
  for (Edit& edit : std::views::reverse(edits)) {
    if (!edit.done) continue;
    Series& series = series_[edit.series];
    if (edit.point) {
      series.take_back(record, std::move(edit.forgotten));
    } else {
      series.supersede(edit.superseded, false);
    }
  }
}

// A hit is news when the record is one of its causes. Where values are compared, a correction can
// also make two others neighbours: then it is news when a cause was none before.
void SubjectWatch::add_matches(const StoredRecord& stored, const Tree& tree, const Causes& known,
                               std::vector<Match>& matches) const {
  Span span;
  if (!tree.compares) {
    if (!stored.interval) return;
    span = {stored.interval->from_ms, stored.interval->from_ms + tree.span_ms};
  }
  for (const Hit& hit : hits(tree.root, all_, span)) {
    const bool news = std::any_of(hit.causes.begin(), hit.causes.end(), [&](std::int64_t id) {
      return id == stored.id || (tree.compares && !known.contains(id));
    });
    if (news) add_match(matches, tree.rule, tree.group, hit.causes);
  }
}

}  // namespace trialward::monitor
