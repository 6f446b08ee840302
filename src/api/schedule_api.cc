#include "api/schedule_api.h"

#include <optional>
#include <set>

#include "api/answers.h"
#include "api/lists.h"
#include "base/json_writer.h"
#include "epro/subject_plan.h"
#include "model/effective_time.h"
#include "model/schedule.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using epro::OccurrenceState;

constexpr std::string_view kCsv = "text/csv; charset=utf-8; header=present";
constexpr std::string_view kNoSchedule = "the study's definition has no schedule";

// Which occurrences are listed.
struct Wanted {
  std::set<OccurrenceState> states;
  std::optional<std::int64_t> from_day, until_day;

  bool fits(const epro::Occurrence& one) const {
    if (!states.contains(one.state)) return false;
    if (!from_day && !until_day) return true;
    if (!one.times) return false;
    const epro::PlannedTimes& times = *one.times;
    const std::int64_t first = times.windowed ? times.first_day : times.target_day;
    const std::int64_t last = times.windowed ? times.last_day : times.target_day;
    return (!from_day || last >= *from_day) && (!until_day || first <= *until_day);
  }
};

// A walk through the subjects of a study that a principal may see.
struct ScheduleWalk {
  struct Place {
    std::size_t limit = 0;   // rows
    std::int64_t after = 0;  // the subject's row
  };
  Place page;
  StudyPointer study;
  std::string site;  // "": all
  bool of_asked_site = false;
  Wanted wanted;
  const base::Clock* clock = nullptr;
  bool csv = false, begun = false;

  // As rows_of() gives rows.
  Result<std::vector<std::string>> next(store::Connection& connection, bool& at_end) {
    auto places =
        store::read_subjects_after(connection, study->row, page.after, site, kSubjectsOfPage);
    if (!places) return places.error();
    // One that the definition has no longer may still have subjects.
    if (of_asked_site && page.after == 0 && places->empty() &&
        study->study->site(site) == nullptr) {
      return Error{Errc::not_found, "the study has no site '" + site + "'"};
    }
    at_end = places->size() < kSubjectsOfPage;
    std::vector<std::string> rows;
    if (csv && !std::exchange(begun, true)) rows.push_back(epro::csv_head());
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < places->size(); ++i) {
      if (rows.size() >= page.limit || bytes >= kPageBytes) {
        at_end = false;
        break;
      }
      auto plan =
          epro::plan_subject(connection, *study->study, (*places)[i], {.now_ms = clock->utc_ms()});
      if (!plan && !plan.error().of_subject) return plan.error();
      if (!plan) {
        const std::string& reason = plan.error().message;
        rows.push_back(csv ? epro::fault_csv_line((*places)[i], reason)
                           : epro::fault_json((*places)[i], reason));
        bytes += rows.back().size();
        page.after = (*places)[i].id;
        continue;
      }
      for (const epro::Occurrence& one : plan->plan.occurrences) {
        if (!wanted.fits(one)) continue;
        rows.push_back(row(*plan, one));
        bytes += rows.back().size();
      }
      page.after = (*places)[i].id;
    }
    return rows;
  }
  void put_next(base::JsonWriter& json) const { json.member("next", page.after); }

 private:
  std::string row(const epro::SubjectPlan& plan, const epro::Occurrence& one) const {
    if (csv) return epro::csv_line(*study->study, plan, one);
    base::JsonWriter json;
    epro::write_json(json, *study->study, plan, one, true);
    return json.take();
  }
};

// A CSV's lines have their ends already.
NextPage csv_of(ScheduleWalk walk) {
  return [walk](store::Connection& connection) mutable -> Result<Page> {
    Page page;
    auto rows = walk.next(connection, page.last);
    if (!rows) return rows.error();
    for (const std::string& row : *rows) page.text += row;
    return page;
  };
}

// The day in a query member: nothing when it is not there. Errors: invalid.
Result<std::optional<std::int64_t>> day_in(const QueryMembers& query, const char* name) {
  const std::string_view text = query.get(name);
  if (text.empty()) return std::optional<std::int64_t>();
  const auto shown = model::resolve_effective(text, "UTC");
  if (!shown || text.size() != std::string_view("2026-01-31").size()) {
    return base::invalid(std::string(name) + " is not a day such as 2026-01-31");
  }
  return std::optional(model::WallClock::day_of(shown->from_ms));
}

