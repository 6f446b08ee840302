#include "api/token_slots.h"

namespace trialward::api {

TokenSlots::Slot TokenSlots::take(std::int64_t token) {
  {
    const std::lock_guard lock(mutex_);
    if (used_ >= max_) return nullptr;
    const auto [own, fresh] = by_token_.try_emplace(token, 0);
    if (own->second >= per_token_max_) return nullptr;  // not fresh, so no zero is left
    ++own->second;
    ++used_;
  }
  return Slot(this, [token](TokenSlots* slots) { slots->give_back(token); });
}

void TokenSlots::give_back(std::int64_t token) {
  const std::lock_guard lock(mutex_);
  --used_;
  const auto own = by_token_.find(token);
  if (--own->second == 0) by_token_.erase(own);
}

std::size_t TokenSlots::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace trialward::api
