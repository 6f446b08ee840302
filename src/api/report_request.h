// What a request for reports asks for:
//   {"reports":[{"report":"demographics","site":"701","unblinded":true,
//                "parameters":{"subject":"01-701-1015"}}, …],
//    "as_of":"2026-11-26T08:00:00Z"}
// "as_of" is an instant, or the positions that an earlier result states. All but "reports" and
// "report" may be left out. A token of a site gets its own site's reports.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/principal.h"
#include "base/result.h"
#include "model/fault.h"
#include "model/study.h"
#include "reports/report_maker.h"

namespace trialward::api {

struct ReportRequest {
  std::vector<reports::Request> reports;
  std::optional<reports::AsOf> as_of;
};

struct ReportFaults {
  int status = 422;  // or 403: it is not for this token
  model::Faults faults;
};

// One report of a request as JSON, with the members above: what a job says was asked for.
std::string to_json(const reports::Request& request, const std::optional<reports::AsOf>& as_of);
// A name for its file, without an ending, of letters, digits, '.', '-' and '_':
// "subject-profile_01-701-1015_site-701_unblinded".
std::string file_name(const reports::Request& request);

// Checked against the study and the catalogue; a site as of then only when the report is made.
base::Result<ReportRequest, ReportFaults> parse_report_request(std::string_view json,
                                                               const Principal& principal,
                                                               const model::Study& study,
                                                               std::int64_t now_ms);

}  // namespace trialward::api
