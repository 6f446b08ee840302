// A patient's schedule as the partner has it: a FHIR R4 CarePlan whose activities are contained
// Appointments. The contract is docs/schedule-sync.md.
//
//   { "resourceType": "CarePlan", "id": "SUBJ-1",
//     "meta": { "versionId": "3", "lastUpdated": "2026-01-31T10:00:00.000Z" },   // the partner's
//     "status": "active", "intent": "plan", "subject": { "identifier": { … "value": "SUBJ-1" } },
//     "contained": [
//       { "resourceType": "Appointment", "id": "a1",
//         "identifier": [{ "system": "urn:trialward:occurrence", "value": "WK2/1/0" }],
//         "status": "booked", "description": "Week 2",
//         "requestedPeriod": [{ "start": …, "end": … }],    // the window
//         "start": "2026-02-14T09:30:00+01:00", "end": …,   // the planned time: instants
//         "participant": [{ "actor": …, "status": "needs-action" }] } ],
//     "activity": [{ "reference": { "reference": "#a1" } }] }
//
// Times are instants with an offset, and are compared as instants. Pure; any thread. What comes
// from the partner is bounded in size (kCarePlanBytesMax), depth and number before it is kept.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace trialward::schedule {

inline constexpr std::size_t kCarePlanBytesMax = 4 << 20;
inline constexpr std::size_t kAppointmentsMax = 10'000;  // of a CarePlan
inline constexpr std::size_t kEntriesMax = 1'000;        // of a page of changes
inline constexpr std::size_t kVersionCharsMax = 64;

// An occurrence of an activity: "WK2/1/0" is activity, number and the record that calls for it.
struct OccurrenceKey {
  std::string activity;
  int number = 1;
  std::int64_t event = 0;
  auto operator<=>(const OccurrenceKey&) const = default;
};
std::string to_string(const OccurrenceKey& key);
// Nothing for what cannot be one, whatever the study.
std::optional<OccurrenceKey> parse_occurrence_key(std::string_view text);

enum class AppointmentStatus : std::uint8_t { proposed, booked, fulfilled, noshow, cancelled };
std::string_view to_string(AppointmentStatus status);

struct Appointment {
  OccurrenceKey key;
  AppointmentStatus status = AppointmentStatus::proposed;
  std::optional<std::int64_t> start_ms, end_ms;
  std::int64_t from_ms = 0, until_ms = 0;  // the window; both 0: there is none
  std::string title;                       // ours alone

  // Of one with a start: its end, where it has one.
  std::int64_t last_ms() const { return end_ms.value_or(*start_ms); }
};

struct CarePlan {
  std::string version;                    // meta.versionId; empty: not said
  std::vector<Appointment> appointments;  // by key, each once
  std::size_t unknown = 0;                // Appointments that are none of trialward's
};

// Where a subject's CarePlan is: its id there, which is the subject's own where FHIR allows that
// as an id, and else made of a hash of it.
std::string care_plan_id(std::string_view subject);

std::string to_json(std::string_view study, std::string_view subject,
                    const std::vector<Appointment>& appointments);
// Errors: invalid; the message says what is wrong with it.
base::Result<CarePlan> parse_care_plan(std::string_view text, std::string_view id);

// What two sides must have in common to be in step, as a hash.
std::string digest_of(const std::vector<Appointment>& appointments);

// A page of what has changed: a searchset Bundle, of each CarePlan its id and meta.
struct ChangedPlan {
  std::string id, version, last_updated;
};
struct ChangesPage {
  std::vector<ChangedPlan> changed;
  std::string next;  // the next page's URL; empty: there is none
};
base::Result<ChangesPage> parse_changes(std::string_view text);

// W/"3" and "3" as 3, and back; nothing for what is no entity tag of a version.
std::optional<std::string> version_of_etag(std::string_view etag);
std::string etag_of_version(std::string_view version);

}  // namespace trialward::schedule
