#include "ctcae/study_grading.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "ctcae/tables.h"

namespace trialward::ctcae {
namespace {

constexpr const char* kStudyFile = "study.toml";

std::optional<double> converted(const ucum::Conversion& way, std::optional<double> number) {
  if (!number) return std::nullopt;
  const double in_term_unit = way(*number);
  return std::isfinite(in_term_unit) ? std::optional(in_term_unit) : std::nullopt;
}

std::optional<double> above_zero(std::optional<double> number) {
  return number && *number > 0 ? number : std::nullopt;
}

// In percent. What noise makes of two numbers that are the same is no fall, however small.
std::optional<double> change_between(double baseline, double value) {
  if (order_at(value, baseline, kStudyDigits) == 0) return 0;
  const double change = (value / baseline - 1) * 100;
  return std::isfinite(change) ? std::optional(change) : std::nullopt;
}

BaselineFlag flag_of(const Observed& baseline) {
  if (!baseline.value) return BaselineFlag::unknown;
  const auto order = [&](double end) { return order_at(*baseline.value, end, kStudyDigits); };
  if (baseline.high && order(*baseline.high) > 0) return BaselineFlag::high;
  if (baseline.low && order(*baseline.low) < 0) return BaselineFlag::low;
  return baseline.low || baseline.high ? BaselineFlag::normal : BaselineFlag::unknown;
}

// Without the digits that conversions leave.
std::string to_text(double number) {
  std::array<char, 40> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number,
                                          std::chars_format::general, kShownDigits);
  return error == std::errc() ? std::string(text.data(), end) : "?";
}

}  // namespace

base::Result<StudyGrading, model::DefinitionFaults> StudyGrading::make(
    const model::Study& study) {
  StudyGrading grading;
  if (!study.ctcae) return grading;
  const model::CtcaeChoice& choice = *study.ctcae;
  grading.criteria_ = criteria_of(choice.version);
  if (grading.criteria_ == nullptr) {
    return model::DefinitionFaults{{kStudyFile, choice.line,
                                    "there are no criteria of CTCAE version \"" +
                                        choice.version + "\"; known are " + known_versions()}};
  }
  model::DefinitionFaults faults;
  auto names = code_names().terms;
  for (const model::CtcaeChoice::OfCode& given : choice.codes) {
    const auto fault = [&](const std::string& reason) {
      faults.push_back({kStudyFile, given.line, reason});
    };
    if (study.whole && study.code(model::Kind::lab, given.code) == nullptr &&
        study.code(model::Kind::vital, given.code) == nullptr) {
      fault("the study lists no lab or vital \"" + given.code + "\"");
    }
    if (given.terms.size() > kTermsOfCodeMax) {
      fault("more than " + std::to_string(kTermsOfCodeMax) + " terms");
    }
    for (const std::string& term : given.terms) {
      if (grading.criteria_->term(term) != nullptr) continue;
      fault("CTCAE version " + choice.version + " grades no \"" + term + "\" by a value");
    }
    names[given.code] = given.terms;
  }
  if (!faults.empty()) return faults;
  for (const auto& [code, terms] : names) {
    const bool named = std::any_of(choice.codes.begin(), choice.codes.end(),
                                   [&wanted = code](const auto& given) {
                                     return given.code == wanted;
                                   });
    grading.add(study, code, terms, named);
  }
  return grading;
}

void StudyGrading::add(const model::Study& study, const std::string& code,
                       const std::vector<std::string>& terms, bool named) {
  for (const model::Kind kind : {model::Kind::lab, model::Kind::vital}) {
    const model::Code* listed = study.code(kind, code);
    if (listed == nullptr || listed->type == model::ValueType::text) continue;
    const ucum::MolarMass molar_mass =
        listed->ways ? listed->ways->molar_mass() : ucum::MolarMass{};
    const std::string unit = listed->units.empty() ? "" : listed->units.front().name;
    std::vector<GradedTerm> graded;
    for (const std::string& name : terms) {
      const Term* term = criteria_->term(name);
      if (term == nullptr) continue;  // of another version
      const auto fitted = fit(*term, unit, molar_mass);
      graded.push_back(
          {term, fitted ? *fitted : Fit(), fitted ? "" : fitted.error().message, named});
    }
    if (!graded.empty()) terms_[{kind, code}] = std::move(graded);
  }
}

const std::vector<GradedTerm>* StudyGrading::terms(model::Kind kind, std::string_view code) const {
  const auto found = terms_.find({kind, std::string(code)});
  return found == terms_.end() ? nullptr : &found->second;
}

std::vector<std::string> StudyGrading::codes(model::Kind kind) const {
  std::vector<std::string> all;
  for (const auto& [key, terms] : terms_) {
    if (key.first == kind) all.push_back(key.second);
  }
  return all;
}

Grade grade_of(const GradedTerm& graded, const Observed& observed, const Observed* baseline,
               const Patient& patient) {
  const Fit& fit = graded.fit;
  std::size_t unit = fit.unit;
  const ucum::Conversion* way = &fit.conversion;
  ucum::Conversion as_measured;
  const Column* column = observed.crossed ? fit.column(*observed.crossed) : nullptr;
  if (column != nullptr) {
    unit = column->unit;
    as_measured = column->way(*observed.crossed);
    way = &as_measured;
  }
  Measurement measurement{.unit = unit,
                          .value = converted(*way, observed.value),
                          .lln = converted(*way, observed.low),
                          .uln = above_zero(converted(*way, observed.high)),
                          .baseline_open = patient.baseline_open,
                          .age_years = patient.age_years,
                          .sex = patient.sex,
                          .significant_digits = kStudyDigits};
  if (baseline != nullptr) {
    measurement.baseline = above_zero(converted(*way, baseline->value));
    measurement.baseline_flag = flag_of(*baseline);
    if (measurement.baseline && measurement.value) {
      measurement.change_percent = change_between(*measurement.baseline, *measurement.value);
    }
  }
  return grade_of(*graded.term, measurement);
}

std::string describe(const Criteria& criteria, const GradedTerm& graded, const Grade& grade) {
  const Term& term = *graded.term;
  const std::string by = "CTCAE v" + criteria.full_version;
  if (!graded.unfit.empty()) return by + ", " + term.name + ": not graded: " + graded.unfit;
  if (grade.reason == Reason::referred) {
    return by + ", " + term.name + ": not graded: " + term.refer_text;
  }
  if (!grade.grade) {
    return by + ", " + term.name + ": not graded without " + names_of(grade.missing);
  }
  std::string text = by + " grade " + std::to_string(*grade.grade) + ", " + term.name;
  if (grade.line != nullptr) text += ": " + grade.line->text;
  if (grade.judgement) {
    text += "; needs judgement: ";
    if (grade.line != nullptr && !grade.line->assumes.empty()) {
      text += "assumes " + grade.line->assumes + ", otherwise grade " +
              std::to_string(grade.least);
      if (grade.most > *grade.grade) text += "; ";
    }
    if (grade.most > *grade.grade) {
      text += "findings may raise it to grade " + std::to_string(grade.most);
    }
  }
  std::string judged;
  if (term.has_absolute_limits()) {
    judged = " as " + to_text(grade.judged) + " " + term.units[grade.unit];
  }
  if (grade.missing != 0) judged += " without " + names_of(grade.missing);
  if (!judged.empty()) text += " (judged" + judged + ")";
  return text;
}

}  // namespace trialward::ctcae
