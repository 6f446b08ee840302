#include "api/grades_api.h"

#include <algorithm>
#include <optional>

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
  std::int64_t from = 0;   // the newest record, by its id; 0: `as_of`
  std::int64_t as_of = 0;  // the newest there is for all pages; 0: the subject's
};

// Gives the grader the subject's records from one of them on, newest first, until it has no room if
// `listing`. Answers the first that was not given: 0 for none, else there are too many.
Result<std::int64_t> read(store::Connection& connection, std::int64_t from, std::int64_t as_of,
                          bool listing, ctcae::SubjectGrader& grader) {
  std::size_t searched = 0;
  while (from != 0 && searched < kSearchedRecordsMax && !(listing && grader.next() != 0)) {
    auto rows = store::read_chain(connection, from,
                                  std::min(kChainRows, kSearchedRecordsMax - searched), as_of);
    if (!rows) return rows.error();
    if (rows->empty()) break;
    searched += rows->size();
    from = rows->back().links.previous;
    for (const store::RecordRow& row : *rows) grader.add(row.stored);
  }
  return from;
}

// The page's `from` and `as_of`, as far as they were not given.
Result<GradesPage> placed(store::Connection& connection, const store::SubjectRow& subject,
                          GradesPage page) {
  for (const std::int64_t id : {page.from, page.as_of}) {
    if (id == 0) continue;
    auto row = store::read_record(connection, id);
    if (!row) return row.error();
    if (!*row || (*row)->links.subject != subject.id) {
      return Error{Errc::not_found, "record " + std::to_string(id) + " is not one of '" +
                                        page.subject + "'"};
    }
  }
  if (page.as_of == 0) page.as_of = subject.last_record;
  if (page.from == 0) page.from = page.as_of;
  return page;
}

Result<http::Response> answer(store::Connection& connection, const StudyPointer& study,
                              const Principal& principal, const GradesPage& wish) {
  auto row = store::find_subject(connection, study->row, wish.subject);
  if (!row) return row.error();
  if (!*row || (!principal.site.empty() && principal.site != (*row)->site)) {
    return Error{Errc::not_found, "there is no subject '" + wish.subject + "' for this token"};
  }
  const auto page = placed(connection, **row, wish);
  if (!page) return page.error();
  auto grading = ctcae::StudyGrading::make(*study->study);
  if (!grading || grading->criteria() == nullptr) {
    return Error{Errc::not_found, "the study's definition names no version of the CTCAE"};
  }
  std::optional<ctcae::SubjectGrader> grader;
  grader.emplace(*grading, *study->study, page->values, page->from);
  auto rest = read(connection, page->as_of, page->as_of, false, *grader);
  if (!rest) return rest.error();
  const bool all = *rest == 0;
  if (!all) {
    // Then the page is looked for from where it begins, which may be further on.
    grader.emplace(*grading, *study->study, page->values, page->from);
    rest = read(connection, page->from, page->as_of, true, *grader);
    if (!rest) return rest.error();
  }
  const std::int64_t next = grader->next() != 0 ? grader->next() : *rest;
  base::JsonWriter json;
  json.begin_object()
      .member("subject", page->subject)
      .member("site", (*row)->site)
      .member("version", grading->criteria()->full_version)
      .member("complete", all);
  json.key("grades").begin_array();
  const auto grades = std::move(*grader).finish(all);
  for (const auto& graded : grades.grades) {
    json.raw(ctcae::to_json(*grading->criteria(), graded));
  }
  json.end_array();
  if (next != 0) json.member("next", next).member("as_of", page->as_of);
  return http::json_response(200, json.end_object().take());
}

}  // namespace

http::Decision GradesApi::subject_grades(const Call& call) {
  constexpr auto kValuesMax = static_cast<std::int64_t>(kGradedValuesMax);
  const std::int64_t limit = number_in(call.query, "limit", kValuesMax, kValuesMax);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 1000");
  GradesPage page{.subject = call.parameters.front(),
                  .values = static_cast<std::size_t>(limit),
                  .from = number_in(call.query, "from", 0, kIdMax),
                  .as_of = number_in(call.query, "as_of", 0, kIdMax)};
  for (const char* name : {"from", "as_of"}) {
    if (!call.query.get(name).empty() && number_in(call.query, name, 0, kIdMax) <= 0) {
      return http::fault_response(400, std::string(name) + " is not a record's id");
    }
  }
  if ((page.from == 0) != (page.as_of == 0) || page.from > page.as_of) {
    return http::fault_response(400, "from and as_of go together: a page's next and as_of");
  }
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
