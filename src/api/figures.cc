#include "api/figures.h"

#include "api/answers.h"
#include "base/json_writer.h"

namespace trialward::api {
namespace {

struct Counts {
  std::int64_t records = 0, subjects = 0, alerts = 0, open_alerts = 0;
};

base::Result<Counts> count(store::Connection& connection, std::int64_t study,
                           const std::string& site) {
  Counts counts;
  const std::string_view place = site;
  struct Part {
    std::int64_t& into;
    std::string_view sql;
  };
  // Records are counted over the whole store: their ids have no gaps, so it costs nothing.
  const Part parts[] = {
      {counts.subjects,
       "SELECT count(*) FROM subjects WHERE study = $1 AND ($2 = '' OR site = $2)"},
      {counts.alerts, "SELECT count(*) FROM alerts WHERE study = $1 AND ($2 = '' OR site = $2)"},
      {counts.open_alerts,
       "SELECT count(*) FROM alert_states t JOIN alerts a ON a.id = t.alert WHERE t.study = $1 AND "
       "t.state IN ('raised', 'delivered') AND ($2 = '' OR a.site = $2)"},
  };
  for (const Part& part : parts) {
    auto number = connection.integer(part.sql, {study, place});
    if (!number) return number.error();
    part.into = *number;
  }
  auto records = connection.integer("SELECT coalesce(max(id), 0) FROM records");
  if (!records) return records.error();
  counts.records = *records;
  return counts;
}

}  // namespace

http::Decision Figures::get(const Call& call) {
  return http::Accepted{.handler = [this, study = call.study, site = call.principal->site](
                                       std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "figures", {},
        [this, exchange, study, site](store::Connection& connection) {
          auto counts = count(connection, study->row, site);
          if (!counts) return exchange->respond(error_response(counts.error()));
          base::JsonWriter json;
          json.begin_object()
              .member("study", study->study->id)
              .member("title", study->study->title)
              .member("records_in_store", counts->records)
              .member("subjects", counts->subjects)
              .member("alerts", counts->alerts)
              .member("open_alerts", counts->open_alerts)
              .key("lanes")
              .begin_array();
          for (const runtime::LaneStats& lane : intake_.lanes()) {
            json.begin_object()
                .member("name", lane.name)
                .member("waiting", std::uint64_t{lane.counts.items})
                .member("oldest_s", base::in_seconds(lane.oldest_age))
                .end_object();
          }
          json.end_array().end_object();
          exchange->respond(http::json_response(200, json.take()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

}  // namespace trialward::api
