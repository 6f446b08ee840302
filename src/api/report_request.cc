#include "api/report_request.h"

#include <simdjson.h>

#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::api {
namespace {

using simdjson::SUCCESS;
constexpr std::size_t kNameCharsMax = 150;  // file systems end at 255, with the time and an ending
using simdjson::dom::element;
using simdjson::dom::object;

// Reads one member of a report's request; the fault's reason, or "".
std::string read_member(std::string_view key, element value, reports::Request& request) {
  if (key == "unblinded") {
    const bool read = value.get(request.parameters.unblinded) == SUCCESS;
    return read ? "" : "expected true or false";
  }
  if (key == "parameters") {
    object parameters;
    if (value.get(parameters) != SUCCESS) return "expected an object of texts";
    for (const auto& [name, parameter] : parameters) {
      std::string_view text;
      if (parameter.get(text) != SUCCESS) return "'" + std::string(name) + "' is not a text";
      request.parameters.others.insert_or_assign(std::string(name), std::string(text));
    }
    return "";
  }
  std::string* text = key == "report" ? &request.report
                      : key == "site" ? &request.parameters.site
                                      : nullptr;
  if (text == nullptr) return "unknown member";
  std::string_view view;
  if (value.get(view) != SUCCESS || view.empty()) return "expected a text";
  *text = std::string(view);
  return "";
}

// Of one report; their paths begin at its own.
model::Faults read_report(element given, reports::Request& request) {
  object members;
  if (given.get(members) != SUCCESS) return {{"", "expected an object with the member report"}};
  model::Faults faults;
  for (const auto& [key, value] : members) {
    std::string reason = read_member(key, value, request);
    if (!reason.empty()) faults.push_back({"/" + std::string(key), std::move(reason)});
  }
  return faults;
}

// What the principal may not have. A site's own reports are what it means.
model::Faults bind_to_principal(const Principal& principal, reports::Request& request) {
  model::Faults faults;
  std::string& site = request.parameters.site;
  if (!principal.site.empty()) {
    if (site.empty()) site = principal.site;
    if (site != principal.site) faults.push_back({"/site", "this token is of another site"});
  }
  if (request.parameters.unblinded && !principal.unblinded && principal.token != 0) {
    faults.push_back({"/unblinded", "this token must not know of treatments"});
  }
  return faults;
}

std::optional<reports::AsOf> as_of_in(std::string_view text) {
  if (const auto place = reports::parse_place(text)) {
    return reports::AsOf{.ms = place->as_of_ms, .place = place};
  }
  const auto instant = model::parse_instant(text);
  return instant ? std::optional(reports::AsOf{.ms = *instant, .place = {}}) : std::nullopt;
}

void add_below(std::string path, model::Faults from, model::Faults& to) {
  for (model::Fault& fault : from) to.push_back({path + fault.path, std::move(fault.reason)});
}

bool fits_in_a_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

}  // namespace

std::string to_json(const reports::Request& request, const std::optional<reports::AsOf>& as_of) {
  const reports::Parameters& parameters = request.parameters;
  base::JsonWriter json;
  json.begin_object().member("report", request.report).member_if("site", parameters.site);
  if (parameters.unblinded) json.member("unblinded", true);
  if (!parameters.others.empty()) {
    json.key("parameters").begin_object();
    for (const auto& [name, text] : parameters.others) json.member(name, text);
    json.end_object();
  }
  if (as_of) json.member("as_of", reports::to_text(*as_of));
  return json.end_object().take();
}

std::string file_name(const reports::Request& request) {
  const reports::Parameters& parameters = request.parameters;
  std::string name = request.report;
  for (const auto& [parameter, text] : parameters.others) {
    name += parameter == "subject" ? "_" + text : "_" + parameter + "-" + text;
  }
  if (!parameters.site.empty()) name += "_site-" + parameters.site;
  if (parameters.unblinded) name += "_unblinded";
  for (char& c : name) {
    if (!fits_in_a_name(c)) c = '_';
  }
  return name.substr(0, kNameCharsMax);
}

base::Result<ReportRequest, ReportFaults> parse_report_request(std::string_view json,
                                                               const Principal& principal,
                                                               const model::Study& study,
                                                               std::int64_t now_ms) {
  simdjson::dom::parser parser;
  object members;
  if (parser.parse(std::string(json)).get(members) != SUCCESS) {
    return ReportFaults{.faults = {{"", "expected a JSON object with the member reports"}}};
  }
  // As of then a report is of the study as it was then, whose sites are known once it is made.
  simdjson::dom::element unused;
  const bool past = members["as_of"].get(unused) == SUCCESS;
  ReportRequest wanted;
  ReportFaults wrong, forbidden{.status = 403, .faults = {}};
  for (const auto& [key, value] : members) {
    simdjson::dom::array reports;
    std::string_view text;
    if (key == "reports" && value.get(reports) == SUCCESS) {
      for (const element one : reports) {
        const std::string path = "/reports/" + std::to_string(wanted.reports.size());
        reports::Request& request = wanted.reports.emplace_back();
        add_below(path, read_report(one, request), wrong.faults);
        add_below(path, bind_to_principal(principal, request), forbidden.faults);
        if (!wrong.faults.empty()) continue;
        model::Faults faults = check_request(request, study);
        if (past) std::erase_if(faults, [](const auto& fault) { return fault.path == "/site"; });
        add_below(path, std::move(faults), wrong.faults);
      }
    } else if (key == "as_of" && value.get(text) == SUCCESS) {
      wanted.as_of = as_of_in(text);
      if (!wanted.as_of) {
        wrong.faults.push_back({"/as_of", "expected a time with its offset, such as "
                                          "2026-11-26T08:00:00Z, or the positions of a result"});
      } else if (wanted.as_of->ms > now_ms) {
        wrong.faults.push_back({"/as_of", "it lies in the future"});
      }
    } else {
      const bool known = key == "reports" || key == "as_of";
      wrong.faults.push_back(
          {"/" + std::string(key), known ? "expected another type" : "unknown member"});
    }
  }
  if (wrong.faults.empty() && wanted.reports.empty()) {
    wrong.faults.push_back({"/reports", "expected an array of at least one report"});
  }
  if (!forbidden.faults.empty()) return forbidden;
  if (!wrong.faults.empty()) return wrong;
  return wanted;
}

}  // namespace trialward::api
