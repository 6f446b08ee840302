// The reports that there are, and running one. The way of a report:
//
//   auto settings  = read_settings(study)                     once a study is loaded
//   auto positions = positions_now(reading, row, now)         or those of an earlier result
//   auto dataset   = load_dataset(source, reading)            pages; shared by many reports
//   auto written   = write_report(request, *dataset, sink)    pure but for the formulary
//
// load_dataset takes the domains of all reports that it is for (dataset.h), so one pass over the
// records serves as many reports as are asked for as of the same positions: load once, run each.
// Who queues reports should run together what waits for the same study. A Dataset is immutable:
// several threads may write reports from one.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/fault.h"
#include "reports/coverage.h"
#include "reports/dataset.h"
#include "reports/document.h"
#include "reports/positions.h"
#include "reports/settings.h"
#include "runtime/cancel.h"

namespace trialward::reports {

struct Parameters {
  std::string site;        // empty: the whole study
  bool unblinded = false;  // tells the arm: its asker needs the permission `unblinded`
  std::map<std::string, std::string> others;  // by name; each report lists its own
};

struct Request {
  std::string report;
  Parameters parameters;
};

struct ParameterInfo {
  std::string_view name, what;
  bool required = false;
  std::optional<int> whole_max{};           // it is a whole number from 0 to this
  std::vector<std::string_view> choices{};  // it is one of these; empty: any text
};

struct Context;  // context.h
struct ReportInfo {
  std::string_view id, title, what;
  Domains domains = 0;       // that its dataset must hold
  bool populations = false;      // and what the study's populations ask for
  bool characteristics = false;  // and what its characteristics ask for
  std::vector<ParameterInfo> parameters;  // beside site and unblinded
  base::Status (*write)(const Context& context, Sink& sink) = nullptr;  // the content alone
};

// In the order in which they are to be listed.
std::span<const ReportInfo> catalogue();
const ReportInfo* find_report(std::string_view id);

// Everything wrong with a request, with paths in it ("/report", "/site", "/parameters/subject").
model::Faults check_request(const Request& request, const model::Study& study);

// The domains that a dataset for these needs. Unknown reports need none.
Domains domains_of(std::span<const Request> requests, const Settings& settings);

// Writes the whole document, head to end. The request has passed check_request and the dataset
// holds its domains (broken invariants otherwise). Errors: those of the sink; cancelled, which is
// looked for between rows; invalid: a parameter names what the data do not hold (a subject).
base::Status write_report(const Request& request, const Dataset& dataset, Sink& sink,
                          const runtime::Cancel& cancel, const TellCoverage& coverage = {});

// The request in one line, equal for requests that ask for the same: for computing once.
std::string canonical(const Request& request);

}  // namespace trialward::reports
