// Any bytes as scores.toml: refused with reasons, or rules that score a response to a number, or
// say why there is none.
#include <cmath>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "epro/score.h"

namespace {

using namespace trialward;

model::QuestionnaireResponse response() {
  model::QuestionnaireResponse made;
  for (const auto& [link_id, points] : {std::pair("a", 1.0), {"b", 2.5}}) {
    model::ResponseAnswer answer;
    answer.value.type = model::FormType::decimal;
    answer.value.number = points;
    answer.value.has_number = true;
    answer.value.text = std::to_string(points);
    made.items.push_back({link_id, {answer}, {}});
  }
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const model::QuestionnaireResponse answered = response();
  const auto rules = epro::read_scores(
      {"scores.toml", std::string(reinterpret_cast<const char*>(data), size)});
  if (!rules) {
    TW_CHECK(!rules.error().empty());
    for (const auto& fault : rules.error()) TW_CHECK(!fault.reason.empty());
    return 0;
  }
  for (const epro::ScoreRule& rule : *rules) {
    TW_CHECK(!rule.id.empty() && !rule.version.empty() && !rule.items.empty());
    const epro::Score score = epro::score(rule, {}, answered);
    TW_CHECK(score.value.has_value() == score.reason.empty());
    TW_CHECK(!score.value || std::isfinite(*score.value));
  }
  return 0;
}
