// The caches of a store (store/schema.h), compared with what the audited tables say. Of rows that
// appear while it reads, each step sees a cache and its sources in one state.
// One thread. Errors: corrupt, which names the first bad entry; cancelled, unavailable.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "records/audit_scan.h"
#include "store/connection.h"

namespace trialward::records {

// The caches of which there is a row a shard or a study, as they are at one moment.
struct HeadRows {
  struct End {
    std::int64_t position = 0;
    std::string hash;
  };
  std::map<std::int64_t, End> shards;                  // by shard
  std::map<std::int64_t, std::int64_t> event_numbers;  // study → alert_heads' number
};
base::Result<HeadRows> read_head_rows(store::Connection& reader);
// `scan` has read to the moment that `rows` are of.
base::Status check_head_rows(const HeadRows& rows, const AuditScan& scan);

// alert_states, alert_causes and open_alerts of the alerts from `first` to `last`: a page of them,
// inside of one read transaction. since_ms is on a clock that only the machine knew, and unchecked.
base::Status check_alerts(store::Connection& reader, std::int64_t first, std::int64_t last);
// Rows of alert_causes, alert_states and open_alerts that are of no alert.
base::Status check_stray_alert_rows(store::Connection& reader);

}  // namespace trialward::records
