// What `trialward simulate` reports at its end: a table for people or one line of JSON. Pure.
#pragma once

#include <optional>
#include <string>

#include "cli/simulate_alerts.h"
#include "cli/simulate_load.h"

namespace trialward::cli {

// What the server counted of itself during the load, from its /metrics. Means; NaN when it
// committed nothing.
struct ServerFigures {
  double batch_items = 0;  // submissions committed together
  double commit_s = 0;     // of one batch, the fsync included
};

struct SimulateReport {
  LoadOptions options;
  LoadFigures load;
  std::optional<AlertFigures> alerts;
  std::optional<ServerFigures> server;
};

// The sum of all samples of a metric in Prometheus' text format; 0 when there is none.
double metric_sum(std::string_view text, std::string_view name);
// The means between two readings of /metrics.
ServerFigures server_figures(std::string_view before, std::string_view after);

// Records per second that were acknowledged, from the start to the last answer.
double acknowledged_per_s(const LoadFigures& load);
std::string report_table(const SimulateReport& report);
// Times are in milliseconds, null when nothing was measured. Without an end of line.
std::string report_json(const SimulateReport& report);

}  // namespace trialward::cli
