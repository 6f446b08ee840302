// SIGINT and SIGTERM. The first asks the program to stop, and is waited for or polled; the second
// ends it at once, with exit code 130 and nothing tidied up. One per process at a time.
#pragma once

#include <chrono>

namespace trialward::cli {

class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Returns when a signal has come.
  void wait() const;
  static bool requested();
  // Waits for a time, or until a signal has come: then true.
  static bool wait_for(std::chrono::milliseconds time);
};

}  // namespace trialward::cli
