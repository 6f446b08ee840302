// --partners: the file that says where the third parties are that have subjects' schedules as well
// (schedule/partner.h). A study's schedule.toml names one of them.
//
//   [[partners]]
//   name = "ecoa"
//   url = "https://ecoa.example.org/fhir/{study}"      # {study}: the study's id
//   token_file = "/etc/trialward/ecoa.token"           # or token_env = "NAME"; without: none
//   # optional:
//   ca_file = "…"          # PEM, instead of the system's
//   plain_http = false     # http:// to another machine needs true
//   timeout_s = 10         # of one call, from 0.1 to 300
//   every_s = 900          # from the start of a cycle to the next, from 1 to 86400
//   patience_s = 30        # how long a cycle waits for a partner that does not answer at all
//   in_flight = 32         # calls at once, from 1 to 256
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "intake/submission.h"
#include "schedule/partner.h"

namespace trialward::cli {

// Nothing when it has faults, each told on standard error with its line.
std::optional<std::vector<schedule::Partner>> load_partners_file(const std::string& path);

// The first partner that two of the studies name although its URL is one place for all studies, so
// that subjects of the same id would be one to it; empty: none.
std::string partner_of_several(const std::vector<schedule::Partner>& partners,
                               const std::vector<intake::ActiveStudy>& studies);

}  // namespace trialward::cli
