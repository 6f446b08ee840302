// The table of adverse events by body system and preferred term, and the list of single events, for
// the reports that have them.
#pragma once

#include <string>
#include <vector>

#include "reports/context.h"
#include "reports/dataset.h"
#include "reports/document.h"

namespace trialward::reports {

struct EventTableOptions {
  std::string id, title, any_label;
  bool serious_only = false;
};
base::Status write_event_table(const Context& context, const EventTableOptions& options,
                               Sink& sink);

// A row for each event, by subject and time. The arm has a column if the report is unblinded.
base::Status write_event_list(const Context& context, const TableHead& named,
                              const std::vector<const Entry*>& events, Sink& sink);

}  // namespace trialward::reports
