// The occurrences of one activity that are counted from one anchor, and which of them a deed is of.
// Pure; borrows the activity.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "epro/anchor_history.h"
#include "epro/planned_times.h"
#include "model/schedule.h"

namespace trialward::epro {

class Series {
 public:
  using IsFree = std::function<bool(std::size_t number)>;

  Series(const model::Activity& activity, std::size_t index, const model::WallClock& clock)
      : activity_(&activity), index_(index), clock_(clock) {}

  std::vector<AnchorHistory> histories;  // the first that has one says the anchor's time
  std::optional<When> otherwise;         // where none has
  std::int64_t event = 0;
  std::size_t first = 0;  // the place of the first occurrence in the plan

  const model::Activity& activity() const { return *activity_; }
  std::size_t index() const { return index_; }

  // By number from 0; empty as long as the anchor is not known.
  const std::vector<PlannedTimes>& now();
  // The first free occurrence in whose window it lies. `known`: the record with which it came in,
  // kNever for the anchor of now; where none was known then, it is that of now, too.
  std::optional<std::size_t> within(const When& when, std::int64_t known, const IsFree& is_free);
  // The last that had begun by then, if it was not missed yet and is free.
  std::optional<std::size_t> begun(const When& when, std::int64_t known, const IsFree& is_free);

 private:
  const std::vector<PlannedTimes>& as_of(std::int64_t known);
  std::optional<When> anchor(std::int64_t known) const;

  const model::Activity* activity_;
  std::size_t index_;
  model::WallClock clock_;
  // By the anchor's time; an anchor is seldom corrected.
  std::map<std::pair<std::int64_t, bool>, std::vector<PlannedTimes>> times_;
};

}  // namespace trialward::epro
