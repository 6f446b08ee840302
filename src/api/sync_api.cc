#include "api/sync_api.h"

#include <simdjson.h>

#include "api/answers.h"
#include "api/lists.h"
#include "base/json_writer.h"
#include "model/effective_time.h"
#include "model/schedule.h"

namespace trialward::api {
namespace {

using base::Result;
using store::SyncState;

constexpr std::string_view kSyncCsv = "text/csv; charset=utf-8; header=present";
constexpr std::string_view kNoPartner = "the study's schedule names no partner of this server";
constexpr std::size_t kRunBytesMax = 1 << 10;

std::string time_or_nothing(std::int64_t ms) { return ms == 0 ? "" : model::format_utc(ms); }

// RFC 4180; a text that a spreadsheet would take for a formula is given as a text.
std::string quoted_cell(std::string_view text) {
  const bool formula = !text.empty() && std::string_view("=+-@").find(text.front()) != text.npos;
  if (!formula && text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string all = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') all += '"';
    all += c;
  }
  return all + '"';
}

// A walk through the subjects that a principal may see.
struct SyncWalk {
  store::SyncPage page;
  bool csv = false, begun = false;

  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    auto rows = store::read_sync_subjects(connection, page);
    if (!rows) return rows.error();
    at_end = rows->size() < page.limit;
    std::vector<std::string> lines;
    if (csv && !std::exchange(begun, true)) {
      lines.emplace_back(
          "subject,site,state,out_of_step_since,in_step_at,checked_at,conflicts,version,note\r\n");
    }
    for (const store::SyncSubject& one : *rows) {
      lines.push_back(csv ? csv_line(one) : json_line(one));
      page.after = one.id;
    }
    return lines;
  }
  void put_next(base::JsonWriter& json) const { json.member("next", page.after); }

 private:
  static std::string json_line(const store::SyncSubject& one) {
    base::JsonWriter json;
    json.begin_object()
        .member("subject", one.subject)
        .member("site", one.site)
        .member("state", store::to_string(one.row.state))
        .member("in_step", one.row.out_since_ms == 0 && !one.row.version.empty())
        .member_if("out_of_step_since", time_or_nothing(one.row.out_since_ms))
        .member_if("in_step_at", time_or_nothing(one.row.in_step_ms))
        .member_if("checked_at", time_or_nothing(one.row.checked_ms))
        .member("conflicts", one.row.conflicts)
        .member_if("version", one.row.version)
        .member_if("note", one.row.note)
        .end_object();
    return json.take();
  }
  static std::string csv_line(const store::SyncSubject& one) {
    std::string line;
    for (const std::string& cell :
         {one.subject, one.site, std::string(store::to_string(one.row.state)),
          time_or_nothing(one.row.out_since_ms), time_or_nothing(one.row.in_step_ms),
          time_or_nothing(one.row.checked_ms), std::to_string(one.row.conflicts), one.row.version,
          one.row.note}) {
      line += quoted_cell(cell) + ',';
    }
    line.pop_back();
    return line + "\r\n";
  }
};

NextPage sync_csv_of(SyncWalk walk) {
  return [walk](store::Connection& connection) mutable -> Result<Page> {
    Page page;
    auto rows = walk.next(connection, page.last);
    if (!rows) return rows.error();
    for (const std::string& row : *rows) page.text += row;
    return page;
  };
}

bool is_of_patient(const Call& call) { return !call.principal->subject.empty(); }

// {} or {"dry_run":bool}; nothing for anything else.
std::optional<bool> wants_dry_run(const std::string& body) {
  if (body.empty()) return false;
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object) != simdjson::SUCCESS) return std::nullopt;
  bool dry = false;
  for (const auto& [key, value] : object) {
    if (key != "dry_run" || value.get(dry) != simdjson::SUCCESS) return std::nullopt;
  }
  return dry;
}

// What a site may know: how its own subjects are, and nothing of what cycles came to, which are of
// all sites.
Result<http::Response> summary_of(store::Connection& connection, std::int64_t study,
                                  const std::string& site, schedule::Sync& sync,
                                  std::int64_t out_of_step_max_ms, base::TimePoint now) {
  auto counts = store::count_sync(connection, study, site);
  if (!counts) return counts.error();
  auto mark = store::read_sync_mark(connection, study);
  if (!mark) return mark.error();
  base::JsonWriter json;
  schedule::SyncReport report = sync.report();
  if (!site.empty()) {
    report.running.reset();
    report.task.last_error.reset();
  }
  json.begin_object();
  write_sync(json, report, now);
  if (out_of_step_max_ms > 0) {
    json.member("out_of_step_max_s", static_cast<double>(out_of_step_max_ms) / 1000);
  }
  json.key("subjects").begin_object();
  for (std::size_t i = 0; i < store::kSyncStates; ++i) {
    json.member(store::to_string(static_cast<SyncState>(i)), counts->states[i]);
  }
  json.end_object()
      .member("out_of_step", counts->out_of_step)
      .member_if("oldest_out_of_step_since", time_or_nothing(counts->oldest_out_ms))
      .member_if("changes_read_until", mark->seen_until);
  if (site.empty() && !mark->cycle.empty()) json.raw_member("last_cycle", mark->cycle);
  return http::json_response(200, json.end_object().take());
}

}  // namespace

