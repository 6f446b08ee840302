// What was expected of a subject and has not come. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "monitor/hit.h"
#include "monitor/rule_set.h"
#include "monitor/series.h"

namespace trialward::monitor {

struct Missing {
  Hits hits;  // overdue at the instant asked for; each stands when it was due
  std::optional<std::int64_t> next_ms;  // when the next will be, unless more records come
  std::vector<std::int64_t> awaited;  // the causes of those that will be; ascending, each once
};

Missing missing_at(const Absence& absence, const std::vector<const Series*>& series,
                   std::int64_t utc_ms);

}  // namespace trialward::monitor
