// BatchPace: how large the next batch may be, and how long what waits will take, from how it went
// of late. A safety record waits for at most one running batch, and then for its own. So a batch's
// work takes about `work_max` (with a safety record in it `urgent_work_max`), or as long as its
// commit does: then a slow disk, which no batch size makes faster, is used for as many records as
// doubles the wait at most.
//
// With a database's server (`fitted`) most of the work is the server's, and the commit's length
// hangs on the number of items as well. There what an item takes, and what a batch does besides,
// are fitted to how long whole batches took. Of that, the waiting for the disk is the smaller part,
// and a safety record is worth some of the rate: it comes in a batch of `kUrgentShare` of it.
//
// observe() belongs to the committing thread; any may call the rest.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/clock.h"

namespace trialward::intake {

class BatchPace {
 public:
  struct Options {
    std::size_t items_max = 1024;
    base::Duration work_max = std::chrono::milliseconds(7);
    base::Duration urgent_work_max = std::chrono::milliseconds(1);
    bool fitted = false;
  };
  explicit BatchPace(const Options& options) : options_(options) {}

  struct Batch {
    std::size_t items = 0;
    base::Duration cpu{};     // what the work used of the processor
    base::Duration commit{};  // and checkpoint: however many items there are
    base::Duration all{};     // from taking the batch to its last answer
  };
  void observe(const Batch& batch);

  std::size_t items_max() const { return items_in(options_.work_max, 1); }
  std::size_t urgent_items_max() const {
    return items_in(options_.urgent_work_max, options_.fitted ? kUrgentShare : 1);
  }
  // In batches as large as may be, or as urgent ones. Zero before the first batch.
  base::Duration time_for(std::size_t items, bool urgent = false) const;

 private:
  using Seconds = std::chrono::duration<double>;
  static constexpr double kUrgentShare = 0.6;

  // Of so much work, or of as much as so many times what a batch takes besides.
  std::size_t items_in(Seconds work, double besides) const;
  void fit(double items, double took);

  const Options options_;
  // Running means in seconds; 0 before the first batch. `commit_` is of a batch. When they are
  // fitted, the first two are the same, and `commit_` is all that a batch takes besides.
  std::atomic<double> item_cpu_ = 0, item_time_ = 0, commit_ = 0;
  std::size_t fitted_ = 0;  // batches
};

}  // namespace trialward::intake
