// rules.toml → RuleSet: reads, checks against the study, compiles. Pure; see rules.h for the
// format.
#pragma once

#include <cstddef>
#include <memory>

#include "base/result.h"
#include "monitor/rule_set.h"

namespace trialward::monitor {

inline constexpr std::size_t kRulesMax = 1000;
inline constexpr std::size_t kConditionsMax = 64;  // of one rule
inline constexpr std::size_t kConditionDepthMax = 4;
inline constexpr std::size_t kCodesMax = 256;  // of one condition
inline constexpr std::size_t kCountMax = Series::kLatest;
// What is remembered of one subject, if every series is full and every id as long as it may be.
inline constexpr std::size_t kWatchBytesMax = 16 << 20;

base::Result<RuleSet, model::DefinitionFaults> read_rules(
    std::shared_ptr<const model::Study> study);

}  // namespace trialward::monitor
