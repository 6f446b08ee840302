// Scores of questionnaires by published rules, which are data: scores.toml, with any number of
//
//   [[scores]]
//   id = "phq-9"
//   title = "PHQ-9 total score"
//   version = "2001"           of the rule, told with each score
//   source = "Kroenke 2001"    where it is published
//   method = "sum"             or "mean", of the points times their weights
//   prorate = "items"          up to missing_max missing items are taken for what the others have:
//                              by item, or with "points" by what each can have at most; "never"
//                              (default): what is there is summed up
//   missing_max = 2            (default 0) with more there is no score
//   items = ["q1", "q2"]       linkIds, all with
//   points = [0, 3]            the least and the most that one can have
//   [[scores.item]]            or each by itself
//   item = "ACITM01"
//   points = [0, 10]
//   weight = 1                 (default)
//   [scores.values]            points of an answer by its code, or its text; default: the ordinal
//   "LA6568-5" = 0             of the questionnaire's option, or the number that was answered
//
// Pure; a rule is immutable after it was read.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/fault.h"
#include "model/questionnaire.h"
#include "model/questionnaire_response.h"
#include "model/study.h"

namespace trialward::epro {

inline constexpr std::size_t kScoreItemsMax = 500;

struct ScoreRule {
  enum class Method { sum, mean };
  enum class Prorate { never, items, points };
  struct Item {
    std::string link_id;
    double least = 0, most = 0, weight = 1;
  };

  std::string id, title, version, source;
  Method method = Method::sum;
  Prorate prorate = Prorate::never;
  std::size_t missing_max = 0;
  std::vector<Item> items;
  std::map<std::string, double, std::less<>> values;
};

base::Result<std::vector<ScoreRule>, model::DefinitionFaults> read_scores(
    const model::DefinitionFile& file);

struct Score {
  std::string rule, version;
  std::optional<double> value;
  std::string reason;  // why there is none
  std::size_t answered = 0, missing = 0;
  bool prorated = false;
};

// What an answer counts by `values` (of a rule), by the ordinal of the question's option, or as the
// number that it is. Nothing: it has no points. `asked` may be null.
std::optional<double> points_of(const model::FormValue& value,
                                const std::map<std::string, double, std::less<>>& values,
                                const model::QuestionnaireItem* asked);

// An item that the response has in several occurrences, an answer without points and points out of
// bounds mean that there is no score; the reason names the item.
Score score(const ScoreRule& rule, const model::Questionnaire& questionnaire,
            const model::QuestionnaireResponse& response);

}  // namespace trialward::epro
