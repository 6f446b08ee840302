#include "cli/import_progress.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace trialward::cli {
namespace {

constexpr base::Duration kInterval = std::chrono::milliseconds(200);
constexpr int kBarWidth = 30;
constexpr double kDoneMin = 0.002;  // before, the time left is a guess

// 1234567 → "1,234,567"
std::string grouped(std::int64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string minutes(double seconds) {
  const auto whole = static_cast<std::int64_t>(seconds + 0.5);
  const std::string rest = std::to_string(whole % 60);
  return std::to_string(whole / 60) + (rest.size() < 2 ? ":0" : ":") + rest;
}

}  // namespace

std::string progress_line(double done, std::int64_t rows, base::Duration elapsed) {
  const double share = std::clamp(done, 0.0, 1.0);
  const double seconds = base::in_seconds(elapsed);
  const auto full = static_cast<std::size_t>(share * kBarWidth);
  std::string line = "[" + std::string(full, '#') + std::string(kBarWidth - full, '.') + "] ";
  line += std::to_string(static_cast<int>(share * 100)) + " %  " + grouped(rows) + " rows";
  if (seconds > 0) {
    line += "  " + grouped(static_cast<std::int64_t>(static_cast<double>(rows) / seconds)) + "/s";
  }
  if (share > kDoneMin) line += "  " + minutes(seconds / share * (1 - share)) + " left";
  return line;
}

ImportProgress::ImportProgress(const base::Clock& clock)
    : clock_(clock), terminal_(::isatty(STDERR_FILENO) != 0), started_(clock.now()) {}

void ImportProgress::show(double done, std::int64_t rows) {
  const base::TimePoint now = clock_.now();
  if (!terminal_ || now - shown_ < kInterval) return;
  shown_ = now;
  std::cerr << "\r\033[K" << progress_line(done, rows, now - started_) << std::flush;
}

void ImportProgress::clear() {
  if (terminal_) std::cerr << "\r\033[K" << std::flush;
}

}  // namespace trialward::cli
