#include "monitor/hit.h"

#include <algorithm>

namespace trialward::monitor {

Hits::const_iterator first_from(const Hits& hits, std::int64_t at_ms) {
  return std::lower_bound(hits.begin(), hits.end(), at_ms,
                          [](const Hit& hit, std::int64_t at) { return hit.at_ms < at; });
}

void sort_causes(std::vector<std::int64_t>& causes) {
  std::sort(causes.begin(), causes.end());
  causes.erase(std::unique(causes.begin(), causes.end()), causes.end());
}

}  // namespace trialward::monitor
