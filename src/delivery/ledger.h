// Ledger: how delivery/ gets written down what its attempts came to. The store has one writer, so
// this goes the way of everything that is stored; whoever builds the server connects the two.
// Any thread.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "store/outbox_rows.h"

namespace trialward::delivery {

class Ledger {
 public:
  virtual ~Ledger() = default;
  // Takes them, and tells on any thread, once, whether they are durable. False, and then nothing is
  // taken or told: there is no room for them now.
  virtual bool record(const std::vector<store::DeliveryAttempt>& attempts,
                      std::function<void(bool stored)> done) = 0;
  // The same for store::prune_deliveries; tells how many rows went, -1 when it failed.
  virtual bool prune(std::int64_t before_ms, std::int64_t limit,
                     std::function<void(std::int64_t rows)> done) = 0;
};

}  // namespace trialward::delivery
