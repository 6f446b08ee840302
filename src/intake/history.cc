#include "intake/history.h"

#include <algorithm>

namespace trialward::intake {

base::Result<bool> is_history(store::Connection& connection, const Occasion& occasion,
                              const std::vector<std::int64_t>& causes) {
  const bool of_time = occasion.record == 0;
  if (!of_time && !occasion.historical) return false;
  std::int64_t told_ms = 0;  // when the last of the causes came
  for (const std::int64_t cause : causes) {
    if (cause == occasion.record) continue;
    auto rows = connection.query("SELECT flags, received_ms FROM records WHERE id = $1", {cause});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row || (rows->integer(0) & model::kHistorical) == 0) return false;
    told_ms = std::max(told_ms, rows->integer(1));
  }
  return !of_time || occasion.due_ms <= told_ms;
}

}  // namespace trialward::intake
