// BatchPace: how large the next batch may be, and how long what waits will take, from how it went
// of late. A safety record waits for at most one running batch. So a batch's work takes about
// `work_max`, or as long as its commit does: then a slow disk, which no batch size makes faster, is
// used for as many records as doubles the wait at most.
//
// observe() belongs to the committing thread; any may call the rest.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/clock.h"

namespace trialward::intake {

class BatchPace {
 public:
  BatchPace(std::size_t items_max, base::Duration work_max)
      : items_limit_(items_max), work_max_(work_max) {}

  struct Batch {
    std::size_t items = 0;
    base::Duration cpu{};     // what the work used of the processor
    base::Duration commit{};  // and checkpoint: however many items there are
    base::Duration all{};     // from taking the batch to its last answer
  };
  void observe(const Batch& batch);

  std::size_t items_max() const;
  base::Duration time_for(std::size_t items) const;  // zero before the first batch

 private:
  using Seconds = std::chrono::duration<double>;

  const std::size_t items_limit_;
  const Seconds work_max_;
  // Running means in seconds; 0 before the first batch. `commit_` is of a batch.
  std::atomic<double> item_cpu_ = 0, item_time_ = 0, commit_ = 0;
};

}  // namespace trialward::intake
