#include "reports/profile_lanes.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "reports/emergent.h"

namespace trialward::reports {
namespace {

using model::Kind;

Tone tone_of(std::string_view severity) {
  const std::pair<std::string_view, Tone> tones[] = {
      {"MILD", Tone::mild},     {"1", Tone::mild},
      {"MODERATE", Tone::moderate}, {"2", Tone::moderate},
      {"SEVERE", Tone::severe}, {"3", Tone::severe},
      {"LIFE THREATENING", Tone::threatening}, {"4", Tone::threatening},
      {"FATAL", Tone::fatal},   {"5", Tone::fatal}};
  for (const auto& [name, tone] : tones) {
    if (name == severity) return tone;
  }
  return Tone::plain;
}

std::string dates_of(const Date& from, const Date& to) {
  return (from.given() ? to_string(from) : std::string("?")) + " – " +
         (to.given() ? to_string(to) : "?");
}

// A bar from the first day that the start can mean to the last of the end; none without both.
std::optional<LaneBar> bar_of(const Profile& profile, const Timeline& axis, const Date& from,
                              const Date& to) {
  const auto start = days_of(from), end = days_of(to);
  if (!profile.origin() || (!start && !end)) return std::nullopt;
  LaneBar bar;
  bar.open_from = !start;
  bar.open_to = !end;
  bar.from = start ? profile.at(start->first) : std::min(axis.from, profile.at(end->last));
  bar.to = end ? profile.at(end->last) + 1 : std::max(axis.to, bar.from);
  return bar;
}

// Lanes by name, in the order in which the names come.
class NamedLanes {
 public:
  Lane& of(std::string_view name) {
    const auto [found, is_new] = places_.try_emplace(std::string(name), lanes_.size());
    if (is_new) lanes_.emplace_back().label = std::string(name);
    return lanes_[found->second];
  }
  // A record that says the same again is in the same bar.
  static void add(Lane& lane, LaneBar bar) {
    const auto same = [&](const LaneBar& one) {
      return one.from == bar.from && one.to == bar.to && one.tone == bar.tone &&
             one.text == bar.text && one.label == bar.label;
    };
    if (std::none_of(lane.bars.begin(), lane.bars.end(), same)) lane.bars.push_back(std::move(bar));
  }
  std::vector<Lane> take() { return std::move(lanes_); }

