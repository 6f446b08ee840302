#include "reports/sum_lines.h"

namespace trialward::reports {

base::Status write_sum_lines(const Context& context, const std::vector<Summary>& sums,
                             int decimals, Sink& sink) {
  const struct {
    const char* label;
    double Summary::*value;
    int more_decimals;
  } lines[] = {{"Mean", &Summary::mean, 1},
               {"SD", &Summary::sd, 2},
               {"Median", &Summary::median, 1},
               {"Min", &Summary::low, 0},
               {"Max", &Summary::high, 0}};
  for (const auto& [label, value, more] : lines) {
    Row line;
    line.cells = {Cell(), Cell(), Cell::words(label)};
    for (const Summary& sum : sums) {
      line.cells.push_back(context.number(sum.*value, decimals + more));
    }
    if (auto done = sink.row(line); !done) return done;
  }
  return {};
}

}  // namespace trialward::reports
