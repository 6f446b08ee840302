// The seam for time (promise P11): nothing outside base/ asks the operating system what time it is.
// Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace trialward::base {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

inline double in_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

class Clock {
 public:
  virtual ~Clock() = default;
  // Monotonic: for durations and deadlines.
  virtual TimePoint now() const = 0;
  // Milliseconds since 1970-01-01T00:00:00Z: for what is written down. May jump.
  virtual std::int64_t utc_ms() const = 0;
  // Names the start of the machine that now() counts from: the same for as long as it goes on.
  virtual std::string boot_id() const = 0;
  // What the calling thread has used of the processor: what work costs, whoever else runs.
  virtual Duration thread_cpu() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override;
  std::int64_t utc_ms() const override;
  std::string boot_id() const override;
  Duration thread_cpu() const override;
};

// A clock that moves only when it is told to.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t utc_ms = 1'700'000'000'000) : utc_ms_(utc_ms) {}
  TimePoint now() const override { return TimePoint(Duration(steady_.load())); }
  std::int64_t utc_ms() const override { return utc_ms_.load(); }
  std::string boot_id() const override { return "boot " + std::to_string(boots_.load()); }
  Duration thread_cpu() const override { return now().time_since_epoch(); }
  // Moves both times on.
  void advance(std::chrono::milliseconds by) {
    steady_ += std::chrono::duration_cast<Duration>(by).count();
    utc_ms_ += by.count();
  }
  // Moves the wall clock alone, as an administrator or NTP would; may be negative.
  void jump_wall(std::chrono::milliseconds by) { utc_ms_ += by.count(); }
  // The machine was started again: now() begins anew.
  void reboot() {
    ++boots_;
    steady_ = 1;
  }

 private:
  std::atomic<Duration::rep> steady_{1};
  std::atomic<std::int64_t> utc_ms_;
  std::atomic<int> boots_{1};
};

}  // namespace trialward::base
