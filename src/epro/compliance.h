// How far subjects did what was due: counts, and shares of them. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <optional>

#include "epro/plan.h"

namespace trialward::base {
class JsonWriter;
}

namespace trialward::epro {

class Compliance {
 public:
  void add(const Occurrence& occurrence);
  void add(const Compliance& other);

  std::size_t count(OccurrenceState state) const {
    return counts_[static_cast<std::size_t>(state)];
  }
  // Expected so far: what is done, and what is late or missed.
  std::size_t expected() const;
  std::size_t done() const { return count(OccurrenceState::done); }
  // Of what is done; the rest of it has no window, or a date that does not tell.
  std::size_t in_window() const { return in_window_; }
  std::size_t out_of_window() const { return out_of_window_; }
  // Nothing where nothing was expected; and where nothing that is done could be judged.
  std::optional<double> done_percent() const;
  std::optional<double> in_window_percent() const;

 private:
  std::array<std::size_t, kOccurrenceStates> counts_{};
  std::size_t in_window_ = 0, out_of_window_ = 0;
};

// An object: expected, done, in_window, out_of_window, late, missed, open, planned, not_applicable,
// done_percent, in_window_percent (to a decimal, or null).
void write_json(base::JsonWriter& json, const Compliance& compliance);

}  // namespace trialward::epro
