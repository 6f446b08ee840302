#include "api/reads_api.h"

#include "api/lists.h"
#include "store/record_rows.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;

// A walk through the records of a study that a principal may see.
struct RecordWalk {
  store::RecordPage page;
  std::string site;
  bool unblinded = false;

  // The records of the next page, as JSON; it ends early at kPageBytes. `at_end` when there are
  // none behind it.
  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    if (page.until_id == 0) {
      auto last = store::last_record(connection);
      if (!last) return last.error();
      page.until_id = *last;
    }
    auto rows = store::read_page(connection, page);
    if (!rows) return rows.error();
    at_end = rows->size() < page.limit;
    std::vector<std::string> records;
    std::size_t bytes = 0;
    for (const store::RecordRow& row : *rows) {
      if (bytes >= kPageBytes) {
        at_end = false;
        break;
      }
      const model::Record& record = row.stored.record;
      if (site.empty() || record.site == site) {
        records.push_back(model::to_json(row.stored, unblinded));
        bytes += records.back().size();
      }
      page.after_id = row.stored.id;
      page.after_source_id = record.source_id;
    }
    return records;
  }
  void put_next(base::JsonWriter& json) const {
    json.member("next", page.source.empty() ? std::to_string(page.after_id) : page.after_source_id);
  }
};

}  // namespace

http::Decision ReadsApi::records(const Call& call) {
  const Principal& principal = *call.principal;
  if (!principal.subject.empty()) {
    return http::fault_response(403, "a patient's token reads …/subjects/{subject}/records");
  }
  RecordWalk walk{.site = principal.site, .unblinded = principal.unblinded};
  walk.page.study = call.study->row;
  walk.page.source = std::string(call.query.get("source"));
  if (!principal.source.empty()) {
    if (!walk.page.source.empty() && walk.page.source != principal.source) {
      return http::fault_response(403, "this token may only read '" + principal.source + "'");
    }
    walk.page.source = principal.source;
  }
  const std::string_view after = call.query.get("after");
  if (walk.page.source.empty() && !after.empty()) {
    walk.page.after_id = number_in(call.query, "after", 0, kIdMax);
    if (walk.page.after_id <= 0) return http::fault_response(400, "after is not a record's id");
  }
  walk.page.after_source_id = std::string(after);
  return answer_list(call, {reads_, exports_}, "records", walk);
}

http::Decision ReadsApi::subject_records(const Call& call) {
  const std::string& subject = call.parameters.front();
  const std::int64_t limit = number_in(call.query, "limit", kPageDefault, kPageMax);
  const std::int64_t from = number_in(call.query, "from", kIdMax, kIdMax);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 500");
  if (from <= 0) return http::fault_response(400, "from is not a record's id");
  const std::string not_there = "there is no subject '" + subject + "' for this token";
  if (!call.principal->subject.empty() && call.principal->subject != subject) {
    return http::fault_response(404, not_there);
  }
  return http::Accepted{.handler = [this, subject, limit, from, not_there,
                                    principal = call.principal,
                                    study = call.study](std::shared_ptr<http::Exchange> exchange) {
    const auto answer = [=](store::Connection& connection) -> Result<http::Response> {
      auto row = store::find_subject(connection, study->row, subject);
      if (!row) return row.error();
      if (!*row || (!principal->site.empty() && principal->site != (*row)->site)) {
        return Error{Errc::not_found, not_there};
      }
      std::int64_t first = (*row)->last_record;
      if (from < first) {
        // Only a record of the subject is a place in its chain.
        auto record = store::read_record(connection, from);
        if (!record) return record.error();
        if (!*record || (*record)->links.subject != (*row)->id) {
          return Error{Errc::not_found, "from is not a record of this subject"};
        }
        first = from;
      }
      auto records = store::read_chain(connection, first, static_cast<std::size_t>(limit));
      if (!records) return records.error();
      base::JsonWriter json;
      json.begin_object().member("subject", subject).member("site", (*row)->site);
      json.key("records").begin_array();
      for (const store::RecordRow& one : *records) {
        const std::string& source = one.stored.record.source;
        if (!principal->source.empty() && principal->source != source) continue;
        json.raw(model::to_json(one.stored, principal->unblinded));
      }
      json.end_array();
      if (!records->empty() && records->back().links.previous != 0) {
        json.member("next", records->back().links.previous);
      }
      return http::json_response(200, json.end_object().take());
    };
    reads_.run(
        ReadClass::view, "subject.records", {},
        [exchange, answer](store::Connection& connection) {
          auto response = answer(connection);
          exchange->respond(response ? std::move(*response) : error_response(response.error()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

}  // namespace trialward::api
