// The audit trail as FHIR has it: an AuditEvent for each entry, whose id is the entry's number.
// Entries are shown within the token's study, site and source. Who is blinded is not told the
// reason of what tells the treatment.
//
// The trail is walked in its own order (it is that of the commits; a clock that was set back may
// show times out of it), the newest first. A page looks at kAuditScanned entries and may have found
// few, or none; its `next` link goes on. What is written meanwhile moves nothing between pages. Of
// a resource or an alert (?entity=) the entries are found without a walk.
#pragma once

#include "api/read_pool.h"
#include "api/route.h"
#include "store/audit_rows.h"

namespace trialward::api {

inline constexpr std::int64_t kAuditScanned = 10000;
inline constexpr std::size_t kAuditedMax = 500;  // of an alert's events, and of a resource's

class FhirAudit {
 public:
  explicit FhirAudit(ReadPool& reads) : reads_(reads) {}

  // GET /fhir/AuditEvent/{id}
  http::Decision one(const Call& call);
  // GET /fhir/AuditEvent: ?patient=, ?entity=, ?date=, ?agent-name=, ?type=, ?subtype=, ?action=,
  // ?_sort= (-date, date), ?_count=. date may be repeated.
  http::Decision search(const Call& call);
  static Route::Members members() {
    return {"patient", "entity", "date",   "agent-name", "type",
            "subtype", "action", "_count", "_sort",      "_cursor"};
  }

 private:
  ReadPool& reads_;
};

}  // namespace trialward::api
