#include "reports/profile.h"

#include <algorithm>
#include <tuple>

namespace trialward::reports {
namespace {

constexpr int kTicksMax = 11;
constexpr double kMargin = 0.02;  // of the span, at both ends
constexpr int kSteps[] = {1, 2, 7, 14, 28, 56, 91, 182, 364};

int step_of(double days) {
  for (const int step : kSteps) {
    if (days / step <= kTicksMax) return step;
  }
  const int years = static_cast<int>(days / (364.0 * kTicksMax)) + 1;
  return 364 * years;
}

std::int32_t sdtm_day(std::int32_t day) { return day < 0 ? day : day + 1; }

template <class All>
auto of_subject(const All& all, std::uint32_t subject) {
  using T = typename All::value_type;
  std::vector<const T*> own;
  for (const T& one : all) {
    if (one.subject == subject) own.push_back(&one);
  }
  std::sort(own.begin(), own.end(), [](const T* a, const T* b) {
    return std::tuple(a->at_ms, a->record) < std::tuple(b->at_ms, b->record);
  });
  return own;
}

}  // namespace

Profile::Profile(const Context& context, std::uint32_t index) : context_(context), index_(index) {
  treatment_ = std::move(treatments_of(context.data)[index]);
  find_span();
  if (from_first_dose()) {
    origin_ = day_number(subject().first_dose);
  } else if (subject().reference.whole()) {
    origin_ = day_number(subject().reference);
  }
  if (!origin_ && span_) origin_ = span_->first;
}

std::vector<const Entry*> Profile::entries(const std::vector<Entry>& all) const {
  return of_subject(all, index_);
}

std::vector<const Measurement*> Profile::measurements(model::Kind kind) const {
  return of_subject(data().measurements(kind), index_);
}

std::vector<const AlertHistory*> Profile::alerts() const {
  std::vector<const AlertHistory*> own;
  for (const AlertHistory& one : data().alerts) {
    if (one.subject == index_) own.push_back(&one);
  }
  return own;
}

std::optional<std::int32_t> Profile::study_day(const Date& date) const {
  const auto day = day_number(date);
  if (!origin_ || !day) return std::nullopt;
  return sdtm_day(*day - *origin_);
}

void Profile::include(const Date& date) {
  const auto day = day_number(date);
  if (!day) return;
  if (!span_) span_ = Period{*day, *day};
  span_->first = std::min(span_->first, *day);
  span_->last = std::max(span_->last, *day);
}

// What came before the study, and ends that nobody knows, do not stretch the axis.
void Profile::find_span() {
  for (const auto* all : {&data().visits, &data().exposures, &data().dispositions}) {
    for (const Entry* one : entries(*all)) include(one->date);
  }
  for (const auto kind : {model::Kind::lab, model::Kind::vital, model::Kind::questionnaire}) {
    for (const Measurement* one : measurements(kind)) include(one->date);
  }
  for (const Dosing& one : treatment_.dosings) {
    if (one.period && one.end != Dosing::End::ongoing) include(date_of_day(one.period->last));
  }
  const bool in_study = span_.has_value();
  for (const Entry* one : entries(data().adverse_events)) {
    const auto start = day_number(one->date);
    if (in_study && start && *start < span_->first) continue;
    include(one->date);
    include(end_of(data(), *one, model::Kind::adverse_event));
  }
}

Timeline Profile::axis(std::string id, std::string title) const {
  Timeline line{.id = std::move(id), .title = std::move(title), .ticks = {}, .marks = {},
                .lanes = {}, .notes = {}};
  if (!origin_) return line;
  const Period span = span_.value_or(Period{*origin_, *origin_});
  const double margin = std::max(1.0, kMargin * span.days());
  line.from = at(span.first) - margin;
  line.to = at(span.last) + 1 + margin;
  const int step = step_of(line.to - line.from);
  const int first = static_cast<int>(line.from / step) - 1;
  for (int i = first; i * step <= line.to; ++i) {
    const std::int32_t day = i * step;
    if (day < line.from) continue;
    line.ticks.push_back({static_cast<double>(day), std::to_string(sdtm_day(day)),
                          to_string(date_of_day(*origin_ + day))});
  }
  const std::pair<const Date&, const char*> doses[] = {{subject().first_dose, "first dose"},
                                                       {subject().last_dose, "last dose"}};
  for (const auto& [date, label] : doses) {
    const auto day = day_number(date);
    if (!day || at(*day) < line.from || line.to < at(*day)) continue;
    line.marks.push_back({at(*day), label});
  }
  return line;
}

Date end_of(const Dataset& data, const Entry& entry, model::Kind kind) {
  const char* const name = kind == model::Kind::adverse_event ? "aeendtc"
                           : kind == model::Kind::medication  ? "cmendtc"
                                                              : "mhendtc";
  return parse_date(data.attribute(entry, name));
}

}  // namespace trialward::reports
