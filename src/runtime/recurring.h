// Recurring: what people see of a task that runs again and again, and that they can have it run at
// once. TaskList keeps one of each Periodic for as long as that lives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace trialward::runtime {

struct RecurringInfo {
  std::string name;
  base::Duration interval{};
  std::uint64_t runs = 0, failures = 0;
  bool running = false;
  std::optional<std::int64_t> last_started_utc_ms;  // of the last run that ended
  base::Duration last_duration{};
  std::optional<base::Error> last_error;
  base::TimePoint next_due{};
  base::Duration lag{};  // by how much the run that is due, or that runs, is behind its interval
};

class Recurring {
 public:
  virtual ~Recurring() = default;
  virtual RecurringInfo info() const = 0;
  virtual void run_now() = 0;
};

}  // namespace trialward::runtime
