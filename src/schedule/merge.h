// Who wins: what the partner's CarePlan says, against the study's plan. trialward says what exists,
// its windows, and whether it was done. The partner says at which time within the window, and that
// there is no time (any more). So:
//
//   theirs                                    ours is open              ours is done, missed or n/a
//   a time within the window                  accepted                  conflict
//   a time outside the window, or none given  conflict                  conflict
//   an end before its time                    conflict                  conflict
//   cancelled                                 accepted; it stays due    conflict where it was done
//   proposed again                            accepted: the time goes   replaced
//   fulfilled, noshow                         conflict                  replaced
//   another window, or nothing at all         replaced                  replaced
//   an occurrence that does not exist         conflict
//
// A time is a start and an end, which is the start where none is given; the start is what has to be
// in the window. Of a conflict ours stands, it is listed, and is sent to the partner again. A time
// that was accepted before is no news, whatever became of it since. Pure; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schedule/care_plan.h"

namespace trialward::schedule {

inline constexpr std::size_t kConflictsKept = 20;  // of a CarePlan; the others are counted

// The partner's word on an occurrence that was accepted last.
struct Booking {
  AppointmentStatus status = AppointmentStatus::proposed;  // proposed, booked or cancelled
  std::int64_t start_ms = 0, end_ms = 0;                   // of booked
};

// An occurrence that has its time, by the study's plan.
struct PlannedOccurrence {
  enum class Fate : std::uint8_t { open, done, missed, not_applicable };
  OccurrenceKey key;
  Fate fate = Fate::open;
  std::int64_t from_ms = 0, until_ms = 0;  // half-open; until 0: it does not end
  std::int64_t target_ms = 0;
  std::string title;
  Booking booking;

  bool has_in_window(std::int64_t ms) const {
    return ms >= from_ms && (until_ms == 0 || ms < until_ms);
  }
};

struct Accepted {
  OccurrenceKey key;
  Booking before, after;
};
struct Conflict {
  OccurrenceKey key;
  AppointmentStatus theirs = AppointmentStatus::proposed;
  std::int64_t start_ms = 0;  // theirs; 0: none
  std::string_view why;
};

struct Merged {
  std::vector<Accepted> accepted;
  std::vector<Conflict> conflicts;  // the first kConflictsKept
  std::int64_t conflict_count = 0;
  std::vector<Appointment> agreed;  // what both sides shall have
  bool push = false;                // the partner has something else
};

// What trialward says, by key. `ours` is sorted by key.
std::vector<Appointment> appointments_of(const std::vector<PlannedOccurrence>& ours);
Merged merge(std::vector<PlannedOccurrence> ours, const CarePlan& theirs);

}  // namespace trialward::schedule
