#include "intake/history.h"

#include <algorithm>
#include <optional>

namespace trialward::intake {
namespace {

using base::Result;
using model::Match;

// When the last of these records came, but for one; nothing when any of them is of today.
Result<std::optional<std::int64_t>> told_ms(store::Connection& connection,
                                            const std::vector<std::int64_t>& records,
                                            std::int64_t but_for) {
  std::int64_t last_ms = 0;
  for (const std::int64_t record : records) {
    if (record == but_for) continue;
    auto rows = connection.query("SELECT flags, received_ms FROM records WHERE id = $1", {record});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row || (rows->integer(0) & model::kHistorical) == 0) {
      return std::optional<std::int64_t>();
    }
    last_ms = std::max(last_ms, rows->integer(1));
  }
  return std::optional(last_ms);
}

}  // namespace

Result<bool> is_history(store::Connection& connection, const Occasion& occasion,
                        const Match& match, const model::Observation& found) {
  if (!occasion.historical) return false;
  auto told = told_ms(connection, match.causes, occasion.record);
  if (!told || !*told) return told ? Result<bool>(false) : told.error();
  // Somebody is, or was to be, called because of what it takes the place of.
  told = told_ms(connection, match.awaited, occasion.record);
  if (!told || !*told) return told ? Result<bool>(false) : told.error();
  for (const Match& ended : found.ended) {
    if (ended.rule != match.rule || ended.group != match.group) continue;
    told = told_ms(connection, ended.causes, occasion.record);
    if (!told || !*told) return told ? Result<bool>(false) : told.error();
  }
  return true;
}

Result<std::vector<Overdue>> sort_overdue(store::Connection& connection,
                                          std::vector<Match> matches) {
  std::vector<Overdue> all;
  for (Match& match : matches) {
    auto told = told_ms(connection, match.causes, 0);
    if (!told) return told.error();
    const bool historical = *told && match.due_ms <= **told;
    const auto same = std::find_if(all.begin(), all.end(), [&](const Overdue& one) {
      return one.historical == historical && one.match.rule == match.rule &&
             one.match.group == match.group;
    });
    if (same == all.end()) {
      all.push_back({std::move(match), historical});
      continue;
    }
    auto& causes = same->match.causes;
    causes.insert(causes.end(), match.causes.begin(), match.causes.end());
    std::sort(causes.begin(), causes.end());
    causes.erase(std::unique(causes.begin(), causes.end()), causes.end());
  }
  return all;
}

}  // namespace trialward::intake
