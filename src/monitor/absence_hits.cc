#include "monitor/absence_hits.h"

#include "monitor/evaluate.h"

namespace trialward::monitor {

Missing missing_at(const Absence& absence, const std::vector<const Series*>& series,
                   std::int64_t utc_ms) {
  Missing found;
  Hits starts = hits(absence.after, series, Span());
  if (starts.empty()) return found;
  if (!absence.after_each) starts.resize(1);
  const Hits expected = hits(absence.missing, series, Span());
  const Hits ends = absence.until ? hits(*absence.until, series, Span()) : Hits();
  for (Hit& start : starts) {
    const bool came = first_from(expected, start.at_ms + 1) != expected.end();
    if (came) continue;
    const std::int64_t due_ms = start.at_ms + absence.within_ms;
    const auto end = first_from(ends, start.at_ms);
    if (end != ends.end() && end->at_ms <= due_ms) continue;
    if (due_ms > utc_ms) {
      if (!found.next_ms || due_ms < *found.next_ms) found.next_ms = due_ms;
      found.awaited.insert(found.awaited.end(), start.causes.begin(), start.causes.end());
      continue;
    }
    start.at_ms = due_ms;
    found.hits.push_back(std::move(start));
  }
  sort_causes(found.awaited);
  return found;
}

}  // namespace trialward::monitor
