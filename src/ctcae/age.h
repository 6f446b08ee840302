// How old a patient was when something was measured, by the calendar. Pure; any thread.
//
// Years are counted as birthdays are: one is 18 from the eighteenth birthday on, and who was born
// on 29 February has it on 1 March of a year without one. Dates are those that were written, in
// whatever zone; of one that is not whole every day is thought of.
#pragma once

#include <optional>
#include <string_view>

namespace trialward::ctcae {

// Whole years, at the least and at the most.
struct Age {
  int least = 0, most = 0;
};

// When a patient was born, as far as it is known.
class Birth {
 public:
  // "2005-06-01", "2005-06", "2005"; nothing when it is no date.
  static std::optional<Birth> on(std::string_view date);
  // From an age in whole years on a date.
  static std::optional<Birth> from_age(int years, std::string_view date);

  // On a date, or a date and a time. Nothing when that is no date.
  std::optional<Age> at(std::string_view date) const;

 private:
  struct Day {
    int year = 0, month = 1, day = 1;
  };
  struct Days {
    Day first, last;
  };
  static std::optional<Days> days_of(std::string_view text);
  static int years_between(const Day& from, const Day& to);

  Days born_;           // the first and the last day that it can have been
  bool after_ = false;  // later than on the first day
};

}  // namespace trialward::ctcae