Result<Wanted> wanted_of(const QueryMembers& query) {
  Wanted wanted;
  std::string_view rest = query.get("state");
  if (rest.empty()) rest = "open,late,missed";
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const auto state = epro::parse_occurrence_state(rest.substr(0, comma));
    if (!state) {
      return base::invalid("state is of planned, open, done, late, missed, not-applicable");
    }
    wanted.states.insert(*state);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  auto from = day_in(query, "from");
  if (!from) return from.error();
  auto until = day_in(query, "until");
  if (!until) return until.error();
  wanted.from_day = *from;
  wanted.until_day = *until;
  return wanted;
}

Result<http::Response> answer(store::Connection& connection, const StudyPointer& study,
                              const Principal& principal, const std::string& subject,
                              std::int64_t now_ms) {
  auto row = store::find_subject(connection, study->row, subject);
  if (!row) return row.error();
  if (!*row || (!principal.site.empty() && principal.site != (*row)->site)) {
    return Error{Errc::not_found, "there is no subject '" + subject + "' for this token"};
  }
  const store::SubjectPlace place{.id = (*row)->id,
                                  .subject = subject,
                                  .site = (*row)->site,
                                  .last_record = (*row)->last_record};
  auto plan = epro::plan_subject(connection, *study->study, place, {.now_ms = now_ms});
  if (!plan) return plan.error();
  return http::json_response(200, epro::to_json(*study->study, *plan));
}

}  // namespace

http::Decision ScheduleApi::subject(const Call& call) {
  const std::string& subject = call.parameters.front();
  const Principal& principal = *call.principal;
  if (!principal.subject.empty() && principal.subject != subject) {
    return http::fault_response(404, "there is no subject '" + subject + "' for this token");
  }
  if (principal.reads_one_source()) {
    return http::fault_response(403, "this token may only read '" + principal.source + "'");
  }
  if (!call.study->study->schedule) return http::fault_response(404, std::string(kNoSchedule));
  return http::Accepted{.handler = [this, subject, principal = call.principal,
                                    study = call.study](std::shared_ptr<http::Exchange> exchange) {
    const runtime::Cancel cancel;
    exchange->on_closed([cancel] { cancel.fire(runtime::CancelReason::disconnected); });
    reads_.run(
        ReadClass::view, "subject.schedule", cancel,
        [this, exchange, subject, principal, study](store::Connection& connection) {
          auto response = answer(connection, study, *principal, subject, clock_.utc_ms());
          exchange->respond(response ? std::move(*response) : error_response(response.error()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

http::Decision ScheduleApi::list(const Call& call) {
  const Principal& principal = *call.principal;
  if (!principal.subject.empty()) {
    return http::fault_response(403, "a patient's token reads …/subjects/{subject}/schedule");
  }
  if (principal.reads_one_source()) {
    return http::fault_response(403, "this token may only read '" + principal.source + "'");
  }
  ScheduleWalk walk{.study = call.study, .site = principal.site, .clock = &clock_};
  if (const std::string_view site = call.query.get("site"); !site.empty()) {
    if (!principal.site.empty() && principal.site != site) {
      return http::fault_response(403, "this token may only read site '" + principal.site + "'");
    }
    walk.site = std::string(site);
    walk.of_asked_site = true;
  }
  auto wanted = wanted_of(call.query);
  if (!wanted) return http::fault_response(400, wanted.error().message);
  walk.wanted = std::move(*wanted);
  if (!call.query.get("after").empty()) {
    walk.page.after = number_in(call.query, "after", 0, kIdMax);
    if (walk.page.after <= 0) return http::fault_response(400, "after is not a page's next");
  }
  const std::string_view format = call.query.get("format");
  if (!format.empty() && format != "json" && format != "csv") {
    return http::fault_response(400, "format is json or csv");
  }
  if (!call.study->study->schedule) return http::fault_response(404, std::string(kNoSchedule));
  if (format == "csv") {
    walk.csv = true;
    walk.page.limit = kExportRows;
    return exports_.answer(call, "schedule.export", csv_of(walk), kCsv);
  }
  return answer_list(call, {reads_, exports_}, "schedule", walk);
}

}  // namespace trialward::api
