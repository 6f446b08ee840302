// Which records are reasons for alerts, and which are none any more: the rows of alert_causes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/alert_rows.h"

namespace trialward::store {

// Alerts, by id, with those of the records asked for that are reasons for them.
struct AlertOfCauses {
  std::string rule, group;
  std::vector<std::int64_t> causes;  // ascending, each once
};
using AlertsOfCauses = std::map<std::int64_t, AlertOfCauses>;

struct CauseQuery {
  std::int64_t subject = 0;  // its row
  std::string_view rule;     // empty: of any rule and group
  std::string_view group;
};
// Adds the alerts that a record is a reason for.
base::Status find_alerts_of_cause(Connection& connection, const CauseQuery& query,
                                  std::int64_t record, AlertsOfCauses& alerts);

// The records that are reasons for an alert, without some; ascending.
base::Result<std::vector<std::int64_t>> causes_left(Connection& connection, std::int64_t alert,
                                                    const std::vector<std::int64_t>& without);
// Those of the records that were reasons for an alert and are none any more; ascending.
base::Result<std::vector<std::int64_t>> ended_causes(Connection& connection, std::int64_t alert,
                                                     const std::vector<std::int64_t>& among);

// Records of an alert are no reasons for it any more, or again, and it holds or does not.
struct CauseChange {
  std::vector<std::int64_t> ended, again;
  bool holds = true;
  std::int64_t because = 0;  // the record that this is due to; 0: it is due to time
};
// The number of the event `revised`. Inside a transaction.
base::Result<std::int64_t> revise_causes(Writer& writer, const AlertPlace& place,
                                         std::int64_t alert, const CauseChange& change,
                                         const Act& act);

}  // namespace trialward::store
