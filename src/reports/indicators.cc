#include "reports/indicators.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "base/milliseconds.h"
#include "reports/emergent.h"
#include "reports/ending.h"
#include "reports/questionnaire.h"

namespace trialward::reports {
namespace {

using base::kDayMs;
constexpr double kDaysInYear = 365.25;

class Counting {
 public:
  explicit Counting(const Context& context)
      : context_(context), data_(context.data), endings_(endings_of(data_)) {
    std::unordered_set<std::string_view> with_subjects;
    for (const Subject& subject : data_.subjects) with_subjects.insert(subject.site);
    for (const model::Site& site : context.study().sites) {
      if (with_subjects.erase(site.id) != 0) sites_.push_back(site.id);
    }
    // Those that the definition has no more come last.
    const std::size_t former = sites_.size();
    sites_.insert(sites_.end(), with_subjects.begin(), with_subjects.end());
    std::sort(sites_.begin() + static_cast<std::ptrdiff_t>(former), sites_.end());
    std::unordered_map<std::string_view, std::size_t> places;
    for (const auto& site : sites_) places.emplace(site, places.size());
    for (const Subject& subject : data_.subjects) site_of_.push_back(places.at(subject.site));
  }

  Indicator adverse_events() const {
    Indicator one = make("adverse-events", "Adverse events", "Events", "Subject-years");
    one.by_time = true;
    one.note =
        "Treatment-emergent adverse events. Subject-years: of treated subjects, from the "
        "first dose until they left the study, else until now. Events of one subject are "
        "alike: where some have many, more sites lie beyond the limits than by chance.";
    std::vector<std::int64_t> days(sites_.size());
    std::vector<bool> counts(data_.subjects.size());
    for (std::size_t i = 0; i < data_.subjects.size(); ++i) {
      const std::int64_t of_subject = days_of(i);
      counts[i] = of_subject > 0;
      days[site_of_[i]] += of_subject;
    }
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      one.sites[i].years = static_cast<double>(days[i]) / kDaysInYear;
    }
    for (const Entry& event : data_.adverse_events) {
      if (!counts[event.subject] || !treatment_emergent(data_, event)) continue;
      add_record(one, event.subject, event.record);
    }
    return one;
  }

  Indicator missing_data() const {
    Indicator one = make("missing-data", "Missing or doubtful data", "Values", "Of values");
    one.per = "values";
    one.note =
        "Laboratory values, vital signs and answers that were not done, have no value, were "
        "implausible when they came, or came with a reference range of no use. What is in "
        "no record is not counted here; the store holds no queries.";
    for (const Measurements* all : {&data_.labs, &data_.vitals, &data_.questionnaires}) {
      for (const Measurement& value : *all) {
        ++at(one, value.subject).of;
        const bool empty = std::isnan(value.sent) && std::isnan(value.standard) && value.text == 0;
        if (value.not_done || empty || value.doubtful) {
          add_record(one, value.subject, value.record);
        }
      }
    }
    return one;
  }

  Indicator missing_questionnaires() const {
    Indicator one =
        make("missing-questionnaires", "Missing questionnaires", "Missing", "Of expected");
    one.per = "questionnaires expected";
    one.note =
        "Expected and not answered, as the report on questionnaires tells them, of all subjects, "
        "questionnaires and visits. A subject is named as often as one is missing.";
    for (const QuestionnaireAnswers& of : answers_of(data_)) {
      for (std::size_t i = 0; i < data_.subjects.size(); ++i) {
        for (std::size_t visit = 0; visit < of.visits.size(); ++visit) {
          const Answer& answer = of.at(i, visit);
          if (!answer.expected) continue;
          ++at(one, i).of;
          if (!answer.answered) add_subject(one, i);
        }
      }
    }
    return one;
  }

  Indicator late_entries() const {
    Indicator one = make("late-entries", "Late entries", "Records", "Of records");
    one.per = "records";
    const std::string days = std::to_string(context_.settings().late_days);
    one.note = "Received more than " + days +
               " days after the day of the effective date. Records "
               "that came with the data of the past are left out, because nothing tells when they "
               "were entered.";
    for (const auto* all : {&data_.labs, &data_.vitals, &data_.questionnaires}) {
      for (const Measurement& value : *all) add_entry(one, value);
    }
    for (const auto* all : {&data_.visits, &data_.adverse_events, &data_.dispositions}) {
      for (const Entry& entry : *all) add_entry(one, entry);
    }
    return one;
  }

