#include "epro/series.h"

#include <algorithm>

namespace trialward::epro {
namespace {

// Of an anchor that was corrected more often, what was known before is worked out again.
constexpr std::size_t kAnchorTimesKept = 8;

bool has_begun(const PlannedTimes& times, const When& when) {
  if (times.by_clock && when.timed) return times.from_ms <= when.from_ms;
  return times.first_day <= when.first_day;
}

// How many had begun by then. Later ones begin later.
std::size_t begun_count(const std::vector<PlannedTimes>& all, const When& when) {
  const auto end = std::partition_point(
      all.begin(), all.end(), [&](const PlannedTimes& one) { return has_begun(one, when); });
  return static_cast<std::size_t>(end - all.begin());
}

}  // namespace

std::optional<When> Series::anchor(std::int64_t known) const {
  for (const AnchorHistory& history : histories) {
    if (const auto when = known == kNever ? history.now() : history.as_of(known)) return when;
  }
  return known == kNever ? otherwise : std::nullopt;
}

// The answer is there until the next call.
const std::vector<PlannedTimes>& Series::as_of(std::int64_t known) {
  auto when = anchor(known);
  if (!when) when = anchor(kNever);
  static const std::vector<PlannedTimes> kNoTimes;
  if (!when) return kNoTimes;
  if (times_.size() >= kAnchorTimesKept) times_.clear();
  auto& times = times_[{when->from_ms, when->timed}];
  if (times.empty()) {
    for (int i = 0; i < activity_->count; ++i) {
      times.push_back(planned_times(*activity_, *when, i, clock_));
    }
  }
  return times;
}

const std::vector<PlannedTimes>& Series::now() { return as_of(kNever); }

std::optional<std::size_t> Series::within(const When& when, std::int64_t known,
                                          const IsFree& is_free) {
  const auto& all = as_of(known);
  std::optional<std::size_t> found;
  for (std::size_t i = begun_count(all, when); i > 0; --i) {
    if (in_window(all[i - 1], when) != true) break;
    if (is_free(i - 1)) found = i - 1;
  }
  return found;
}

std::optional<std::size_t> Series::begun(const When& when, std::int64_t known,
                                         const IsFree& is_free) {
  const auto& all = as_of(known);
  const std::size_t count = begun_count(all, when);
  if (count == 0 || !is_free(count - 1)) return std::nullopt;
  if (all[count - 1].missed_ms <= when.from_ms) return std::nullopt;
  return count - 1;
}

}  // namespace trialward::epro
