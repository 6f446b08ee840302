#include "reports/visit_series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "ucum/unit.h"

namespace trialward::reports {
namespace {

constexpr std::string_view kUnscheduled = "UNSCHEDULED";

bool later(const Measurement& one, const Measurement* than) {
  return than == nullptr ||
         std::pair(than->at_ms, than->record) < std::pair(one.at_ms, one.record);
}

}  // namespace

std::vector<ScheduledVisit> scheduled_visits(const Dataset& data, model::Kind kind) {
  std::vector<ScheduledVisit> visits;
  for (const Settings::Visit& visit : data.settings->visits) {
    visits.push_back({data.words.find(visit.name), visit.label});
  }
  if (!visits.empty()) return visits;
  std::set<Word> of_baselines;
  for (const Measurement& one : data.measurements(kind)) {
    if (one.baseline) of_baselines.insert(one.visit);
  }
  for (const VisitName& visit : data.visit_names) {
    const std::string_view name = data.text(visit.name);
    if (visit.kind != kind || name.empty() || name.starts_with(kUnscheduled)) continue;
    if (!of_baselines.contains(visit.name)) visits.push_back({visit.name, std::string(name)});
  }
  return visits;
}

std::string measured_title(const Dataset& data, const CodeInfo& code, Word timepoint) {
  std::string title(data.text(code.name != 0 ? code.name : code.code));
  const model::Code* listed = data.study->code(code.kind, data.text(code.code));
  if (listed && !listed->units.empty()) title += " (" + listed->units.front().name + ")";
  if (timepoint != 0) title += ", " + std::string(data.text(timepoint));
  return title;
}

std::vector<Measured> measured_codes(const Dataset& data, model::Kind kind) {
  std::map<Word, std::set<Word>> timepoints;  // of each code; those of words are sorted below
  for (const Measurement& one : data.measurements(kind)) {
    if (!std::isnan(sent_or_limit(one))) timepoints[one.code].insert(one.timepoint);
  }
  const auto& categories = data.settings->lab_categories;
  const auto place = [&](const CodeInfo& code) {
    return std::find(categories.begin(), categories.end(), data.text(code.category)) -
           categories.begin();
  };
  std::vector<Measured> all;
  for (const CodeInfo& code : data.codes) {
    if (code.kind != kind || !timepoints.contains(code.code)) continue;
    const bool is_listed = place(code) < std::ssize(categories);
    if (kind == model::Kind::lab && !categories.empty() && !is_listed) continue;
    for (const Word timepoint : timepoints[code.code]) {
      all.push_back({&code, timepoint, measured_title(data, code, timepoint)});
    }
  }
  std::sort(all.begin(), all.end(), [&](const Measured& a, const Measured& b) {
    return std::tuple(place(*a.code), data.text(a.code->category), a.title,
                      data.text(a.code->code)) <
           std::tuple(place(*b.code), data.text(b.code->category), b.title,
                      data.text(b.code->code));
  });
  return all;
}

std::vector<SubjectSeries> series_of(const Dataset& data, const Measured& what,
                                     const std::vector<ScheduledVisit>& visits) {
  std::map<Word, std::size_t> places;
  for (std::size_t i = 0; i < visits.size(); ++i) {
    if (visits[i].name != 0) places.emplace(visits[i].name, i);
  }
  std::vector<SubjectSeries> all(data.subjects.size());
  const Measurements& of_kind = data.measurements(what.code->kind);
  for (const std::uint32_t index : what.code->places) {
    const Measurement& one = of_kind[index];
    if (one.timepoint != what.timepoint) continue;
    if (one.not_done || std::isnan(sent_or_limit(one))) continue;
    SubjectSeries& series = all[one.subject];
    if (one.baseline && later(one, series.baseline)) series.baseline = &one;
    const auto place = places.find(one.visit);
    if (place == places.end()) continue;
    series.at.resize(visits.size());
    const Measurement*& at = series.at[place->second];
    if (later(one, at)) at = &one;
  }
  for (SubjectSeries& series : all) series.at.resize(visits.size());
  return all;
}

double sent_or_limit(const Measurement& one) {
  return std::isnan(one.sent) ? one.limit() : one.sent;
}

Side side_of(const Measurement& one, double times_low, double times_high) {
  // In the unit as sent, where the range was sent, too: conversions would add their rounding.
  const bool own_range = !std::isnan(one.sent_low()) || !std::isnan(one.sent_high());
  const double number = own_range ? sent_or_limit(one) : one.value;
  const double low = own_range ? one.sent_low() : one.low();
  const double high = own_range ? one.sent_high() : one.high();
  if (std::isnan(number) || (std::isnan(low) && std::isnan(high))) return Side::unknown;
  // Comparisons with what is not given are false.
  if (ucum::clearly_below(high * times_high, number)) return Side::high;
  if (ucum::clearly_below(number, low * times_low)) return Side::low;
  return Side::normal;
}

}  // namespace trialward::reports
