// trialward schedule: what a study's subjects are to do by its schedule, have done and have missed,
// and how far they comply. It reads the store as it is, beside a running server, one subject after
// the other, and holds one subject's plan at a time.
#include "model/schedule.h"

#include <CLI/CLI.hpp>
#include <iomanip>
#include <iostream>
#include <memory>
#include <set>
#include <vector>

#include "base/clock.h"
#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/store_flag.h"
#include "cli/stored_study.h"
#include "epro/subject_plan.h"
#include "model/effective_time.h"
#include "store/store.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using epro::Compliance;
using epro::OccurrenceState;
using epro::SubjectPlan;

constexpr std::size_t kSubjectsRead = 200;  // at a time

struct ScheduleArguments {
  std::string store, study, subject, site, at, definition;
  std::vector<std::string> states;
  bool json = false;
};

// What is due: of one subject everything is shown, of a study these.
const std::vector<std::string> kDueStates = {"open", "late"};

// A study's figures, subject by subject.
struct StudyFigures {
  std::vector<Compliance> activities;  // by activity
  Compliance all;
  std::size_t subjects = 0, unscheduled = 0;

  void add(const SubjectPlan& plan) {
    ++subjects;
    unscheduled += plan.plan.unscheduled.size();
    for (const auto& one : plan.plan.occurrences) activities[one.activity].add(one);
    all.add(plan.compliance);
  }
};

class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print() const {
    std::vector<std::size_t> widths(rows_.front().size());
    for (const auto& row : rows_) {
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        const std::string space(widths[i] - row[i].size(), ' ');
        line += i == 0 ? row[i] + space : "  " + space + row[i];
      }
      std::cout << line << '\n';
    }
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

std::vector<std::string> cells_of(std::string name, const Compliance& figures) {
  std::vector<std::string> cells = {std::move(name)};
  const auto add = [&](std::size_t number) { cells.push_back(std::to_string(number)); };
  add(figures.expected());
  add(figures.done());
  add(figures.in_window());
  add(figures.out_of_window());
  add(figures.count(OccurrenceState::late));
  add(figures.count(OccurrenceState::missed));
  add(figures.count(OccurrenceState::open));
  add(figures.count(OccurrenceState::planned));
  add(figures.count(OccurrenceState::not_applicable));
  return cells;
}

void print_figures(const model::Schedule& schedule, const StudyFigures& figures) {
  Table table({"activity", "expected", "done", "in window", "out of it", "late", "missed", "open",
               "planned", "not applicable"});
  for (std::size_t i = 0; i < schedule.activities.size(); ++i) {
    table.add(cells_of(schedule.activities[i].id, figures.activities[i]));
  }
  table.add(cells_of("all", figures.all));
  table.print();
  std::cout << figures.subjects << " subjects, " << figures.unscheduled
            << " records beside the schedule\n";
}

std::string in_words(const model::Study& study, const epro::Occurrence& one) {
  const model::Activity& activity = study.schedule->activities[one.activity];
  std::string text = activity.id;
  if (activity.count > 1) text += " " + std::to_string(one.number);
  if (one.event != 0) text += " of record " + std::to_string(one.event);
  text += ": " + std::string(to_string(one.state));
  if (one.times) {
    const epro::PlannedTimes& times = *one.times;
    const bool clock = times.by_clock;
    text += ", planned for " +
            (clock ? model::format_utc(times.target_ms) : model::day_text(times.target_day));
    if (times.windowed) {
      text += clock ? " (" + model::format_utc(times.from_ms) + " to " +
                          model::format_utc(times.end_ms()) + ")"
                    : " (" + model::day_text(times.first_day) + " to " +
                          model::day_text(times.last_day) + ")";
    }
  }
  if (one.record != 0) {
    text += ", " + (one.effective.empty() ? std::string("without a date") : one.effective) +
            ", record " + std::to_string(one.record);
  }
  if (one.in_window) text += *one.in_window ? ", in window" : ", out of window";
  if (!one.reason.empty()) text += ": " + std::string(one.reason);
  return text;
}

