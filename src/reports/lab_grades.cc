// Shifts of laboratory values by CTCAE grade: from that of the baseline to the highest after it.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "ctcae/criteria.h"
#include "ctcae/study_grading.h"
#include "reports/catalogue.h"
#include "reports/visit_series.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr std::size_t kGrades = 5;  // 0 to 4; death is nothing that a value tells

std::optional<double> known(double number) {
  return std::isnan(number) ? std::nullopt : std::optional(number);
}

ctcae::Patient patient_of(const Dataset& data, const Subject& subject) {
  ctcae::Patient patient;
  const std::string_view age = data.attribute(subject, "age"), sex = data.attribute(subject, "sex");
  double years = 0;
  const auto [end, error] = std::from_chars(age.data(), age.data() + age.size(), years);
  if (error == std::errc() && end == age.data() + age.size()) patient.age_years = years;
  if (sex == "M") patient.sex = ctcae::Sex::male;
  if (sex == "F") patient.sex = ctcae::Sex::female;
  return patient;
}

// What one term gave a subject: nothing where no value could be graded.
struct Grades {
  std::optional<int> baseline, worst;
  std::int64_t record = 0;  // of the worst
};

class GradeTable {
 public:
  GradeTable(const Context& context, const ctcae::StudyGrading& grading, Sink& sink)
      : context_(context),
        grading_(grading),
        sink_(sink),
        groups_(context.groups()),
        sizes_(context.sizes(groups_)) {}

  Status write() {
    TableHead head{"grades", "Shift from the baseline to the highest grade after it",
                   {{.label = "Test", .words = true},
                    {.label = "CTCAE term", .words = true},
                    {.label = "Grade at baseline", .words = true}}};
    for (const Column& column : Context::columns(groups_, sizes_)) {
      for (std::size_t grade = 0; grade < kGrades; ++grade) {
        head.columns.push_back({.label = std::to_string(grade),
                                .group = column.label + ": highest grade after the baseline"});
      }
    }
    if (auto done = sink_.table(head); !done) return done;
    for (const CodeInfo& code : context_.data.codes) {
      if (code.kind != model::Kind::lab) continue;
      const auto* terms = grading_.terms(code.kind, context_.data.text(code.code));
      if (!terms) continue;
      for (const ctcae::GradedTerm& term : *terms) {
        if (!term.unfit.empty()) continue;
        if (auto going = context_.check(); !going) return going;
        if (auto done = write_term(code, term); !done) return done;
      }
    }
    const std::string notes[] = {
        "CTCAE v" + std::string(grading_.criteria()->version) +
        ". N: all to whom the arm was assigned. Of all values after the first dose the highest "
        "grade counts. Findings that no value "
        "shows (\"symptomatic\") are assumed; a subject of whom no value could be graded is "
        "left out, and of whom the baseline could not be stands in the row \"unknown\"."};
    return sink_.end_table(notes);
  }

 private:
  ctcae::Observed observed(const Measurement& one, const std::optional<ucum::Conversion>& crossed) {
    return {known(one.value), known(one.low()), known(one.high()), crossed ? &*crossed : nullptr};
  }

  // How the study's code reads a unit, if that leads from one kind of amount to another.
  const std::optional<ucum::Conversion>& crossing(const Measurement& one) {
    const auto [found, is_new] = crossings_.try_emplace({one.code, one.unit});
    if (is_new) {
      model::Record record;
      record.kind = model::Kind::lab;
      record.code = context_.data.text(one.code);
      record.unit = context_.data.text(one.unit);
      found->second = context_.study().crossing(record);
    }
    return found->second;
  }

  std::vector<Grades> grades_of(const CodeInfo& code, const ctcae::GradedTerm& term) {
    const Dataset& data = context_.data;
    std::vector<const Measurement*> baselines(data.subjects.size());
    for (const std::uint32_t place : code.places) {
      const Measurement& one = data.labs[place];
      if (!one.baseline || std::isnan(one.value)) continue;
      const Measurement*& last = baselines[one.subject];
      if (!last || std::pair(last->at_ms, last->record) < std::pair(one.at_ms, one.record)) {
        last = &one;
      }
    }
    std::vector<Grades> all(data.subjects.size());
    for (const std::uint32_t place : code.places) {
      const Measurement& one = data.labs[place];
      if (std::isnan(one.value)) continue;
      const Subject& subject = data.subjects[one.subject];
      const Measurement* baseline = baselines[one.subject];
      const ctcae::Patient patient = patient_of(data, subject);
      Grades& grades = all[one.subject];
      if (&one == baseline) {
        grades.baseline =
            ctcae::grade_of(term, observed(one, crossing(one)), nullptr, patient).grade;
        continue;
      }
      const bool after = subject.first_dose.given() && one.date.given() &&
                         order_at_common(one.date, subject.first_dose) > 0;
      if (!after) continue;
      ctcae::Observed before;
      if (baseline) before = observed(*baseline, crossing(*baseline));
      const auto grade = ctcae::grade_of(term, observed(one, crossing(one)),
                                         baseline ? &before : nullptr, patient)
                             .grade;
      if (!grade || (grades.worst && *grade <= *grades.worst)) continue;
      grades.worst = grade;
      grades.record = one.record;
    }
    return all;
  }

  Status write_term(const CodeInfo& code, const ctcae::GradedTerm& term) {
    // [group][baseline, the last for unknown][worst]
    std::vector<std::array<std::array<Cell, kGrades>, kGrades + 1>> cells(groups_.size());
    const auto grades = grades_of(code, term);
    std::array<bool, kGrades + 1> used{};
    for (std::size_t i = 0; i < grades.size(); ++i) {
      const Subject& subject = context_.data.subjects[i];
      if (!grades[i].worst || subject.arm == kNoArm || !context_.in_scope(subject)) continue;
      const auto from = static_cast<std::size_t>(
          grades[i].baseline.value_or(static_cast<int>(kGrades)));
      used[from] = true;
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (!Context::in(groups_[g], subject)) continue;
        Cell& cell = cells[g][from][static_cast<std::size_t>(*grades[i].worst)];
        ++cell.count;
        cell.drill.add_subject(subject.id);
        cell.drill.add_record(grades[i].record);
      }
    }
    for (std::size_t from = 0; from <= kGrades; ++from) {
      if (!used[from]) continue;
      Row row;
      row.cells = {Cell::words(std::string(context_.data.text(code.name))),
                   Cell::words(std::string(term.term->name)),
                   Cell::words(from == kGrades ? "unknown" : std::to_string(from))};
      for (auto& of_group : cells) {
        for (Cell& cell : of_group[from]) {
          cell.type = Cell::Type::count;
          row.cells.push_back(std::move(cell));
        }
      }
      if (auto done = sink_.row(row); !done) return done;
    }
    return {};
  }

  const Context& context_;
  const ctcae::StudyGrading& grading_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<std::int64_t> sizes_;
  std::map<std::pair<Word, Word>, std::optional<ucum::Conversion>> crossings_;  // by code and unit
};

}  // namespace

Status write_lab_grades(const Context& context, Sink& sink) {
  auto grading = ctcae::StudyGrading::make(context.study());
  if (!grading) {
    return base::Error{base::Errc::invalid, to_string(grading.error().front())};
  }
  if (!grading->criteria()) {
    return base::Error{base::Errc::invalid,
                       "the study's definition names no version of the CTCAE: [ctcae]"};
  }
  return GradeTable(context, *grading, sink).write();
}

}  // namespace trialward::reports
