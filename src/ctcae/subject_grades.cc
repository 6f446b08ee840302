#include "ctcae/subject_grades.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

#include "base/json_writer.h"
#include "ctcae/letters.h"

namespace trialward::ctcae {
namespace {

using model::StoredRecord;

bool before(const Measured& a, const Measured& b) {
  if (a.at_ms.has_value() != b.at_ms.has_value()) return a.at_ms.has_value();
  const auto place = [](const Measured& one) {
    return std::tuple<std::int64_t, const std::string&, const std::string&>(
        one.at_ms.value_or(0), one.source, one.source_id);
  };
  return place(a) < place(b);
}

bool is_value(const Measured& one) { return one.at_ms && one.value; }

std::string_view attribute(const model::Record& record, std::string_view name) {
  const std::string* found = record.attribute(name);
  return found == nullptr ? std::string_view() : std::string_view(*found);
}

Sex sex_of(std::string_view text) {
  if (same_letters(text, "M") || same_letters(text, "male")) return Sex::male;
  if (same_letters(text, "F") || same_letters(text, "female")) return Sex::female;
  return Sex::unknown;
}

std::optional<Birth> birth_of(const model::Record& record) {
  // One that cannot be read says nothing, and hides nothing either.
  for (const char* name : {"birth_date", "brthdtc"}) {
    const std::string_view born = attribute(record, name);
    const auto birth = born.empty() ? std::nullopt : Birth::on(born);
    if (birth) return birth;
  }
  const std::string_view unit = attribute(record, "ageu");
  const std::string_view age = attribute(record, "age");
  double years = 0;
  const auto [end, error] = std::from_chars(age.data(), age.data() + age.size(), years);
  const bool is_age = !age.empty() && error == std::errc() && end == age.data() + age.size();
  if (!is_age || !(0 <= years && years < 1000)) return std::nullopt;
  if (!unit.empty() && !same_letters(unit, "years")) return std::nullopt;
  return Birth::from_age(static_cast<int>(std::floor(years)), record.effective);
}

Observed observed_of(const Measured& one) {
  return {.value = one.value,
          .low = one.low,
          .high = one.high,
          .crossed = one.crossed ? &*one.crossed : nullptr};
}

}  // namespace

SubjectGrader::SubjectGrader(const StudyGrading& grading, const model::Study& study,
                             std::size_t values_max, std::int64_t id_max)
    : grading_(grading), study_(study), values_max_(values_max), id_max_(id_max) {}

void SubjectGrader::add(const StoredRecord& stored) {
  const model::Record& record = stored.record;
  if (record.amends != 0) amended_.insert(record.amends);
  if (amended_.erase(stored.id) != 0 || stored.amended_by != 0) return;
  if (record.kind == model::Kind::demographics) read_patient(stored);
  const auto* terms = grading_.terms(record.kind, record.code);
  if (terms == nullptr) return;
  OfCode& of_code = codes_[{record.kind, record.code}];
  of_code.terms = terms;
  add_value(of_code, stored);
}

Measured SubjectGrader::measured_of(const StoredRecord& stored) const {
  const model::Record& record = stored.record;
  const model::Range range = study_.canonical_range(record);
  Measured one{.id = stored.id,
               .source = record.source,
               .source_id = record.source_id,
               .code = record.code,
               .unit = record.unit,
               .effective = record.effective,
               .at_ms = {},
               .sent = record.value.number,
               .value = study_.canonical_number(record),
               .low = range.low,
               .high = range.high,
               .crossed = study_.crossing(record),
               .marked = record.baseline};
  if (stored.interval) one.at_ms = stored.interval->from_ms;
  return one;
}

void SubjectGrader::add_value(OfCode& of_code, const StoredRecord& stored) {
  Measured one = measured_of(stored);
  if (is_value(one)) {
    if (!of_code.first || before(one, *of_code.first)) of_code.first = one;
    if (one.marked && (!of_code.marked || before(*of_code.marked, one))) of_code.marked = one;
  }
  if (one.id > id_max_) return;
  if (held_ < values_max_) {
    of_code.held.push_back(std::move(one));
    ++held_;
    return;
  }
  if (next_ == 0) next_ = one.id;
}

void SubjectGrader::read_patient(const StoredRecord& stored) {
  const model::Record& record = stored.record;
  // One with a value is a characteristic of its own, such as the years of education.
  if (record.value.number || !record.value.text.empty()) return;
  Measured one;
  one.source = record.source;
  one.source_id = record.source_id;
  if (stored.interval) one.at_ms = stored.interval->from_ms;
  if (demographics_ && before(one, *demographics_)) return;
  demographics_ = std::move(one);
  sex_ = sex_of(attribute(record, "sex"));
  birth_ = birth_of(record);
}

Patient SubjectGrader::patient_at(const Measured& measured) const {
  Patient patient{.age_years = {}, .sex = sex_};
  const auto age = birth_ ? birth_->at(measured.effective) : std::nullopt;
  if (!age) return patient;
  // An age that may be on either side of the only limit there is says nothing.
  if (age->least >= kAdultYears || age->most < kAdultYears) patient.age_years = age->least;
  return patient;
}

void SubjectGrader::grade(const OfCode& of_code, const Measured& measured, bool all,
                          std::vector<RecordGrade>& grades) const {
  const auto& baseline = of_code.marked ? of_code.marked : of_code.first;
  const bool beside = baseline && measured.at_ms && before(*baseline, measured);
  const Observed at_baseline = baseline ? observed_of(*baseline) : Observed();
  for (const GradedTerm& term : *of_code.terms) {
    RecordGrade graded{.record = &measured, .term = &term};
    const std::uint8_t asked = term.term->asks_for();
    const bool asks = (asked & (kBaseline | kChange)) != 0;
    if (term.unfit.empty()) {
      graded.grade = grade_of(term, observed_of(measured), all && beside ? &at_baseline : nullptr,
                              all ? patient_at(measured) : Patient{.baseline_open = true});
    }
    // What is not known could make more of it.
    const auto unknown =
        static_cast<std::uint8_t>(asked & (kBaseline | kChange | kAge | kSex));
    if (!all && unknown != 0 && graded.grade.grade == 0) {
      graded.grade = {.grade = {}, .reason = Reason::missing, .missing = unknown};
    }
    if (all && beside && asks) graded.baseline = baseline->id;
    grades.push_back(graded);
  }
}

SubjectGrades SubjectGrader::finish(bool all) && {
  SubjectGrades found;
  std::vector<const OfCode*> of_value;
  found.values.reserve(held_);
  for (auto& [key, of_code] : codes_) {
    std::sort(of_code.held.begin(), of_code.held.end(), before);
    for (Measured& one : of_code.held) {
      found.values.push_back(std::move(one));
      of_value.push_back(&of_code);
    }
  }
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    grade(*of_value[i], found.values[i], all, found.grades);
  }
  std::stable_sort(found.grades.begin(), found.grades.end(),
                   [](const RecordGrade& a, const RecordGrade& b) {
                     return before(*a.record, *b.record);
                   });
  return found;
}

std::string to_json(const Criteria& criteria, const RecordGrade& graded) {
  const Measured& record = *graded.record;
  const Grade& grade = graded.grade;
  base::JsonWriter json;
  json.begin_object()
      .member("record", record.id)
      .member("code", record.code)
      .member_if("effective", record.effective);
  if (record.sent) json.member("value", *record.sent);
  json.member_if("unit", record.unit)
      .member("version", criteria.full_version)
      .member("term", graded.term->term->name)
      .member("direction", to_string(graded.term->term->direction));
  json.key("grade");
  if (grade.grade) {
    json.value(*grade.grade);
  } else {
    json.null();
  }
  if (grade.line != nullptr) json.member("line", grade.line->text);
  if (grade.grade && graded.term->term->has_absolute_limits()) {
    json.member("judged_value", rounded_at(grade.judged, kShownDigits))
        .member("judged_unit", graded.term->term->units[grade.unit]);
  }
  if (grade.judgement) {
    json.member("needs_judgement", true).member("at_least", grade.least).member("at_most",
                                                                                 grade.most);
  }
  if (graded.baseline != 0) json.member("baseline", graded.baseline);
  json.member("text", describe(criteria, *graded.term, grade));
  return json.end_object().take();
}

}  // namespace trialward::ctcae
