#include "api/grades_api.h"

#include "api/answers.h"
#include "base/json_writer.h"
#include "ctcae/subject_grades.h"
#include "store/record_rows.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr std::size_t kChainRows = 500;  // read at a time

// The latest of a subject's records, newest first; `all` is false when there are more.
Result<std::vector<model::StoredRecord>> latest_records(store::Connection& connection,
                                                        std::int64_t newest, bool& all) {
  std::vector<model::StoredRecord> records;
  std::int64_t from = newest;
  while (from != 0 && records.size() < kGradedRecordsMax) {
    auto rows = store::read_chain(connection, from, kChainRows);
    if (!rows) return rows.error();
    if (rows->empty()) break;
    from = rows->back().links.previous;
    for (store::RecordRow& row : *rows) records.push_back(std::move(row.stored));
  }
  all = from == 0;
  return records;
}

Result<http::Response> answer(store::Connection& connection, const StudyPointer& study,
                              const Principal& principal, const std::string& subject) {
  auto row = store::find_subject(connection, study->row, subject);
  if (!row) return row.error();
  if (!*row || (!principal.site.empty() && principal.site != (*row)->site)) {
    return Error{Errc::not_found, "there is no subject '" + subject + "' for this token"};
  }
  auto grading = ctcae::StudyGrading::make(*study->study);
  if (!grading || grading->criteria() == nullptr) {
    return Error{Errc::not_found, "the study's definition names no version of the CTCAE"};
  }
  bool all = true;
  auto records = latest_records(connection, (*row)->last_record, all);
  if (!records) return records.error();
  base::JsonWriter json;
  json.begin_object()
      .member("subject", subject)
      .member("site", (*row)->site)
      .member("version", grading->criteria()->full_version)
      .member("complete", all);
  json.key("grades").begin_array();
  for (const auto& graded : ctcae::grades_of(*grading, *study->study, *records)) {
    json.raw(ctcae::to_json(*grading->criteria(), graded));
  }
  return http::json_response(200, json.end_array().end_object().take());
}

}  // namespace

http::Decision GradesApi::subject_grades(const Call& call) {
  return http::Accepted{.handler = [this, subject = call.parameters.front(),
                                    principal = call.principal,
                                    study = call.study](std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "subject.grades", {},
        [exchange, subject, principal, study](store::Connection& connection) {
          auto response = answer(connection, study, *principal, subject);
          exchange->respond(response ? std::move(*response) : error_response(response.error()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

}  // namespace trialward::api
