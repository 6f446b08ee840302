#include "epro/subject_plan.h"

#include <array>
#include <utility>

#include "base/check.h"
#include "base/json_writer.h"
#include "model/effective_time.h"
#include "store/record_rows.h"

namespace trialward::epro {
namespace {

using base::Errc;
using base::Result;
using model::day_text;
using model::format_utc;

PlanError of_subject(const store::SubjectPlace& subject, Errc code, const std::string& what) {
  return {{code, "subject '" + subject.subject + "': " + what}, true};
}

Result<SubjectFacts, PlanError> read_facts(store::Connection& connection,
                                           const model::Schedule& schedule,
                                           const model::WallClock& clock,
                                           const store::SubjectPlace& subject) {
  FactCollector collector(schedule, clock);
  std::size_t read = 0;
  for (std::int64_t from = subject.last_record; from != 0;) {
    auto page = store::read_history(connection, from, kHistoryRows);
    if (!page) return PlanError{page.error()};
    read += page->records.size();
    if (read > kSubjectRecordsMax) {
      return of_subject(subject, Errc::refused,
                        "more than " + std::to_string(kSubjectRecordsMax) + " records");
    }
    for (const model::StoredRecord& record : page->records) {
      if (auto added = collector.add(record); !added) {
        return of_subject(subject, added.error().code, added.error().message);
      }
    }
    from = page->next;
  }
  return std::move(collector).finish();
}

// What a list says of an occurrence, as texts; "" where there is nothing to say.
struct Cells {
  std::string target, first, last, from, until;
};

Cells cells_of(const Occurrence& occurrence) {
  Cells cells;
  if (!occurrence.times) return cells;
  const PlannedTimes& times = *occurrence.times;
  cells.target = times.by_clock ? format_utc(times.target_ms) : day_text(times.target_day);
  if (!times.windowed) return cells;
  cells.first = day_text(times.first_day);
  cells.last = day_text(times.last_day);
  cells.from = format_utc(times.from_ms);
  cells.until = format_utc(times.end_ms());
  return cells;
}

// RFC 4180. A text that a spreadsheet would take for a formula is given as a text.
std::string csv_cell(std::string_view text) {
  const bool formula = !text.empty() && std::string_view("=+-@").find(text.front()) != text.npos;
  if (!formula && text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string all = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') all += '"';
    all += c;
  }
  return all + '"';
}

void write_unscheduled(base::JsonWriter& json, const Plan& plan) {
  json.key("unscheduled").begin_array();
  for (const Unscheduled& one : plan.unscheduled) {
    json.begin_object()
        .member("record", one.record)
        .member("kind", model::to_string(one.kind))
        .member("code", one.name)
        .member_if("effective", one.effective)
        .member("reason", one.reason)
        .end_object();
  }
  json.end_array();
}

}  // namespace

Result<SubjectPlan, PlanError> plan_subject(store::Connection& connection,
                                            const model::Study& study,
                                            const store::SubjectPlace& subject,
                                            const PlanTime& time) {
  TW_CHECK(study.schedule != nullptr);
  const model::Site* site = study.site(subject.site);
  if (!site) {
    return of_subject(subject, Errc::invalid,
                      "the definition has no site '" + subject.site + "'");
  }
  const auto clock = model::WallClock::of(site->time_zone);
  if (!clock) return of_subject(subject, clock.error().code, clock.error().message);
  auto facts = read_facts(connection, *study.schedule, *clock, subject);
  if (!facts) return facts.error();
  SubjectPlan plan{.subject = subject.subject,
                   .site = subject.site,
                   .time_zone = site->time_zone,
                   .now_ms = time.now_ms};
  plan.plan = make_plan(*study.schedule, *facts, *clock,
                        {.site = subject.site, .now_ms = time.now_ms, .known_ms = time.known_ms});
  for (const Occurrence& one : plan.plan.occurrences) plan.compliance.add(one);
  if (study.schedule->sync) {
    auto appointments = store::read_appointments(connection, subject.id);
    if (!appointments) return PlanError{appointments.error()};
    plan.appointments = std::move(*appointments);
  }
  return plan;
}

void write_json(base::JsonWriter& json, const model::Study& study, const SubjectPlan& plan,
                const Occurrence& occurrence, bool with_subject) {
  const model::Activity& activity = study.schedule->activities[occurrence.activity];
  json.begin_object();
  if (with_subject) json.member("subject", plan.subject).member("site", plan.site);
  json.member("activity", activity.id).member_if("title", activity.title);
  json.member_if("visit", activity.visit);
  if (!activity.is_visit()) {
    json.key("questionnaire").begin_array();
    for (const std::string& code : activity.codes) json.value(code);
    json.end_array();
  }
  json.member("number", occurrence.number);
  if (occurrence.event != 0) json.member("event", occurrence.event);
  json.member("state", to_string(occurrence.state));
  const Cells cells = cells_of(occurrence);
  json.member_if("target", cells.target);
  if (!cells.from.empty()) {
    json.key("window")
        .begin_object()
        .member("first_day", cells.first)
        .member("last_day", cells.last)
        .member("from", cells.from)
        .member("until", cells.until)
        .end_object();
  }
  if (occurrence.record != 0) json.member("record", occurrence.record);
  json.member_if("effective", occurrence.effective);
  if (occurrence.in_window) json.member("in_window", *occurrence.in_window);
  for (const store::AppointmentRow& one : plan.appointments) {
    if (one.activity != activity.id || one.number != occurrence.number ||
        one.event != occurrence.event) {
      continue;
    }
    json.key("appointment").begin_object().member("status", one.state);
    if (one.start_ms != 0) json.member("start", format_utc(one.start_ms));
    json.end_object();
  }
  json.member_if("reason", occurrence.reason).end_object();
}

std::string to_json(const model::Study& study, const SubjectPlan& plan) {
  base::JsonWriter json;
  json.begin_object()
      .member("subject", plan.subject)
      .member("site", plan.site)
      .member("time_zone", plan.time_zone)
      .member("at", format_utc(plan.now_ms));
  if (plan.plan.left) json.member("left", day_text(plan.plan.left->first_day));
  if (plan.plan.cut) json.member("cut", true);
  json.key("compliance");
  write_json(json, plan.compliance);
  json.key("activities").begin_array();
  for (const Occurrence& one : plan.plan.occurrences) write_json(json, study, plan, one, false);
  json.end_array();
  write_unscheduled(json, plan.plan);
  return json.end_object().take();
}

namespace {

using Columns = std::array<std::string, 16>;  // of csv_head()
constexpr std::string_view kFaultState = "fault";

std::string line_of(const Columns& columns) {
  std::string line;
  for (const std::string& column : columns) line += csv_cell(column) + ',';
  line.pop_back();
  return line + "\r\n";
}

}  // namespace

std::string csv_head() {
  return "subject,site,activity,title,number,event,state,target,first_day,last_day,from,until,"
         "record,effective,in_window,reason\r\n";
}

std::string csv_line(const model::Study& study, const SubjectPlan& plan,
                     const Occurrence& occurrence) {
  const model::Activity& activity = study.schedule->activities[occurrence.activity];
  const Cells cells = cells_of(occurrence);
  const auto id = [](std::int64_t given) { return given == 0 ? "" : std::to_string(given); };
  const auto flag = [](std::optional<bool> given) -> std::string {
    return !given ? "" : *given ? "true" : "false";
  };
  const Columns columns = {plan.subject,
                           plan.site,
                           activity.id,
                           activity.title,
                           std::to_string(occurrence.number),
                           id(occurrence.event),
                           std::string(to_string(occurrence.state)),
                           cells.target,
                           cells.first,
                           cells.last,
                           cells.from,
                           cells.until,
                           id(occurrence.record),
                           occurrence.effective,
                           flag(occurrence.in_window),
                           std::string(occurrence.reason)};
  return line_of(columns);
}

std::string fault_json(const store::SubjectPlace& subject, std::string_view reason) {
  base::JsonWriter json;
  json.begin_object().member("subject", subject.subject).member("site", subject.site);
  json.member("state", kFaultState).member("reason", reason);
  return json.end_object().take();
}

std::string fault_csv_line(const store::SubjectPlace& subject, std::string_view reason) {
  Columns columns;
  columns[0] = subject.subject;
  columns[1] = subject.site;
  columns[6] = kFaultState;
  columns[15] = reason;
  return line_of(columns);
}

}  // namespace trialward::epro
