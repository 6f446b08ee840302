#include "monitor/subject_watch.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>

#include "base/heap_bytes.h"
#include "monitor/absence_hits.h"
#include "monitor/evaluate.h"
#include "monitor/grade_details.h"
#include "monitor/watch_format.h"

namespace trialward::monitor {
namespace {

using model::Match;
using model::Observation;
using model::StoredRecord;

Match& add_match(std::vector<Match>& matches, std::size_t rule, const std::string& group,
                 const std::vector<std::int64_t>& causes) {
  const auto same = std::find_if(matches.begin(), matches.end(), [&](const Match& match) {
    return match.rule == rule && match.group == group;
  });
  if (same == matches.end()) {
    return matches.emplace_back(Match{.rule = rule, .group = group, .causes = causes});
  }
  auto& all = same->causes;
  all.insert(all.end(), causes.begin(), causes.end());
  sort_causes(all);
  return *same;
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

bool holds_of(const VisitTest& test, const Reading& reading) {
  return (test.visit.empty() || test.visit == reading.record.visit) && holds(test.test, reading);
}

// What a series remembers of a record; nothing when no test holds and its value is not compared.
std::optional<Point> point_of(const StoredRecord& stored, const Track& track,
                              const Reading& reading) {
  Point point;
  for (std::size_t bit = 0; bit < track.tests.size(); ++bit) {
    if (holds_of(track.tests[bit], reading)) point.bits |= std::uint64_t{1} << bit;
  }
  if (track.values) point.number = reading.number;
  if (track.multiples && reading.number && reading.range.high && *reading.range.high > 0) {
    const double of_uln = *reading.number / *reading.range.high;
    if (std::isfinite(of_uln)) point.of_uln = of_uln;
  }
  if (track.ranges && point.number) {
    point.low = reading.range.low;
    point.high = reading.range.high;
  }
  if (point.bits == 0 && !point.number && !point.of_uln) return std::nullopt;
  const model::Record& record = stored.record;
  point.at_ms = stored.interval->from_ms;
  point.name = PointName(record.source, record.source_id);
  point.record = stored.id;
  point.marked = record.baseline;
  return point;
}

std::set<std::int64_t> causes_of(const Hits& all) {
  std::set<std::int64_t> causes;
  for (const Hit& hit : all) causes.insert(hit.causes.begin(), hit.causes.end());
  return causes;
}

template <class Of, class Less>
std::vector<std::int64_t> difference(const Of& of, const Less& less) {
  std::vector<std::int64_t> rest;
  std::set_difference(of.begin(), of.end(), less.begin(), less.end(), std::back_inserter(rest));
  return rest;
}

std::optional<std::int64_t> earlier(std::optional<std::int64_t> a, std::optional<std::int64_t> b) {
  return !a || (b && *b < *a) ? b : a;
}

// Of hits that stand when they were due, those after an instant; a match for each such time, of the
// causes that were none until then.
void add_overdue(std::size_t rule, const Hits& all, std::int64_t after_ms,
                 std::vector<Match>& matches) {
  std::set<std::int64_t> known;
  std::map<std::int64_t, std::set<std::int64_t>> by_due;
  for (const Hit& hit : all) {
    auto& causes = hit.at_ms <= after_ms ? known : by_due[hit.at_ms];
    causes.insert(hit.causes.begin(), hit.causes.end());
  }
  for (auto& [due_ms, causes] : by_due) {
    auto begun = difference(causes, known);
    if (begun.empty()) continue;
    known.insert(begun.begin(), begun.end());
    matches.push_back({.rule = rule, .causes = std::move(begun), .due_ms = due_ms});
  }
}

}  // namespace

SubjectWatch::SubjectWatch(std::shared_ptr<const RuleSet> rules, std::vector<Series> series)
    : rules_(std::move(rules)), series_(std::move(series)) {
  TW_CHECK(series_.size() == rules_->series_count());
  for (Series& one : series_) {
    all_.push_back(&one);
    one.tell(&to_pack_);
  }
  to_pack_ = true;  // and all are to be counted
  const Packing packing(*this);
  due_ms_ = expected().next_ms;
}

std::string SubjectWatch::save() const { return save_series(series_); }

std::size_t SubjectWatch::bytes() const {
  return sizeof *this + series_bytes_ + base::heap_bytes(series_.capacity() * sizeof(Series)) +
         base::heap_bytes(all_.capacity() * sizeof(const Series*));
}

// A subject's series may be many, and most records make nothing to be packed.
void SubjectWatch::pack() const noexcept {
  if (!to_pack_) return;
  to_pack_ = false;
  series_bytes_ = 0;
  for (const Series& one : series_) {
    if (!one.pack()) to_pack_ = true;
    series_bytes_ += one.bytes();
  }
}

// A series may be long, so it is not copied but changed, and changed back if a rule throws.
Observation SubjectWatch::observe(const StoredRecord& stored) {
  const model::Record& record = stored.record;
  const CodeRules* of_code = rules_->of_code(record.kind, record.code);
  const CodeRules* of_kind = rules_->of_kind(record.kind);
  if (!of_code && !of_kind && record.amends == 0) return {};

  const Packing packing(*this);
  const Reading reading(*rules_->study, record);
  Edits edits = edits_for(stored, of_code, of_kind, reading);
  const std::vector<std::size_t> trees = trees_of(edits);
  Observation found;
  try {
    apply(edits);
    if (!trees.empty()) judge(stored, trees, edits, found);
    if (awaited(edits)) wait_anew(stored, edits, found);
    add_direct(of_code, reading, stored, found);
    add_direct(of_kind, reading, stored, found);
    add_grade_details(*rules_, of_code, of_kind, reading, all_, found.matches);
  } catch (...) {
    take_back(edits);
    throw;
  }
  if (!edits.empty()) changed_ = true;
  return found;
}

Observation SubjectWatch::pass(std::int64_t utc_ms) {
  Observation found;
  if (utc_ms <= passed_ms_ || rules_->absences.empty()) return found;
  const Packing packing(*this);
  std::optional<std::int64_t> next_ms;
  for (const Absence& absence : rules_->absences) {
    const Missing missing = missing_at(absence, all_, utc_ms);
    add_overdue(absence.rule, missing.hits, passed_ms_, found.matches);
    next_ms = earlier(next_ms, missing.next_ms);
  }
  std::stable_sort(found.matches.begin(), found.matches.end(),
                   [](const Match& a, const Match& b) { return a.due_ms < b.due_ms; });
  passed_ms_ = utc_ms;
  due_ms_ = next_ms;
  return found;
}

bool SubjectWatch::holds(std::size_t rule, std::string_view group,
                         const std::vector<std::int64_t>& causes) const {
  const auto among = [&](const Hit& hit) {
    return std::includes(causes.begin(), causes.end(), hit.causes.begin(), hit.causes.end());
  };
  const auto not_remembered = [&](std::int64_t id) {
    return std::none_of(series_.begin(), series_.end(),
                        [&](const Series& series) { return series.knows(id); });
  };
  const Packing packing(*this);
  bool remembers = false;
  for (const Tree& tree : rules_->trees) {
    if (tree.rule != rule || tree.group != group) continue;
    remembers = true;
    if (tree.with_direct && std::any_of(causes.begin(), causes.end(), not_remembered)) return true;
    const Hits all = hits(tree.root, all_, Span());
    if (std::any_of(all.begin(), all.end(), among)) return true;
  }
  for (const Absence& absence : rules_->absences) {
    if (absence.rule != rule) continue;
    remembers = true;
    const Hits all = missing_at(absence, all_, passed_ms_).hits;
    if (std::any_of(all.begin(), all.end(), among)) return true;
  }
  // What is judged by one record holds of each.
  return !remembers && !causes.empty();
}

SubjectWatch::Edits SubjectWatch::edits_for(const StoredRecord& stored, const CodeRules* of_code,
                                            const CodeRules* of_kind,
                                            const Reading& reading) const {
  Edits edits;
  if (stored.record.amends != 0) {
    // A correction may change the code, so the corrected record may stand in any series.
    for (std::size_t index = 0; index < series_.size(); ++index) {
      const auto place = series_[index].find(stored.record.amends);
      if (!place) continue;
      const std::int64_t at_ms = series_[index][*place].at_ms;
      edits.push_back({.series = index, .point = {}, .superseded = *place, .at_ms = at_ms});
    }
  }
  if (!stored.interval) return edits;
  for (const CodeRules* rules : {of_code, of_kind}) {
    if (rules == nullptr || !rules->track) continue;
    auto point = point_of(stored, *rules->track, reading);
    const std::size_t index = rules->track->series;
    if (!point || series_[index].has(*point)) continue;
    const std::int64_t at_ms = point->at_ms;
    edits.push_back({.series = index, .point = std::move(point), .at_ms = at_ms});
  }
  return edits;
}

std::vector<std::size_t> SubjectWatch::trees_of(const Edits& edits) const {
  std::vector<std::size_t> trees;
  for (const Edit& edit : edits) {
    const PointData& point =
        edit.point ? *edit.point : series_[edit.series][edit.superseded];
    for (const TreeUse& use : rules_->trees_of_series[edit.series]) {
      const bool number = use.numbers && (point.number || point.of_uln);
      if (number || (use.bits & point.bits) != 0) trees.push_back(use.tree);
    }
  }
  std::sort(trees.begin(), trees.end());
  trees.erase(std::unique(trees.begin(), trees.end()), trees.end());
  return trees;
}

bool SubjectWatch::awaited(const Edits& edits) const {
  return std::any_of(edits.begin(), edits.end(),
                     [&](const Edit& edit) { return rules_->awaited[edit.series]; });
}

void SubjectWatch::apply(Edits& edits) {
  for (Edit& edit : edits) {
    Series& series = series_[edit.series];
    if (edit.point) {
      const std::size_t before = series.bytes();
      edit.undo = series.insert(std::move(*edit.point));
      series_bytes_ += series.bytes() - before;
    } else {
      series.supersede(edit.superseded);
    }
    edit.done = true;
  }
}

void SubjectWatch::take_back(Edits& edits) {
  // The last first; not by a view, which the fuzz build's Clang cannot compile.
  std::for_each(edits.rbegin(), edits.rend(), [&](Edit& edit) {
    if (!edit.done) return;
    Series& series = series_[edit.series];
    if (edit.point) {
      const std::size_t before = series.bytes();
      series.take_back(std::move(edit.undo));
      series_bytes_ += series.bytes() - before;
    } else {
      series.supersede(edit.superseded, false);
    }
  });
}

void SubjectWatch::hide(const StoredRecord& stored, const Edits& edits, bool hidden) {
  for (const Edit& edit : edits) {
    Series& series = series_[edit.series];
    if (edit.point) {
      series.set_superseded(edit.at_ms, stored.id, hidden);
    } else {
      series.set_superseded(edit.at_ms, stored.record.amends, !hidden);
    }
  }
}

SubjectWatch::Reach SubjectWatch::reach_of(const StoredRecord& stored, const Edits& edits) {
  Reach reach;
  for (const Edit& edit : edits) {
    std::int64_t until_ms = edit.at_ms;
    const auto next = series_[edit.series].value_from(edit.at_ms + 1);
    if (next) until_ms = series_[edit.series][*next].at_ms;
    reach.own.from_ms = std::min(reach.own.from_ms, edit.at_ms);
    reach.own.until_ms = std::max(reach.own.until_ms, edit.at_ms);
    reach.compared_until_ms = std::max(reach.compared_until_ms, until_ms);
  }
  const auto baselines = [&] {
    std::vector<std::int64_t> records;
    for (const Edit& edit : edits) {
      const Series& series = series_[edit.series];
      const auto place = series.baseline();
      records.push_back(place ? series.baseline_point().record : 0);
    }
    return records;
  };
  const std::vector<std::int64_t> now = baselines();
  hide(stored, edits, true);
  reach.moves_baseline = now != baselines();
  hide(stored, edits, false);
  return reach;
}

// What is compared stands beside the baseline, which stays where it is, or beside the value before,
// which is another only until the next value.
Span SubjectWatch::span_of(const Tree& tree, const Reach& reach) {
  if (tree.compares && reach.moves_baseline) return {};
  Span span = reach.own;
  if (tree.compares) span.until_ms = reach.compared_until_ms;
  return span.widened(tree.reach_ms, tree.reach_ms);
}

std::vector<SubjectWatch::Causes> SubjectWatch::known_causes(
    const StoredRecord& stored, const Edits& edits, const Reach& reach,
    const std::vector<std::size_t>& trees) {
  std::vector<Causes> known(trees.size());
  bool hidden = false;
  for (std::size_t i = 0; i < trees.size(); ++i) {
    const Tree& tree = rules_->trees[trees[i]];
    if (!tree.revocable && stored.record.amends == 0) continue;
    if (!hidden) hide(stored, edits, true);
    hidden = true;
    known[i] = causes_of(hits(tree.root, all_, span_of(tree, reach)));
  }
  if (hidden) hide(stored, edits, false);
  return known;
}

void SubjectWatch::judge(const StoredRecord& stored, const std::vector<std::size_t>& trees,
                         const Edits& edits, Observation& found) {
  const Reach reach = reach_of(stored, edits);
  const std::vector<Causes> known = known_causes(stored, edits, reach, trees);
  for (std::size_t i = 0; i < trees.size(); ++i) {
    judge(stored, rules_->trees[trees[i]], edits, reach, known[i], found);
  }
}

// A hit is news when the record is one of its causes. Where a record may end what holds, it can
// also make two others neighbours: then a hit is news when a cause was none before. Of what is
// compared that is seldom so, and only then it is asked whether the cause was one elsewhere.
void SubjectWatch::judge(const StoredRecord& stored, const Tree& tree, const Edits& edits,
                         const Reach& reach, const Causes& known, Observation& found) {
  const bool may_end = tree.revocable || stored.record.amends != 0;
  Span span = span_of(tree, reach);
  if (!may_end) span = {stored.interval->from_ms, stored.interval->from_ms + tree.root.span_ms};
  const Hits all = hits(tree.root, all_, span);
  std::optional<Causes> known_anywhere;
  const auto was_known = [&](std::int64_t id) {
    if (known.contains(id)) return true;
    if (!tree.compares) return false;
    if (!known_anywhere) {
      hide(stored, edits, true);
      known_anywhere = causes_of(hits(tree.root, all_, Span()));
      hide(stored, edits, false);
    }
    return known_anywhere->contains(id);
  };
  for (const Hit& hit : all) {
    const bool of_record = std::binary_search(hit.causes.begin(), hit.causes.end(), stored.id);
    const bool news =
        of_record || (may_end && !std::all_of(hit.causes.begin(), hit.causes.end(), was_known));
    if (news) add_match(found.matches, tree.rule, tree.group, hit.causes);
  }
  if (!may_end) return;
  std::vector<std::int64_t> ended = difference(known, causes_of(all));
  if (!ended.empty()) {
    // It may still be one of what holds elsewhere.
    const Causes now = causes_of(hits(tree.root, all_, Span()));
    std::erase_if(ended, [&](std::int64_t id) { return now.contains(id); });
  }
  if (!ended.empty()) add_match(found.ended, tree.rule, tree.group, ended);
}

void SubjectWatch::wait_anew(const StoredRecord& stored, const Edits& edits, Observation& found) {
  hide(stored, edits, true);
  const AllExpected before = expected();
  hide(stored, edits, false);
  const AllExpected now = expected();
  judge_absences(before, now, found);
  due_ms_ = now.next_ms;
}

SubjectWatch::AllExpected SubjectWatch::expected() const {
  AllExpected all;
  for (const Absence& absence : rules_->absences) {
    Missing missing = missing_at(absence, all_, passed_ms_);
    all.next_ms = earlier(all.next_ms, missing.next_ms);
    all.of.push_back({causes_of(missing.hits), std::move(missing.awaited)});
  }
  return all;
}

void SubjectWatch::judge_absences(const AllExpected& before, const AllExpected& now,
                                  Observation& found) const {
  for (std::size_t i = 0; i < now.of.size(); ++i) {
    const std::size_t rule = rules_->absences[i].rule;
    const auto begun = difference(now.of[i].overdue, before.of[i].overdue);
    if (!begun.empty()) {
      Match& match = add_match(found.matches, rule, "", begun);
      const auto no_more = difference(before.of[i].awaited, now.of[i].awaited);
      match.awaited.insert(match.awaited.end(), no_more.begin(), no_more.end());
    }
    const auto ended = difference(before.of[i].overdue, now.of[i].overdue);
    if (!ended.empty()) add_match(found.ended, rule, "", ended);
  }
}

void SubjectWatch::add_direct(const CodeRules* rules, const Reading& reading,
                              const StoredRecord& stored, Observation& found) const {
  if (rules == nullptr) return;
  for (const Direct& direct : rules->direct) {
    if (!holds_of(direct.test, reading)) continue;
    if (direct.if_not_remembered) {
      const auto& series = series_[rules->track->series];
      if (series.find(stored.id)) continue;
    }
    add_match(found.matches, direct.rule, group_of(direct.one_alert_per, stored), {stored.id});
  }
}

}  // namespace trialward::monitor