// Where the subjects' plans go as they are made, and what is written in the end.
class PlanPrinter {
 public:
  PlanPrinter(const ScheduleArguments& arguments, const model::Study& study, std::int64_t now_ms)
      : arguments_(arguments), study_(study), now_ms_(now_ms) {
    figures_.activities.resize(study.schedule->activities.size());
    const auto& states = arguments.states.empty() ? kDueStates : arguments.states;
    all_ = arguments.states.empty() && !arguments.subject.empty();
    for (const std::string& name : states) {
      if (const auto state = epro::parse_occurrence_state(name)) shown_.insert(*state);
    }
  }

  void add(const SubjectPlan& plan) {
    if (arguments_.json) {
      std::cout << (figures_.subjects == 0 ? head() : ",") << "\n" << to_json(study_, plan);
    } else {
      print(plan);
    }
    figures_.add(plan);
  }

  void finish() {
    const model::Schedule& schedule = *study_.schedule;
    if (!arguments_.json) return print_figures(schedule, figures_);
    if (figures_.subjects == 0) std::cout << head();
    base::JsonWriter json;
    json.begin_array();
    for (std::size_t i = 0; i < schedule.activities.size(); ++i) {
      json.begin_object().member("activity", schedule.activities[i].id).key("compliance");
      write_json(json, figures_.activities[i]);
      json.end_object();
    }
    json.end_array();
    base::JsonWriter all;
    write_json(all, figures_.all);
    std::cout << "],\n\"activities\":" << json.take() << ",\n\"compliance\":" << all.take()
              << ",\n\"unscheduled\":" << figures_.unscheduled << "}\n";
  }

 private:
  std::string head() const {
    base::JsonWriter json;
    json.begin_object()
        .member("study", study_.id)
        .member("at", model::format_utc(now_ms_))
        .key("subjects")
        .begin_array();
    return json.take();
  }

  void print(const SubjectPlan& plan) const {
    bool named = false;
    for (const epro::Occurrence& one : plan.plan.occurrences) {
      if (!all_ && !shown_.contains(one.state)) continue;
      if (!std::exchange(named, true)) print_name(plan);
      std::cout << "  " << in_words(study_, one) << '\n';
    }
    if (!all_) return;
    if (!named) print_name(plan);
    for (const epro::Unscheduled& one : plan.plan.unscheduled) {
      std::cout << "  beside it: " << model::to_string(one.kind) << ' ' << one.name << ", "
                << one.effective << ", record " << one.record << ": " << one.reason << '\n';
    }
    std::cout << '\n';
  }

  static void print_name(const SubjectPlan& plan) {
    std::cout << plan.subject << ", site " << plan.site << ", " << plan.time_zone;
    if (plan.plan.left) {
      std::cout << ", left on " << model::day_text(plan.plan.left->first_day);
    }
    std::cout << (plan.plan.cut ? ", cut: there is more\n" : "\n");
  }

  const ScheduleArguments& arguments_;
  const model::Study& study_;
  const std::int64_t now_ms_;
  StudyFigures figures_;
  std::set<OccurrenceState> shown_;
  bool all_ = false;
};

Result<epro::PlanTime> time_of(const ScheduleArguments& arguments) {
  if (arguments.at.empty()) return epro::PlanTime{.now_ms = base::SystemClock().utc_ms()};
  const auto instant = model::parse_instant(arguments.at);
  if (!instant) return base::invalid("--at: must be an instant such as 2026-11-26T08:40:00Z");
  return epro::PlanTime{.now_ms = *instant, .known_ms = *instant};
}

