// Where a report goes from the command line: a file beside its name until it is whole, so that
// nobody takes a part for the report; what has no whole, such as a pipe, a terminal or a device,
// takes the bytes as they come. One thread.
#pragma once

#include <memory>
#include <string>

#include "reports/output.h"

namespace trialward::cli {

class ReportFile : public reports::Output {
 public:
  // "-" is the standard output. Made before the report is, so that a wrong path is told at once.
  // Errors: invalid (nothing can be written there), with the system's reason.
  static base::Result<std::unique_ptr<ReportFile>> open(const std::string& path);

  // All has been written. A file takes its name, with the mode of what it replaces. Errors:
  // unavailable; cancelled: a signal came.
  virtual base::Status finish() = 0;
};

}  // namespace trialward::cli
