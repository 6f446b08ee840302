// A progress bar with rate and time left, on one line of a terminal. Writes nothing elsewhere.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"

namespace trialward::cli {

// "[#####.....]  52 %  1,234,567 rows  61,000/s  0:12 left"; done from 0 to 1.
std::string progress_line(double done, std::int64_t rows, base::Duration elapsed);

class ImportProgress {
 public:
  explicit ImportProgress(const base::Clock& clock);
  ~ImportProgress() { clear(); }
  ImportProgress(const ImportProgress&) = delete;
  ImportProgress& operator=(const ImportProgress&) = delete;

  // Redraws at most a few times a second.
  void show(double done, std::int64_t rows);
  void clear();

 private:
  const base::Clock& clock_;
  const bool terminal_;
  const base::TimePoint started_;
  base::TimePoint shown_{};
};

}  // namespace trialward::cli