Status run_schedule(store::Connection& reader, const ScheduleArguments& arguments) {
  const auto time = time_of(arguments);
  if (!time) return time.error();
  for (const std::string& state : arguments.states) {
    if (!epro::parse_occurrence_state(state)) {
      return base::invalid("--state: must be of planned, open, done, late, missed, not-applicable");
    }
  }
  const auto stored = find_stored_study(reader, arguments.study, arguments.definition);
  if (!stored) return stored.error();
  const model::Study& study = *stored->study;
  if (!study.schedule) return base::invalid("the study's definition has no schedule.toml");
  PlanPrinter printer(arguments, study, time->now_ms);
  if (!arguments.subject.empty()) {
    auto row = store::find_subject(reader, stored->row, arguments.subject);
    if (!row) return row.error();
    if (!*row) return base::invalid("--subject: there is no subject '" + arguments.subject + "'");
    if (!arguments.site.empty() && arguments.site != (*row)->site) {
      return base::invalid("--site: '" + arguments.subject + "' is of site '" + (*row)->site +
                           "', not of '" + arguments.site + "'");
    }
    const store::SubjectPlace place{.id = (*row)->id,
                                    .subject = arguments.subject,
                                    .site = (*row)->site,
                                    .last_record = (*row)->last_record};
    auto plan = epro::plan_subject(reader, study, place, *time);
    if (!plan) return plan.error();
    printer.add(*plan);
    printer.finish();
    return {};
  }
  std::int64_t after = 0;
  bool faulty = false;  // of one there is no plan; the others' are shown all the same
  while (true) {
    auto places =
        store::read_subjects_after(reader, stored->row, after, arguments.site, kSubjectsRead);
    if (!places) return places.error();
    // One that the definition has no longer may still have subjects.
    if (after == 0 && places->empty() && !arguments.site.empty() &&
        study.site(arguments.site) == nullptr) {
      return base::invalid("--site: the study has no site '" + arguments.site + "'");
    }
    for (const store::SubjectPlace& place : *places) {
      after = place.id;
      auto plan = epro::plan_subject(reader, study, place, *time);
      if (plan) {
        printer.add(*plan);
      } else if (plan.error().of_subject) {
        std::cerr << plan.error().message << "\n";
        faulty = true;
      } else {
        return plan.error();
      }
    }
    if (places->size() < kSubjectsRead) break;
  }
  printer.finish();
  if (faulty) return base::Error{Errc::corrupt, "not every subject has a plan"};
  return {};
}

int schedule(const ScheduleArguments& arguments) {
  auto path = locate_store(arguments.store);
  if (!path) return fail(kWrongUse, path.error().message);
  auto reader = store::open_store(*path);
  if (!reader) {
    const bool missing = reader.error().code == Errc::not_found;
    return fail(missing ? kWrongUse : kFailure, "--store: " + reader.error().message);
  }
  const auto done = run_schedule(**reader, arguments);
  if (done && std::cout.flush()) return kSuccess;
  if (done) return fail(kFailure, "the standard output cannot be written");
  return fail(done.error().code == Errc::invalid ? kWrongUse : kFailure, done.error().message);
}

}  // namespace

Run add_schedule(CLI::App& app) {
  auto arguments = std::make_shared<ScheduleArguments>();
  app.add_option("--store", arguments->store, kStoreHelp)->required();
  app.add_option("--study", arguments->study, "The study's id")->required();
  app.add_option("--subject", arguments->subject, "Of this subject, everything");
  app.add_option("--site", arguments->site, "Of one site's subjects only");
  app.add_option("--state", arguments->states,
                 "Show what is in these states (default: open,late; of a subject all)")
      ->delimiter(',');
  app.add_option("--at", arguments->at,
                 "Judge as of this instant (default: now); what happened later is left out");
  app.add_flag("--json", arguments->json, "As JSON, everything");
  app.add_option("--definition", arguments->definition,
                 "Folder of the definition to use (default: the newest in the store)");
  return [arguments] { return schedule(*arguments); };
}

}  // namespace trialward::cli
