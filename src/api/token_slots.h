// Places of something that a request holds for a while, counted in all and for each token, so that
// no holder of a token can take them all. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace trialward::api {

class TokenSlots {
 public:
  // A place, given back when the last copy goes; it must not outlive the TokenSlots. Shared,
  // because handlers are copyable.
  using Slot = std::shared_ptr<void>;

  TokenSlots(std::size_t max, std::size_t per_token_max)
      : max_(max), per_token_max_(per_token_max) {}

  // Null when there is none left for this token.
  Slot take(std::int64_t token);
  std::size_t used() const;

 private:
  void give_back(std::int64_t token);

  const std::size_t max_, per_token_max_;
  mutable std::mutex mutex_;
  std::size_t used_ = 0;                                  // guarded by mutex_
  std::unordered_map<std::int64_t, std::size_t> by_token_;  // guarded by mutex_; no zeros
};

}  // namespace trialward::api
