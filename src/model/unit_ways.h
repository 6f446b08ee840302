// The ways from the units in which a code's records come to the code's own unit, each worked out
// once: reading a unit takes microseconds, and an intake has no time for that with every record.
//
// find() may be called by any thread. It looks through what was kept without a lock; only what is
// new is read, under one, and kept while there is room. What cannot be converted is read each time:
// such a record is refused, and its sender pays. A sender that varies the spelling for ever fills
// the room of one code, and after that is read each time, too.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ucum/unit.h"

namespace trialward::model {

class UnitWays {
 public:
  static constexpr std::size_t kWaysMax = 24;

  UnitWays(ucum::Unit own, ucum::MolarMass molar_mass)
      : own_(std::move(own)), molar_mass_(molar_mass) {}

  // The error names the unit given and the code's own, and says why.
  base::Result<ucum::Conversion> find(std::string_view unit) const;

  const ucum::Unit& own() const { return own_; }
  const ucum::MolarMass& molar_mass() const { return molar_mass_; }
  std::size_t kept() const { return count_.load(std::memory_order_acquire); }

 private:
  struct Way {
    std::string unit;
    ucum::Conversion conversion;
  };

  const ucum::Conversion* look_up(std::string_view unit) const;

  const ucum::Unit own_;
  const ucum::MolarMass molar_mass_;
  mutable std::mutex adding_;
  // Made for the first one, and never moved after that. Below count_ nothing changes any more.
  mutable std::unique_ptr<std::array<Way, kWaysMax>> ways_;
  mutable std::atomic<std::size_t> count_{0};
};

}  // namespace trialward::model
