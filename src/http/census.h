// Census: how many connections there are, in all and from each address, against their limits.
// Thread-safe; owned by a Server.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace trialward::http {

class Census {
 public:
  enum class Verdict { entered, full, address_full };

  Census(std::size_t max, std::size_t per_address_max)
      : max_(max), per_address_max_(per_address_max) {}

  // An empty address has no limit of its own. Every one that entered leaves, once.
  Verdict enter(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto here = addresses_.find(address);
    if (here != addresses_.end() && here->second >= per_address_max_) return Verdict::address_full;
    if (count_ >= max_) return Verdict::full;  // but its address has room
    if (!address.empty()) ++addresses_[address];
    ++count_;
    return Verdict::entered;
  }

  void leave(const std::string& address) {
    const std::lock_guard lock(mutex_);
    const auto here = addresses_.find(address);
    if (here != addresses_.end() && --here->second == 0) addresses_.erase(here);
    if (--count_ == 0) empty_.notify_all();
  }

  // False when some are still there after that time.
  bool wait_empty(base::Duration wait) {
    std::unique_lock lock(mutex_);
    return empty_.wait_for(lock, wait, [this] { return count_ == 0; });
  }

 private:
  const std::size_t max_;
  const std::size_t per_address_max_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t count_ = 0;                                   // guarded by mutex_
  std::unordered_map<std::string, std::size_t> addresses_;  // guarded by mutex_
};

}  // namespace trialward::http
