#include "intake/batch_pace.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace trialward::intake {
namespace {

constexpr std::size_t kItemsMin = 16;
// Over about the last 16 batches.
constexpr double kWeight = 1.0 / 16;
// What a server is taken to need before it has shown it: for an item, and for a batch besides. The
// unit is the items of which one is as uncertain as the other.
constexpr double kItemSeconds = 16e-6, kBesidesSeconds = 2e-3;
constexpr double kFitUnit = 128;
constexpr double kItemSecondsMin = 1e-6;
constexpr double kBelieved = 3;  // of a batch: so many times what was expected, besides that

void average(std::atomic<double>& mean, double value) {
  const double before = mean.load(std::memory_order_relaxed);
  mean.store(before == 0 ? value : before + kWeight * (value - before), std::memory_order_relaxed);
}

}  // namespace

void BatchPace::observe(const Batch& batch) {
  if (batch.items == 0) return;
  const auto items = static_cast<double>(batch.items);
  if (options_.fitted) return fit(items, Seconds(batch.all).count());
  average(item_cpu_, Seconds(batch.cpu).count() / items);
  average(item_time_, Seconds(batch.all - batch.commit).count() / items);
  average(commit_, Seconds(batch.commit).count());
}

// Normalised least mean squares: each batch moves the line a little towards itself, the first ones
// more, along what it tells of; of one that the machine held up not all is believed.
void BatchPace::fit(double items, double took) {
  const double x = items / kFitUnit;
  double item = item_cpu_.load(std::memory_order_relaxed) * kFitUnit;
  double besides = commit_.load(std::memory_order_relaxed);
  if (item == 0) {
    item = kItemSeconds * kFitUnit;
    besides = kBesidesSeconds;
  }
  const double weight = std::max(kWeight, 1.0 / static_cast<double>(++fitted_));
  const double expected = besides + item * x;
  double error = took - expected;
  if (weight == kWeight) error = std::min(error, kBelieved * expected);
  const double step = weight * error / (1 + x * x);
  besides += step;
  item += step * x;
  if (besides < 0) item += std::exchange(besides, 0.0) / x;
  item = std::max(item, kItemSecondsMin * kFitUnit);
  commit_.store(besides, std::memory_order_relaxed);
  item_cpu_.store(item / kFitUnit, std::memory_order_relaxed);
  item_time_.store(item / kFitUnit, std::memory_order_relaxed);
}

std::size_t BatchPace::items_in(Seconds work, double besides) const {
  const std::size_t limit = options_.items_max;
  const double cpu = item_cpu_.load(std::memory_order_relaxed);
  if (cpu <= 0) return std::min(kItemsMin, limit);
  const double time = std::max(work.count(), besides * commit_.load(std::memory_order_relaxed));
  const double items = std::min(time / cpu, static_cast<double>(limit));
  return std::clamp(static_cast<std::size_t>(items), std::min(kItemsMin, limit), limit);
}

base::Duration BatchPace::time_for(std::size_t items, bool urgent) const {
  const auto count = static_cast<double>(items);
  const double batches =
      std::ceil(count / static_cast<double>(urgent ? urgent_items_max() : items_max()));
  const Seconds time(count * item_time_.load(std::memory_order_relaxed) +
                     batches * commit_.load(std::memory_order_relaxed));
  return std::chrono::duration_cast<base::Duration>(time);
}

}  // namespace trialward::intake