 private:
  std::vector<Lane> lanes_;
  std::unordered_map<std::string, std::size_t> places_;
};

void add_points(const Profile& profile, const std::vector<Entry>& all, Lane lane,
                std::vector<Lane>& lanes) {
  for (const Entry* one : profile.entries(all)) {
    const auto day = day_number(one->date);
    if (!day || !profile.origin() || one->not_done) continue;
    lane.points.push_back({.at = profile.at(*day),
                           .label = to_string(one->date) + ": " +
                                    std::string(profile.text(one->code))});
  }
  if (!lane.points.empty()) lanes.push_back(std::move(lane));
}

}  // namespace

std::vector<Lane> visit_lanes(const Profile& profile) {
  std::vector<Lane> lanes;
  add_points(profile, profile.data().visits, {.label = "Visits", .bars = {}, .points = {}}, lanes);
  add_points(profile, profile.data().dispositions,
             {.label = "Disposition", .bars = {}, .points = {}}, lanes);
  return lanes;
}

std::vector<Lane> exposure_lanes(const Profile& profile) {
  const Treatment& treatment = profile.treatment();
  const auto whole = treatment.period();
  if (!profile.origin() || treatment.dosings.empty()) return {};
  NamedLanes lanes;
  // Where its doses change would tell the treatment.
  if (!profile.unblinded()) {
    if (!whole) return {};
    LaneBar bar{.from = profile.at(whole->first), .to = profile.at(whole->last) + 1};
    bar.open_to = treatment.ends_with(Dosing::End::ongoing);
    bar.label = dates_of(date_of_day(whole->first), date_of_day(whole->last));
    lanes.add(lanes.of("Study treatment"), std::move(bar));
    return lanes.take();
  }
  for (const Dosing& one : treatment.dosings) {
    if (!one.period) continue;
    LaneBar bar{.from = profile.at(one.period->first), .to = profile.at(one.period->last) + 1};
    bar.open_to = one.end == Dosing::End::ongoing;
    bar.text = format_short(one.dose) + " " + std::string(one.unit);
    bar.label = dates_of(date_of_day(one.period->first), date_of_day(one.period->last)) + ": " +
                bar.text + " " + std::string(one.frequency);
    lanes.add(lanes.of(one.treatment), std::move(bar));
  }
  return lanes.take();
}

std::vector<Lane> adverse_event_lanes(const Profile& profile) {
  const auto axis = profile.axis("", "");
  NamedLanes lanes;
  for (const Entry* one : profile.entries(profile.data().adverse_events)) {
    const Date end = end_of(profile.data(), *one, Kind::adverse_event);
    auto bar = bar_of(profile, axis, one->date, end);
    if (!bar) continue;
    const std::string severity(profile.text(one->severity));
    bar->tone = tone_of(severity);
    bar->text = severity + (one->serious ? ", SERIOUS" : "");
    bar->label = dates_of(one->date, end) + ": " + std::string(profile.text(one->code)) + ", " +
                 bar->text +
                 (treatment_emergent(profile.data(), *one) ? ", treatment-emergent" : "");
    Lane& lane = lanes.of(profile.text(one->code));
    if (one->serious) lane.note = "serious";
    NamedLanes::add(lane, std::move(*bar));
  }
  return lanes.take();
}

std::vector<Lane> medication_lanes(const Profile& profile) {
  const auto axis = profile.axis("", "");
  NamedLanes lanes;
  for (const Entry* one : profile.entries(profile.data().medications)) {
    const Date end = end_of(profile.data(), *one, Kind::medication);
    auto bar = bar_of(profile, axis, one->date, end);
    if (!bar || one->not_done) continue;
    bar->label = dates_of(one->date, end) + ": " + std::string(profile.text(one->code));
    NamedLanes::add(lanes.of(profile.text(one->code)), std::move(*bar));
  }
  return lanes.take();
}

std::vector<Lane> history_lanes(const Profile& profile) {
  const auto axis = profile.axis("", "");
  NamedLanes lanes;
  for (const Entry* one : profile.entries(profile.data().histories)) {
    const Date end = end_of(profile.data(), *one, Kind::medical_history);
    auto bar = bar_of(profile, axis, one->date, end);
    if (!bar || one->not_done) continue;
    // Without an end nobody knows whether it went on.
    if (bar->open_to) bar->tone = Tone::uncertain;
    bar->label = dates_of(one->date, end) + ": " + std::string(profile.text(one->code));
    Lane& lane = lanes.of(profile.text(one->code));
    if (one->date.given()) lane.note = "since " + to_string(one->date);
    NamedLanes::add(lane, std::move(*bar));
  }
  return lanes.take();
}

std::vector<Lane> alert_lanes(const Profile& profile) {
  if (!profile.origin()) return {};
  std::unordered_map<std::int64_t, Date> dates;  // of all records that may cause an alert
  const Dataset& data = profile.data();
  for (const auto* all : {&data.visits, &data.adverse_events, &data.medications, &data.exposures,
                          &data.histories, &data.dispositions}) {
    for (const Entry* one : profile.entries(*all)) dates.emplace(one->record, one->date);
  }
  for (const auto kind : {Kind::lab, Kind::vital, Kind::questionnaire}) {
    for (const Measurement* one : profile.measurements(kind)) dates.emplace(one->record, one->date);
  }
  NamedLanes lanes;
  for (const AlertHistory* alert : profile.alerts()) {
    Lane& lane = lanes.of(profile.text(alert->title));
    lane.note = profile.text(alert->severity);
    for (const std::int64_t record : alert->causes) {
      const auto found = dates.find(record);
      const auto day = found == dates.end() ? std::nullopt : day_number(found->second);
      if (!day) continue;
      lane.points.push_back({.at = profile.at(*day),
                             .tone = alert->life->open() ? Tone::severe : Tone::plain,
                             .label = to_string(found->second) + ": alert " +
                                      std::to_string(alert->alert) + ", " +
                                      std::string(to_string(alert->life->state))});
    }
  }
  return lanes.take();
}

}  // namespace trialward::reports
