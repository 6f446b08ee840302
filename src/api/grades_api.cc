#include "api/grades_api.h"

#include <algorithm>

#include "api/answers.h"
#include "api/lists.h"
#include "base/json_writer.h"
#include "ctcae/subject_grades.h"
#include "store/record_rows.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr std::size_t kChainRows = 100;  // read, and held, at a time

struct GradesPage {
  std::string subject;
  std::size_t values = 0;
  std::int64_t from = kIdMax;  // the newest record, by its id
};

// Gives the grader all of the subject's records, newest first; false when there are too many.
Result<bool> read_all(store::Connection& connection, std::int64_t newest,
                      ctcae::SubjectGrader& grader) {
  std::size_t searched = 0;
  for (std::int64_t from = newest; from != 0;) {
    if (searched >= kSearchedRecordsMax) return false;
    auto rows = store::read_chain(connection, from,
                                  std::min(kChainRows, kSearchedRecordsMax - searched));
    if (!rows) return rows.error();
    if (rows->empty()) break;
    searched += rows->size();
    from = rows->back().links.previous;
    for (const store::RecordRow& row : *rows) grader.add(row.stored);
  }
  return true;
}

Result<http::Response> answer(store::Connection& connection, const StudyPointer& study,
                              const Principal& principal, const GradesPage& page) {
  auto row = store::find_subject(connection, study->row, page.subject);
  if (!row) return row.error();
  if (!*row || (!principal.site.empty() && principal.site != (*row)->site)) {
    return Error{Errc::not_found, "there is no subject '" + page.subject + "' for this token"};
  }
  auto grading = ctcae::StudyGrading::make(*study->study);
  if (!grading || grading->criteria() == nullptr) {
    return Error{Errc::not_found, "the study's definition names no version of the CTCAE"};
  }
  ctcae::SubjectGrader grader(*grading, *study->study, page.values, page.from);
  const auto all = read_all(connection, (*row)->last_record, grader);
  if (!all) return all.error();
  const std::int64_t next = grader.next();
  base::JsonWriter json;
  json.begin_object()
      .member("subject", page.subject)
      .member("site", (*row)->site)
      .member("version", grading->criteria()->full_version)
      .member("complete", *all);
  json.key("grades").begin_array();
  const auto grades = std::move(grader).finish(*all);
  for (const auto& graded : grades.grades) {
    json.raw(ctcae::to_json(*grading->criteria(), graded));
  }
  json.end_array();
  if (next != 0) json.member("next", next);
  return http::json_response(200, json.end_object().take());
}

}  // namespace

http::Decision GradesApi::subject_grades(const Call& call) {
  constexpr auto kValuesMax = static_cast<std::int64_t>(kGradedValuesMax);
  const std::int64_t limit = number_in(call.query, "limit", kValuesMax, kValuesMax);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 1000");
  GradesPage page{.subject = call.parameters.front(),
                  .values = static_cast<std::size_t>(limit),
                  .from = number_in(call.query, "from", kIdMax, kIdMax)};
  if (page.from <= 0) return http::fault_response(400, "from is not a record's id");
  return http::Accepted{.handler = [this, page = std::move(page), principal = call.principal,
                                    study = call.study](std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "subject.grades", {},
        [exchange, page, principal, study](store::Connection& connection) {
          auto response = answer(connection, study, *principal, page);
          exchange->respond(response ? std::move(*response) : error_response(response.error()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

}  // namespace trialward::api
