// Lists of single adverse events.
#include <algorithm>
#include <tuple>

#include "reports/catalogue.h"
#include "reports/emergent.h"
#include "reports/event_table.h"

namespace trialward::reports {
namespace {

using base::Status;

// As SDTM names them; an attribute that is absent leaves its cell empty.
constexpr const char* kTerm = "aeterm";
constexpr const char* kEnd = "aeendtc";
constexpr const char* kRelation = "aerel";
constexpr const char* kAction = "aeacn";
constexpr const char* kOutcome = "aeout";

// What makes an event serious, each "Y" or not; in SDTM's variables for events.
constexpr std::pair<const char*, const char*> kCriteria[] = {{"aesdth", "death"},
                                                             {"aeslife", "life-threatening"},
                                                             {"aeshosp", "hospitalisation"},
                                                             {"aesdisab", "disability"},
                                                             {"aescong", "congenital anomaly"},
                                                             {"aescan", "cancer"},
                                                             {"aesod", "overdose"},
                                                             {"aesintv", "needs intervention"},
                                                             {"aesmie", "medically important"}};

// "death, hospitalisation"; "fatal" where only the outcome or the toxicity grade says so.
std::string criteria_of(const Dataset& data, const Entry& event) {
  std::string all;
  const auto add = [&](const char* words) {
    all += (all.empty() ? "" : ", ") + std::string(words);
  };
  for (const auto& [name, words] : kCriteria) {
    if (data.attribute(event, name) == "Y") add(words);
  }
  const bool fatal =
      data.attribute(event, kOutcome) == "FATAL" || data.attribute(event, "aetoxgr") == "5";
  if (fatal && !all.starts_with("death")) add("fatal");
  return all;
}

// Empty where either is not known to the day.
Cell days_from_first_dose(const Subject& subject, const Entry& event) {
  const auto first = day_number(subject.first_dose), day = day_number(event.date);
  if (!first || !day) return {};
  const int days = *day - *first;
  return Cell::of_number(days < 0 ? days : days + 1, 0);  // SDTM knows no day 0
}

Row row_of(const Context& context, const Entry& event) {
  const Dataset& data = context.data;
  const Subject& subject = data.subjects[event.subject];
  Row row;
  const auto put = [&](std::string_view text) {
    row.cells.push_back(Cell::words(std::string(text)));
  };
  put(subject.id);
  row.cells.back().drill.add_record(event.record);
  put(subject.site);
  if (context.parameters.unblinded) {
    const auto& arms = context.settings().arms;
    put(subject.arm == kNoArm ? std::string_view()
                              : std::string_view(arms[static_cast<std::size_t>(subject.arm)].name));
  }
  put(body_system(data, event));
  put(data.text(event.code));
  put(data.attribute(event, kTerm));
  put(to_string(event.date));
  row.cells.push_back(days_from_first_dose(subject, event));
  put(to_string(parse_date(data.attribute(event, kEnd))));
  put(treatment_emergent(data, event) ? "yes" : "no");
  put(data.text(event.severity));
  put(event.serious ? "yes" : "no");
  put(data.attribute(event, kRelation));
  put(data.attribute(event, kAction));
  put(data.attribute(event, kOutcome));
  put(criteria_of(data, event));
  return row;
}

bool in_order(const Context& context, const Entry* a, const Entry* b) {
  const auto key = [&](const Entry& one) {
    return std::tuple(one.subject, one.date.year, one.date.month, one.date.day, one.at_ms,
                      context.data.text(one.code), one.record);
  };
  return key(*a) < key(*b);
}

}  // namespace

Status write_event_list(const Context& context, const TableHead& named,
                        const std::vector<const Entry*>& events, Sink& sink) {
  TableHead head = named;
  std::vector<const char*> labels = {"Subject", "Site"};
  if (context.parameters.unblinded) labels.push_back("Arm");
  for (const char* label : {"Body system", "Preferred term", "Reported term", "Start", "Day", "End",
                            "Treatment-emergent", "Severity", "Serious", "Relation", "Action",
                            "Outcome", "Seriousness criteria"}) {
    labels.push_back(label);
  }
  for (const std::string_view label : labels) {
    head.columns.push_back({.label = std::string(label), .words = label != "Day"});
  }
  if (auto done = sink.table(head); !done) return done;
  std::vector<const Entry*> sorted = events;
  std::sort(sorted.begin(), sorted.end(),
            [&](const Entry* a, const Entry* b) { return in_order(context, a, b); });
  for (const Entry* event : sorted) {
    if (auto going = context.check(); !going) return going;
    if (auto done = sink.row(row_of(context, *event)); !done) return done;
  }
  const std::string notes[] = {"Day: 1 is the day of the first dose, -1 the day before."};
  return sink.end_table(notes);
}

Status write_adverse_event_listing(const Context& context, Sink& sink) {
  std::vector<const Entry*> events;
  for (const Entry& one : context.data.adverse_events) {
    if (context.in_scope(context.data.subjects[one.subject])) events.push_back(&one);
  }
  return write_event_list(context, {"events", "Adverse events", {}}, events, sink);
}

Status write_serious_adverse_events(const Context& context, Sink& sink) {
  auto done = write_event_table(context,
                                {.id = "serious-adverse-events",
                                 .title = "Incidence of treatment-emergent serious adverse events",
                                 .any_label = "ANY BODY SYSTEM",
                                 .serious_only = true},
                                sink);
  if (!done) return done;
  // A death that nobody flagged must not be missed by who reads this report alone.
  std::vector<const Entry*> flagged, not_flagged;
  for (const Entry& one : context.data.adverse_events) {
    if (!context.in_scope(context.data.subjects[one.subject])) continue;
    if (one.serious) {
      flagged.push_back(&one);
    } else if (!criteria_of(context.data, one).empty()) {
      not_flagged.push_back(&one);
    }
  }
  done = write_event_list(context, {"events", "All serious adverse events", {}}, flagged, sink);
  if (!done) return done;
  return write_event_list(
      context,
      {"not-flagged",
       "Fatal, or with a seriousness criterion, but not flagged as serious: not counted above",
       {}},
      not_flagged, sink);
}

}  // namespace trialward::reports
