#include "ctcae/subject_grades.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "base/json_writer.h"
#include "ctcae/letters.h"

namespace trialward::ctcae {
namespace {

using model::StoredRecord;

constexpr double kYearMs = 365.2425 * 24 * 3600 * 1000;

bool before(const StoredRecord* a, const StoredRecord* b) {
  if (a->interval.has_value() != b->interval.has_value()) return a->interval.has_value();
  using Place = std::tuple<std::int64_t, const std::string&, const std::string&>;
  const auto place = [](const StoredRecord* one) {
    return Place(one->interval ? one->interval->from_ms : 0, one->record.source,
                 one->record.source_id);
  };
  return place(a) < place(b);
}

// As far as the latest demographics record tells.
class PatientFacts {
 public:
  void read(const StoredRecord& stored) {
    const model::Record& record = stored.record;
    sex_ = sex_of(text(record, "sex"));
    born_ = false;
    std::string_view born = text(record, "birth_date");
    if (born.empty()) born = text(record, "brthdtc");
    if (!born.empty()) {
      const auto at = model::resolve_effective(born, "UTC");
      if (at) set_birth(static_cast<double>(at->from_ms));
      return;
    }
    const std::string_view unit = text(record, "ageu");
    const std::string_view age = text(record, "age");
    double years = 0;
    const auto [end, error] = std::from_chars(age.data(), age.data() + age.size(), years);
    const bool is_age = !age.empty() && error == std::errc() && end == age.data() + age.size();
    if (!is_age || !stored.interval || !(unit.empty() || same_letters(unit, "years"))) return;
    set_birth(static_cast<double>(stored.interval->from_ms) - years * kYearMs);
  }

  Patient at(const StoredRecord& stored) const {
    Patient patient{.sex = sex_};
    if (born_ && stored.interval) {
      patient.age_years = (static_cast<double>(stored.interval->from_ms) - birth_ms_) / kYearMs;
    }
    return patient;
  }

 private:
  static std::string_view text(const model::Record& record, std::string_view name) {
    const std::string* found = record.attribute(name);
    return found == nullptr ? std::string_view() : std::string_view(*found);
  }
  static Sex sex_of(std::string_view text) {
    if (same_letters(text, "M") || same_letters(text, "male")) return Sex::male;
    if (same_letters(text, "F") || same_letters(text, "female")) return Sex::female;
    return Sex::unknown;
  }

  void set_birth(double utc_ms) {
    born_ = true;
    birth_ms_ = utc_ms;
  }

  Sex sex_ = Sex::unknown;
  bool born_ = false;  // whether it is known when
  double birth_ms_ = 0;
};

Observed observed_of(const model::Study& study, const StoredRecord& stored) {
  const model::Range range = study.canonical_range(stored.record);
  return {.value = study.canonical_number(stored.record), .low = range.low, .high = range.high};
}

// Of the records of one code, in order.
const StoredRecord* baseline_of(const model::Study& study,
                                const std::vector<const StoredRecord*>& records) {
  const StoredRecord* first = nullptr;
  const StoredRecord* marked = nullptr;
  for (const StoredRecord* one : records) {
    if (!one->interval || !study.canonical_number(one->record)) continue;
    if (first == nullptr) first = one;
    if (one->record.baseline) marked = one;
  }
  return marked != nullptr ? marked : first;
}

}  // namespace

std::vector<RecordGrade> grades_of(const StudyGrading& grading, const model::Study& study,
                                   std::span<const StoredRecord> records) {
  std::set<std::int64_t> amended;
  for (const StoredRecord& one : records) {
    if (one.record.amends != 0) amended.insert(one.record.amends);
  }
  std::vector<const StoredRecord*> current;
  for (const StoredRecord& one : records) {
    if (!amended.contains(one.id)) current.push_back(&one);
  }
  std::sort(current.begin(), current.end(), before);

  PatientFacts facts;
  std::map<std::pair<model::Kind, std::string>, std::vector<const StoredRecord*>> of_code;
  for (const StoredRecord* one : current) {
    const model::Record& record = one->record;
    if (record.kind == model::Kind::demographics) facts.read(*one);
    if (grading.terms(record.kind, record.code) != nullptr) {
      of_code[{record.kind, record.code}].push_back(one);
    }
  }

  std::vector<RecordGrade> all;
  for (const auto& [key, ordered] : of_code) {
    const StoredRecord* baseline = baseline_of(study, ordered);
    const Observed at_baseline = baseline != nullptr ? observed_of(study, *baseline) : Observed();
    for (const StoredRecord* one : ordered) {
      const bool beside = baseline != nullptr && one->interval && before(baseline, one);
      for (const GradedTerm& term : *grading.terms(key.first, key.second)) {
        RecordGrade graded{.record = one, .term = &term};
        if (term.unfit.empty()) {
          graded.grade = grade_of(term, observed_of(study, *one), beside ? &at_baseline : nullptr,
                                  facts.at(*one));
        }
        const bool asks = (term.term->asks_for() & (kBaseline | kChange)) != 0;
        if (beside && asks) graded.baseline = baseline->id;
        all.push_back(graded);
      }
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const RecordGrade& a, const RecordGrade& b) {
    return before(a.record, b.record);
  });
  return all;
}

std::string to_json(const Criteria& criteria, const RecordGrade& graded) {
  const model::Record& record = graded.record->record;
  const Grade& grade = graded.grade;
  base::JsonWriter json;
  json.begin_object()
      .member("record", graded.record->id)
      .member("code", record.code)
      .member_if("effective", record.effective);
  if (record.value.number) json.member("value", *record.value.number);
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
  if (grade.judgement) {
    json.member("needs_judgement", true).member("at_least", grade.least).member("at_most",
                                                                                 grade.most);
  }
  if (graded.baseline != 0) json.member("baseline", graded.baseline);
  json.member("text", describe(criteria, *graded.term, grade));
  return json.end_object().take();
}

}  // namespace trialward::ctcae