  Indicator lab_abnormality() const {
    Indicator one = make("lab-abnormality", "Abnormal laboratory values", "Values", "Of values");
    one.per = "values that have a range";
    one.note =
        "Outside the reference range, of the values that have one. Values of one subject "
        "are alike: more sites lie beyond the limits than by chance alone.";
    for (const Measurement& value : data_.labs) {
      if (value.not_done || value.side == Side::unknown) continue;
      ++at(one, value.subject).of;
      if (value.side != Side::normal) add_record(one, value.subject, value.record);
    }
    return one;
  }

  Indicator screen_failure() const {
    Indicator one = make("screen-failure", "Screen failures", "Subjects", "Of subjects");
    one.per = "subjects screened";
    one.note = "Of the subjects whose screening has ended: they failed, or an arm was assigned.";
    for (std::size_t i = 0; i < data_.subjects.size(); ++i) {
      const Subject& subject = data_.subjects[i];
      if (subject.arm == kNoArm && !subject.screen_failure) continue;
      ++at(one, i).of;
      if (subject.screen_failure) add_subject(one, i);
    }
    return one;
  }

  Indicator dropout() const {
    Indicator one = make("dropout", "Dropouts", "Subjects", "Of subjects");
    one.per = "subjects with an arm";
    one.note =
        "Who left the study without having completed it, of those to whom an arm was "
        "assigned.";
    for (std::size_t i = 0; i < data_.subjects.size(); ++i) {
      if (data_.subjects[i].arm == kNoArm) continue;
      ++at(one, i).of;
      if (endings_[i] && is_dropout(data_, *endings_[i])) add_subject(one, i);
    }
    return one;
  }

 private:
  Indicator make(std::string id, std::string title, std::string counted, std::string amount) const {
    Indicator one;
    one.id = std::move(id);
    one.title = std::move(title);
    one.counted = std::move(counted);
    one.amount = std::move(amount);
    for (const std::string& site : sites_) one.sites.emplace_back().site = site;
    return one;
  }

  SiteCount& at(Indicator& one, std::size_t subject) const { return one.sites[site_of_[subject]]; }
  void add_record(Indicator& one, std::size_t subject, std::int64_t record) const {
    SiteCount& site = at(one, subject);
    ++site.count;
    site.drill.add_record(record);
  }
  void add_subject(Indicator& one, std::size_t subject) const {
    SiteCount& site = at(one, subject);
    ++site.count;
    site.drill.add_subject(data_.subjects[subject].id);
  }

  // Of an Entry or a Measurement.
  template <class Record>
  void add_entry(Indicator& one, const Record& record) const {
    if (record.historical || !record.date.whole() || record.at_ms == kNoTime) return;
    ++at(one, record.subject).of;
    const std::int64_t days = (record.received_ms - record.at_ms) / kDayMs;
    if (days > context_.settings().late_days) add_record(one, record.subject, record.record);
  }

  // Under observation, both ends counted; 0 where the first dose is not known to the day.
  std::int64_t days_of(std::size_t i) const {
    const Subject& subject = data_.subjects[i];
    const auto first = day_number(subject.first_dose);
    if (!subject.treated || subject.arm == kNoArm || !first) return 0;
    std::optional<std::int32_t> last;
    if (endings_[i]) {
      last = day_number(endings_[i]->date);
      if (!last) last = day_number(subject.last_dose);
    }
    const std::int32_t today = today_of(data_);
    return std::max<std::int64_t>(0, std::min(last.value_or(today), today) - *first + 1);
  }

  const Context& context_;
  const Dataset& data_;
  const std::vector<const Entry*> endings_;
  std::vector<std::string> sites_;
  std::vector<std::size_t> site_of_;  // of each subject
};

}  // namespace

SiteCount Indicator::total() const {
  SiteCount sum;
  for (const SiteCount& site : sites) {
    sum.count += site.count;
    sum.of += site.of;
    sum.years += site.years;
  }
  return sum;
}

Chance Indicator::chance(const SiteCount& total, double size) const {
  const double mean = static_cast<double>(total.count) * (size / amount_of(total));
  if (by_time) return {.mean = mean};
  const auto of = static_cast<std::int64_t>(std::llround(size));
  return {.mean = std::min(mean, static_cast<double>(of)), .of = of};
}

base::Result<std::vector<Indicator>> indicators_of(const Context& context) {
  const Counting counting(context);
  std::vector<Indicator> all;
  for (const auto count :
       {&Counting::adverse_events, &Counting::missing_data, &Counting::missing_questionnaires,
        &Counting::late_entries, &Counting::lab_abnormality, &Counting::screen_failure,
        &Counting::dropout}) {
    if (auto going = context.check(); !going) return going.error();
    all.push_back((counting.*count)());
  }
  return all;
}

}  // namespace trialward::reports
