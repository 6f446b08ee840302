// A subject's plan from the store: reads its records in short statements, keeps what the schedule
// asks for (at most kSubjectFactsMax facts), and works the plan out. And the JSON and CSV in which
// plans are given to readers.
//
// Whoever lends the connection may stop it (Connection::stop): then the answer is `cancelled`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "epro/compliance.h"
#include "epro/plan.h"
#include "model/study.h"
#include "store/subject_rows.h"
#include "store/sync_rows.h"

namespace trialward::epro {

inline constexpr std::size_t kHistoryRows = 500;              // of a statement
inline constexpr std::size_t kSubjectRecordsMax = 1'000'000;  // of a subject that has a plan

struct SubjectPlan {
  std::string subject, site, time_zone;
  std::int64_t now_ms = 0;
  Plan plan;
  Compliance compliance;
  std::vector<store::AppointmentRow> appointments;  // what a partner said last
};

struct PlanTime {
  std::int64_t now_ms = 0;
  std::int64_t known_ms = kNever;  // PlanRequest::known_ms
};

// `of_subject`: it is this subject's alone, and others may have a plan all the same. Else it is the
// store's.
struct PlanError : base::Error {
  bool of_subject = false;
};

// The study has a schedule. Errors: those of the store; of the subject: refused (a limit), invalid
// (its site is not in the definition), corrupt (a record of it).
base::Result<SubjectPlan, PlanError> plan_subject(store::Connection& connection,
                                                  const model::Study& study,
                                                  const store::SubjectPlace& subject,
                                                  const PlanTime& time);

// {"subject","site","time_zone","at","left","compliance":{…},"activities":[…],"unscheduled":[…]};
// "cut": true where there is more.
std::string to_json(const model::Study& study, const SubjectPlan& plan);
// One occurrence as an object; with the subject and site where they are given.
void write_json(base::JsonWriter& json, const model::Study& study, const SubjectPlan& plan,
                const Occurrence& occurrence, bool with_subject);

// A line of RFC 4180 with its end, of these columns.
std::string csv_head();
std::string csv_line(const model::Study& study, const SubjectPlan& plan,
                     const Occurrence& occurrence);

// In place of a subject's occurrences why there are none: {"subject","site","state":"fault",
// "reason"}, and a line with the same.
std::string fault_json(const store::SubjectPlace& subject, std::string_view reason);
std::string fault_csv_line(const store::SubjectPlace& subject, std::string_view reason);

}  // namespace trialward::epro
