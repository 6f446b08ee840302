// By which terms a study's codes are graded: the criteria of the version that its definition names,
// each fitted to the code's own unit. Immutable; any thread. It refers to the criteria, which live
// as long as the program, and to nothing of the study.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "ctcae/fit.h"
#include "ctcae/grade.h"
#include "model/fault.h"
#include "model/record.h"
#include "model/study.h"

namespace trialward::ctcae {

inline constexpr std::size_t kTermsOfCodeMax = 8;

// A term that grades a code, and how the code's own unit fits it; or why it does not.
struct GradedTerm {
  const Term* term = nullptr;
  Fit fit;
  std::string unfit;  // empty: it fits
  bool named = false;  // by the study, rather than by codes.toml
};

class StudyGrading {
 public:
  // Without [ctcae] nothing is graded. Faults are those of study.toml: an unknown version or term.
  static base::Result<StudyGrading, model::DefinitionFaults> make(const model::Study& study);

  // Null when nothing is graded.
  const Criteria* criteria() const { return criteria_; }
  // The terms of a code of the study, a laboratory's or a vital sign; null when there are none.
  const std::vector<GradedTerm>* terms(model::Kind kind, std::string_view code) const;
  // The codes of a kind that have terms, in order.
  std::vector<std::string> codes(model::Kind kind) const;

 private:
  using Key = std::pair<model::Kind, std::string>;

  void add(const model::Study& study, const std::string& code,
           const std::vector<std::string>& terms, bool named);

  const Criteria* criteria_ = nullptr;
  std::map<Key, std::vector<GradedTerm>> terms_;
};

// What a number was, when it was measured: all in its code's own unit. `crossed`: how it came to be
// in that, where it was measured in another kind of amount (model::Study::crossing), so that it is
// graded by the limits in that kind; null otherwise, or where that is not known. Must live as long.
struct Observed {
  std::optional<double> value, low, high;
  const ucum::Conversion* crossed = nullptr;
};
// The patient, as far as criteria ask.
struct Patient {
  std::optional<double> age_years;  // when it was measured
  Sex sex = Sex::unknown;
  bool baseline_open = false;  // as of Measurement: what may be the baseline has not been read
};

// Numbers come by conversions, each of which may lose a last binary digit: they are compared at
// fewer digits than published ones.
inline constexpr int kStudyDigits = 12;
inline constexpr int kShownDigits = 10;  // of what was compared, for people

// Of a value beside the baseline, null when there is none before it. A baseline or an upper end of
// the range that is not above 0 is as good as none.
Grade grade_of(const GradedTerm& graded, const Observed& observed, const Observed* baseline,
               const Patient& patient = {});

// "CTCAE v5.0 grade 3, Hypocalcemia: TEXT (judged as 6.4 mg/dL)", with what was assumed and what is
// missing; or that and why it cannot be graded. The number and its unit are those that were
// compared with the limits.
std::string describe(const Criteria& criteria, const GradedTerm& graded, const Grade& grade);

}  // namespace trialward::ctcae
