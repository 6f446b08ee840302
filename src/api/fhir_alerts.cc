#include "api/fhir_alerts.h"

#include "api/fhir_answers.h"
#include "api/lists.h"
#include "api/searchset.h"
#include "fhir/detected_issue.h"
#include "fhir/resource.h"
#include "fhir/search_text.h"
#include "store/alert_rows.h"
#include "store/record_rows.h"

namespace trialward::api {
namespace {

using base::Result;

constexpr std::size_t kAlertsScanned = 2000;
constexpr std::size_t kAlertsRead = 200;    // at a time
constexpr std::size_t kImplicatedMax = 50;  // references of one alert

}  // namespace

Result<std::string> issue_of(store::Connection& connection, const model::Alert& alert) {
  std::vector<std::string> implicated;
  for (const model::RecordName& name : alert.records) {
    if (implicated.size() == kImplicatedMax) break;
    auto row = store::read_record(connection, name.id);
    if (!row) return row.error();
    if (!*row || ((*row)->stored.flags & model::kPart) != 0) continue;  // it is within another
    model::StoredRecord& stored = (*row)->stored;
    if (stored.record.amends != 0) {
      auto first = store::first_version(connection, name.id);
      if (!first) return first.error();
      stored.first = *first;
    }
    const fhir::ResourceType type = fhir::type_of(stored);
    implicated.push_back(std::string(fhir::to_string(type)) + "/" + fhir::id_of(stored, type));
  }
  return fhir::to_detected_issue(alert, implicated);
}

namespace {

struct AlertFilter {
  std::string subject, code;
  store::AlertPage page;
  std::size_t count = 0;
  std::string query;

  bool fits(const model::Alert& alert) const {
    return (subject.empty() || alert.subject == subject) && (code.empty() || alert.rule == code);
  }
};

Result<http::Response> page_of(store::Connection& connection, AlertFilter filter,
                               const std::string& base) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  std::size_t scanned = 0;
  bool at_end = false;
  while (!at_end && found.size() < filter.count && scanned < kAlertsScanned) {
    auto alerts = store::read_alerts(connection, filter.page);
    if (!alerts) return alerts.error();
    at_end = alerts->size() < filter.page.limit;
    scanned += alerts->size();
    for (const model::Alert& alert : *alerts) {
      if (found.size() == filter.count) {
        at_end = false;
        break;
      }
      filter.page.after = alert.id;
      if (!filter.fits(alert)) continue;
      auto issue = issue_of(connection, alert);
      if (!issue) return issue.error();
      found.emplace_back(alert.id, std::move(*issue));
    }
  }
  Searchset bundle("searchset", base);
  bundle.link_pages("DetectedIssue", filter.query,
                    at_end ? std::string() : std::to_string(filter.page.after));
  bundle.begin();
  for (const auto& [id, issue] : found) {
    bundle.entry("DetectedIssue/" + std::to_string(id), issue, "match").end_object();
  }
  return fhir_response(200, bundle.end());
}

}  // namespace

http::Decision FhirAlerts::one(const Call& call) {
  const std::int64_t alert = id_in(call.parameters[0]);
  const std::string none = "there is no DetectedIssue/" + call.parameters[0];
  if (alert == 0) return outcome_response(404, none);
  const store::AlertPage page{.study = call.study->row,
                              .after = alert - 1,
                              .until = alert,
                              .site = call.principal->site,
                              .limit = 1};
  return answer_read(reads_, "fhir.alert",
                     [page, none](store::Connection& connection) -> Result<http::Response> {
                       auto alerts = store::read_alerts(connection, page);
                       if (!alerts) return alerts.error();
                       if (alerts->empty()) return outcome_response(404, none);
                       auto issue = issue_of(connection, alerts->front());
                       if (!issue) return issue.error();
                       return fhir_response(200, std::move(*issue));
                     });
}

http::Decision FhirAlerts::search(const Call& call) {
  AlertFilter filter{.subject = std::string(fhir::subject_sought(call.query.get("patient"))),
                     .code = std::string(call.query.get("code"))};
  filter.code.erase(0, filter.code.rfind('|') + 1);
  filter.page = {.study = call.study->row, .site = call.principal->site, .limit = kAlertsRead};
  const std::string_view status = call.query.get("status");
  if (status == "preliminary") {
    filter.page.status = "open";
  } else if (status == "final") {
    filter.page.status = "acknowledged";
  } else if (!status.empty()) {
    return outcome_response(400, "status is preliminary or final");
  }
  const std::int64_t count = number_in(call.query, "_count", kPageDefault, kPageMax);
  if (count <= 0) return outcome_response(400, "_count is not a number from 1 to 500");
  filter.count = static_cast<std::size_t>(count);
  if (!call.query.get("_cursor").empty()) {
    filter.page.after = number_in(call.query, "_cursor", 0, kIdMax);
    if (filter.page.after <= 0) return outcome_response(400, "_cursor comes from a next link");
  }
  for (const auto& [name, value] : call.query.all()) {
    if (name == "_cursor") continue;
    filter.query += (filter.query.empty() ? "" : "&") + name + "=" + percent_encode(value);
  }
  return answer_read(reads_, "fhir.alerts",
                     [filter, base = fhir_base(call.head)](store::Connection& connection) {
                       return page_of(connection, filter, base);
                     });
}

}  // namespace trialward::api
