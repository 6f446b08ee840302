// A questionnaire: who is to answer it at which visits, and what its score is. In reports.toml each
// is a table [[questionnaires]] with
//
//   id = "adas-cog", title = "ADAS-Cog (11)"
//   and one of
//   total = "ACTOT"      the code of its score
//   items = ["DAITM01", …]  its codes, with score = "sum" (the default): of all of them, none where
//                        one is missing; or "percent": of 100, the mean of those that have a number
//                        (each 0 or 1); not_applicable = 96: the number that stands for none
//   visits = ["WEEK 8", …]  where it is asked after the baseline (default: the scheduled visits)
//   population = "safety"   who is asked (default: "itt")
// It is answered where there is a value of the total, or of one item at least.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/table_reader.h"

namespace trialward::reports {

class Dataset;

struct Questionnaire {
  enum class Score : std::uint8_t { none, sum, percent };  // a total is the sum of one

  std::string id, title;
  std::vector<std::string> codes;  // the total alone, or the items
  Score score = Score::sum;
  std::optional<double> not_applicable;
  std::vector<std::string> visits;
  std::string population = "itt";
};

// `before`: those that stand above it. Faults go to the table's.
Questionnaire read_questionnaire(model::TableReader& table,
                                 std::span<const std::string> populations,
                                 const std::vector<Questionnaire>& before);

// What one subject answered at one visit.
struct Answer {
  bool expected = false, answered = false;
  double score = std::numeric_limits<double>::quiet_NaN();
  std::int64_t record = 0;  // of the score, or the last item's
};

struct QuestionnaireVisit {
  std::string label;
  // Weeks after the first dose when it is due; NaN where nothing says it.
  double week = std::numeric_limits<double>::quiet_NaN();
};

struct QuestionnaireAnswers {
  std::string title;
  bool scored = false;
  std::vector<QuestionnaireVisit> visits;  // the baseline is the first, if anybody has one
  bool has_baseline = false;
  std::vector<Answer> answers;  // visits.size() of each of Dataset::subjects

  const Answer& at(std::size_t subject, std::size_t visit) const {
    return answers[subject * visits.size() + visit];
  }
};

// Of the settings' questionnaires, else of each category of answers. Who belongs to its population
// is expected to answer
// - at the baseline, if it is asked there at all;
// - at a visit that took place, or at which he answered;
// - at a visit whose day, counted from the first dose (day 1), else from the reference start, is
//   over as of the positions, unless he had left the study before it.
// Of several answers of a visit the last in time counts. The dataset holds questionnaires and the
// populations' domains. Pure.
std::vector<QuestionnaireAnswers> answers_of(const Dataset& data);

}  // namespace trialward::reports
