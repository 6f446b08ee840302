// The routes of the schedule of activities (epro/plan.h), worked out from the records as they are
// when it is asked for.
//
// A list goes through the study subject by subject. A page ends after the subject with which it has
// its rows, or kSubjectsOfPage subjects, or about kPageBytes; so it has whole subjects, of which
// each has at most kOccurrencesMax rows, and it may be empty and yet name a next one. Between two
// pages of a stream no connection is held; a statement reads kHistoryRows records at most.
//
// Of a subject whose plan cannot be worked out there is one row, whatever was asked for, with the
// state "fault" and the reason; the others are listed all the same.
//
// Borrows its parts, which must live longer; any thread may call it.
#pragma once

#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "base/clock.h"

namespace trialward::api {

inline constexpr std::size_t kSubjectsOfPage = 50;

class ScheduleApi {
 public:
  ScheduleApi(ReadPool& reads, Exports& exports, const base::Clock& clock)
      : reads_(reads), exports_(exports), clock_(clock) {}

  // GET /v1/studies/{study}/subjects/{subject}/schedule. A patient's token: of its own subject.
  http::Decision subject(const Call& call);
  // GET /v1/studies/{study}/schedule: ?state=open,late (default: open,late,missed), ?site=, ?from=
  // and ?until= (days that the window, or the target, must touch), ?format=csv; as NDJSON or CSV
  // all of it, else a page: ?limit=, ?after=
  http::Decision list(const Call& call);

 private:
  ReadPool& reads_;
  Exports& exports_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