void write_sync(base::JsonWriter& json, const schedule::SyncReport& report, base::TimePoint now) {
  json.member("partner", report.partner)
      .member("every_s", base::in_seconds(report.every))
      .member("on_duty", report.on_duty)
      .member("running", report.task.running)
      .member("next_in_s", std::max(0.0, base::in_seconds(report.task.next_due - now)))
      .member("lag_s", base::in_seconds(report.lag));
  if (report.task.last_error) json.member("last_error", report.task.last_error->message);
  if (report.running) json.raw_member("cycle", to_json(*report.running));
}

std::vector<Route> SyncApi::routes() {
  using enum Permission;
  const std::string sync = "/v1/studies/{study}/schedule-sync";
  std::vector<Route> routes;
  routes.emplace_back("GET", sync, read_figures,
                      [this](const Call& call) { return summary(call); }, Route::Members{});
  routes.emplace_back("GET", sync + "/subjects", read_figures,
                      [this](const Call& call) { return subjects(call); },
                      Route::Members{"state", "site", "format", "after", "limit"});
  routes.emplace_back("GET", sync + "/dry-run", read_figures,
                      [this](const Call& call) { return dry_run(call); }, Route::Members{});
  routes.emplace_back("POST", sync, manage_deliveries,
                      [this](const Call& call) { return run(call); }, Route::Members{});
  return routes;
}

http::Decision SyncApi::summary(const Call& call) {
  if (is_of_patient(call)) return http::fault_response(403, "it is of the whole study");
  schedule::Sync* sync = find_(call.study->study->id);
  if (sync == nullptr) return http::fault_response(404, std::string(kNoPartner));
  return http::Accepted{.handler = [this, sync, study = call.study,
                                    site = call.principal->site](
                                       std::shared_ptr<http::Exchange> exchange) {
    reads_.run(
        ReadClass::view, "schedule-sync", {},
        [this, exchange, sync, study, site](store::Connection& connection) {
          auto response =
              summary_of(connection, study->row, site, *sync,
                         study->study->schedule->sync->out_of_step_max_ms, clock_.now());
          exchange->respond(response ? std::move(*response) : error_response(response.error()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision SyncApi::subjects(const Call& call) {
  const Principal& principal = *call.principal;
  if (is_of_patient(call)) return http::fault_response(403, "it is of the whole study");
  SyncWalk walk;
  walk.page = {.study = call.study->row, .site = principal.site};
  if (const std::string_view site = call.query.get("site"); !site.empty()) {
    if (!principal.site.empty() && principal.site != site) {
      return http::fault_response(403, "this token may only read site '" + principal.site + "'");
    }
    walk.page.site = std::string(site);
  }
  if (const std::string_view state = call.query.get("state"); !state.empty()) {
    walk.page.state = store::parse_sync_state(state);
    if (!walk.page.state) {
      return http::fault_response(
          400, "state is unknown, in-step, changed, conflicting or unreachable");
    }
  }
  if (!call.query.get("after").empty()) {
    walk.page.after = number_in(call.query, "after", 0, kIdMax);
    if (walk.page.after <= 0) return http::fault_response(400, "after is not a page's next");
  }
  const std::string_view format = call.query.get("format");
  if (!format.empty() && format != "json" && format != "csv") {
    return http::fault_response(400, "format is json or csv");
  }
  if (find_(call.study->study->id) == nullptr) {
    return http::fault_response(404, std::string(kNoPartner));
  }
  if (format != "csv") return answer_list(call, {reads_, exports_}, "subjects", walk);
  walk.csv = true;
  walk.page.limit = kExportRows;
  return exports_.answer(call, "schedule-sync.export", sync_csv_of(walk), kSyncCsv);
}

http::Decision SyncApi::dry_run(const Call& call) {
  if (is_of_patient(call)) return http::fault_response(403, "it is of the whole study");
  if (!call.principal->site.empty()) {
    return http::fault_response(403, "a dry run is of all sites");
  }
  schedule::Sync* sync = find_(call.study->study->id);
  if (sync == nullptr) return http::fault_response(404, std::string(kNoPartner));
  return answer_now([sync] {
    const schedule::SyncReport report = sync->report();
    if (!report.dry) return http::fault_response(404, "there was no dry run since the start");
    base::JsonWriter json;
    json.begin_object().raw_member("cycle", to_json(*report.dry)).key("differences").begin_array();
    for (const std::string& one : report.dry->differences) json.raw(one);
    json.end_array().member("left_out", report.dry->differences_left_out);
    return http::json_response(200, json.end_object().take());
  });
}

http::Decision SyncApi::run(const Call& call) {
  if (!call.principal->site.empty()) {
    return http::fault_response(403, "a cycle is of all sites");
  }
  schedule::Sync* sync = find_(call.study->study->id);
  if (sync == nullptr) return http::fault_response(404, std::string(kNoPartner));
  return http::Accepted{
      .body_bytes_max = kRunBytesMax, .handler = [sync](std::shared_ptr<http::Exchange> exchange) {
        const auto dry = wants_dry_run(exchange->request().body);
        if (!dry) {
          return exchange->respond(
              http::fault_response(422, "expected {} or {\"dry_run\":true or false}"));
        }
        *dry ? sync->dry_run() : sync->run_now();
        base::JsonWriter json;
        json.begin_object().member("accepted", true).member("dry_run", *dry).end_object();
        exchange->respond(http::json_response(202, json.take()));
      }};
}

}  // namespace trialward::api
