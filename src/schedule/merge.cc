#include "schedule/merge.h"

#include <algorithm>

namespace trialward::schedule {
namespace {

using Fate = PlannedOccurrence::Fate;

constexpr std::string_view kOutside = "the time is outside the window";
constexpr std::string_view kEndsFirst = "it ends before it begins";
constexpr std::string_view kNoTime = "it is booked without a time";
constexpr std::string_view kIsDone = "it was done already";
constexpr std::string_view kIsMissed = "it was missed already";
constexpr std::string_view kNotForThem = "it is not for this subject any more";
constexpr std::string_view kOnlyARecord = "only a record says what became of it";
constexpr std::string_view kNotThere = "the study's schedule does not have it";

std::string_view why_final(Fate fate) {
  if (fate == Fate::done) return kIsDone;
  return fate == Fate::missed ? kIsMissed : kNotForThem;
}

bool is_known(const Booking& booking, const Appointment& theirs) {
  return booking.status == AppointmentStatus::booked && theirs.start_ms &&
         *theirs.start_ms == booking.start_ms && theirs.last_ms() == booking.end_ms;
}

// Why theirs cannot be; empty: it can, or is nothing new.
std::string_view objection(const PlannedOccurrence& ours, const Appointment& theirs) {
  using Status = AppointmentStatus;
  const bool booked = theirs.status == Status::booked;
  if (ours.fate != Fate::open) {
    if (booked && !is_known(ours.booking, theirs)) return why_final(ours.fate);
    const bool cancelled =
        theirs.status == Status::cancelled && ours.booking.status != Status::cancelled;
    return cancelled && ours.fate == Fate::done ? kIsDone : std::string_view();
  }
  if (theirs.status == Status::fulfilled || theirs.status == Status::noshow) return kOnlyARecord;
  if (!booked || is_known(ours.booking, theirs)) return {};
  if (!theirs.start_ms) return kNoTime;
  if (theirs.last_ms() < *theirs.start_ms) return kEndsFirst;
  return ours.has_in_window(*theirs.start_ms) ? std::string_view() : kOutside;
}

// Takes on what they say, if it is another thing than before.
void accept(PlannedOccurrence& ours, const Appointment& theirs, std::vector<Accepted>& accepted) {
  if (ours.fate != Fate::open || is_known(ours.booking, theirs)) return;
  if (theirs.status == ours.booking.status && theirs.status != AppointmentStatus::booked) return;
  Booking after{.status = theirs.status};
  if (theirs.status == AppointmentStatus::booked) {
    after.start_ms = *theirs.start_ms;
    after.end_ms = theirs.last_ms();
  }
  accepted.push_back({ours.key, ours.booking, after});
  ours.booking = after;
}

Appointment appointment_of(const PlannedOccurrence& ours) {
  Appointment one{.key = ours.key,
                  .from_ms = ours.from_ms,
                  .until_ms = ours.until_ms,
                  .title = ours.title};
  const Booking& booking = ours.booking;
  const bool booked = booking.status == AppointmentStatus::booked;
  if (ours.fate == Fate::not_applicable) {
    one.status = AppointmentStatus::cancelled;
  } else if (ours.fate == Fate::open) {
    // A window that has moved may have left its time behind.
    const bool stands = booked && ours.has_in_window(booking.start_ms);
    one.status = booked && !stands ? AppointmentStatus::proposed : booking.status;
    if (!stands) return one;
    one.start_ms = booking.start_ms;
    one.end_ms = booking.end_ms;
  } else {
    // FHIR wants a time of what is neither proposed nor cancelled.
    one.status =
        ours.fate == Fate::done ? AppointmentStatus::fulfilled : AppointmentStatus::noshow;
    one.start_ms = booked ? booking.start_ms : ours.target_ms;
    one.end_ms = booked ? booking.end_ms : ours.target_ms;
  }
  return one;
}

}  // namespace

std::vector<Appointment> appointments_of(const std::vector<PlannedOccurrence>& ours) {
  std::vector<Appointment> all;
  all.reserve(ours.size());
  for (const PlannedOccurrence& one : ours) all.push_back(appointment_of(one));
  return all;
}

Merged merge(std::vector<PlannedOccurrence> ours, const CarePlan& theirs) {
  Merged merged;
  auto mine = ours.begin();
  for (const Appointment& one : theirs.appointments) {
    while (mine != ours.end() && mine->key < one.key) ++mine;
    const bool there = mine != ours.end() && mine->key == one.key;
    const std::string_view why = there ? objection(*mine, one) : kNotThere;
    if (why.empty()) {
      accept(*mine, one, merged.accepted);
    } else {
      ++merged.conflict_count;
      if (merged.conflicts.size() == kConflictsKept) continue;
      merged.conflicts.push_back({one.key, one.status, one.start_ms.value_or(0), why});
    }
  }
  merged.agreed = appointments_of(ours);
  merged.push =
      theirs.unknown != 0 || digest_of(merged.agreed) != digest_of(theirs.appointments);
  return merged;
}

}  // namespace trialward::schedule
