#include "api/sync_planner.h"

#include <algorithm>
#include <map>

#include "base/milliseconds.h"
#include "epro/subject_plan.h"
#include "model/schedule.h"

namespace trialward::api {

using base::Result;
using epro::OccurrenceState;
using schedule::PlannedOccurrence;

namespace {

using Fate = PlannedOccurrence::Fate;

Fate fate_of(OccurrenceState state) {
  switch (state) {
    case OccurrenceState::done:
      return Fate::done;
    case OccurrenceState::missed:
      return Fate::missed;
    case OccurrenceState::not_applicable:
      return Fate::not_applicable;
    default:
      return Fate::open;
  }
}

schedule::Booking booking_of(const store::AppointmentRow& row) {
  using Status = schedule::AppointmentStatus;
  if (row.state == "booked") return {Status::booked, row.start_ms, row.end_ms};
  return {.status = row.state == "cancelled" ? Status::cancelled : Status::proposed};
}

}  // namespace

Result<schedule::PatientPlan> SyncPlanner::plan(store::Connection& connection,
                                                const store::SyncSubject& subject,
                                                std::int64_t now_ms) {
  const model::Study& study = *study_->study;
  auto planned = epro::plan_subject(connection, study,
                                    {.id = subject.id,
                                     .subject = subject.subject,
                                     .site = subject.site,
                                     .last_record = subject.last_record},
                                    {.now_ms = now_ms});
  if (!planned) return planned.error();
  // What is cut off would be taken away at the partner's, too.
  if (planned->plan.cut || planned->plan.occurrences.size() > schedule::kAppointmentsMax) {
    return base::Error{base::Errc::refused, "its schedule has more than can be planned"};
  }
  std::map<schedule::OccurrenceKey, schedule::Booking> bookings;
  for (const store::AppointmentRow& row : planned->appointments) {
    bookings.emplace(
        schedule::OccurrenceKey{row.activity, static_cast<int>(row.number), row.event},
        booking_of(row));
  }
  // Records with a time to come are looked at again by the day.
  schedule::PatientPlan plan{.check_after_ms = now_ms + base::kDayMs};
  for (const epro::Occurrence& one : planned->plan.occurrences) {
    if (!one.times) continue;
    const model::Activity& activity = study.schedule->activities[one.activity];
    const epro::PlannedTimes& times = *one.times;
    PlannedOccurrence& ours = plan.occurrences.emplace_back();
    ours.key = {activity.id, one.number, one.event};
    ours.fate = fate_of(one.state);
    ours.from_ms = times.from_ms;
    ours.until_ms = times.until_ms == epro::kNever ? 0 : times.until_ms;
    ours.target_ms = times.target_ms;
    ours.title = activity.title.empty() ? activity.id : activity.title;
    if (const auto found = bookings.find(ours.key); found != bookings.end()) {
      ours.booking = found->second;
    }
    if (ours.fate == Fate::open && times.missed_ms > now_ms) {
      plan.check_after_ms = std::min(plan.check_after_ms, times.missed_ms);
    }
  }
  std::sort(plan.occurrences.begin(), plan.occurrences.end(),
            [](const auto& a, const auto& b) { return a.key < b.key; });
  return plan;
}

}  // namespace trialward::api
