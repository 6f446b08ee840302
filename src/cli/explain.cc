// trialward explain: why an alert fired, or why a record raised none. It reads the store as it is,
// beside a running server, and judges the subject's records again, in the order in which they came,
// under the definition that was in force.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <ranges>

#include "cli/command.h"
#include "cli/number_range.h"
#include "cli/rule_text.h"
#include "cli/store_flag.h"
#include "cli/study_folder.h"
#include "model/effective_time.h"
#include "store/alert_rows.h"
#include "store/record_rows.h"
#include "store/store.h"
#include "store/study_rows.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

// A subject with more records is judged by its newest only, and told so.
constexpr std::size_t kShownMax = 100'000;

struct ExplainArguments {
  std::string store, what;
  std::int64_t id = 0;
  bool unblinded = false;
};

std::string range_text(const model::Range& range) {
  if (!range.given()) return "";
  return ", range " + (range.low_text.empty() ? "…" : range.low_text) + " to " +
         (range.high_text.empty() ? "…" : range.high_text);
}

std::string record_text(const model::StoredRecord& stored, bool unblinded) {
  const model::Record& record = stored.record;
  std::string text = "record " + std::to_string(stored.id) + " (" + record.source + " " +
                     record.source_id + "): " + std::string(model::to_string(record.kind));
  if (!unblinded && record.kind == model::Kind::exposure) return text + ", blinded";
  text += " " + record.code;
  const model::Value& value = record.value;
  if (value.number) text += " = " + value.number_text;
  if (!value.text.empty()) text += " '" + value.text + "'";
  if (!value.not_done.empty()) text += " not done: " + value.not_done;
  if (!record.unit.empty()) text += " " + record.unit;
  text += range_text(record.range);
  if (stored.flags & (model::kLowUnusable | model::kHighUnusable)) text += " (unusable)";
  if (record.serious) text += *record.serious ? ", serious" : ", not serious";
  if (!record.severity.empty()) text += ", severity " + record.severity;
  if (record.baseline) text += ", baseline";
  if (!record.effective.empty()) text += ", at " + record.effective;
  text += ", received " + model::format_utc(stored.received_ms);
  if (record.amends != 0) text += ", corrects record " + std::to_string(record.amends);
  if (stored.flags & model::kHistorical) text += ", historical";
  return text;
}

// A subject's records up to one of them, judged again.
struct Replay {
  intake::ActiveStudy study;
  std::vector<model::DefinitionFile> files;
  std::vector<store::RecordRow> rows;  // newest first; the first is the record
  std::vector<model::Match> matches;   // that the record brought about
  std::string before, after;           // what was remembered
  bool failed = false;                 // a rule failed on it
};

Result<Replay> replay(store::Connection& reader, std::int64_t record, std::int64_t definition) {
  Replay again;
  auto files = store::read_definition(reader, definition);
  if (!files) return files.error();
  again.files = *files;
  auto study = load_stored_study(std::move(*files));
  if (!study) return study.error();
  again.study = std::move(*study);
  auto rows = store::read_chain(reader, record, kShownMax);
  if (!rows) return rows.error();
  again.rows = std::move(*rows);
  if (again.rows.empty()) return Error{Errc::not_found, "there is no such record"};
  auto watch = again.study.monitor->open({});
  if (!watch) return watch.error();
  for (const store::RecordRow& row : std::views::reverse(again.rows)) {
    const bool last = row.stored.id == record;
    if (last) again.before = (*watch)->save();
    try {
      again.matches = (*watch)->observe(row.stored).matches;
    } catch (const std::exception&) {
      again.failed = last;
      again.matches.clear();
    }
  }
  again.after = (*watch)->save();
  return again;
}

const std::string* rules_of(const Replay& again) {
  for (const model::DefinitionFile& file : again.files) {
    if (file.name == "rules.toml") return &file.text;
  }
  return nullptr;
}

void print_state(const Replay& again) {
  std::cout << "state before: " << again.rows.size() - 1 << " records of the subject, "
            << again.before.size() << " bytes remembered\n"
            << "state after:  " << again.rows.size() << " records, " << again.after.size()
            << " bytes remembered" << (again.before == again.after ? " (the same)" : "") << '\n';
  if (again.rows.size() == kShownMax) {
    std::cout << "the subject has more records; only the newest were looked at\n";
  }
}

void print_rule(const Replay& again, const std::string& rule) {
  const std::string* rules = rules_of(again);
  const auto text = rules != nullptr ? rule_text(*rules, rule) : std::nullopt;
  std::cout << (text ? *text : "(a rule of the program itself)\n");
}

Status print_record(store::Connection& reader, std::int64_t id, bool unblinded) {
  auto row = store::read_record(reader, id);
  if (!row) return row.error();
  if (!*row) return Error{Errc::not_found, "there is no record " + std::to_string(id)};
  auto newer = store::amended_by(reader, id);
  if (!newer) return newer.error();
  std::cout << "  " << record_text((*row)->stored, unblinded);
  if (*newer != 0) std::cout << ", corrected by record " << *newer;
  std::cout << '\n';
  return {};
}

void print_event(const model::AlertEvent& event) {
  std::cout << "  " << model::format_utc(event.at_ms) << ' ' << model::to_string(event.type)
            << " by " << event.actor;
  if (!event.note.empty()) std::cout << ": " << event.note;
  if (const std::string detail = model::to_json(event.detail); !detail.empty()) {
    std::cout << ' ' << detail;
  }
  std::cout << '\n';
}

Status explain_alert(store::Connection& reader, const ExplainArguments& arguments) {
  auto study = reader.integer("SELECT study FROM alerts WHERE id = $1", {arguments.id});
  if (!study && study.error().code == Errc::not_found) {
    return Error{Errc::not_found, "there is no alert " + std::to_string(arguments.id)};
  }
  if (!study) return study.error();
  auto alerts = store::read_alerts(
      reader, {.study = *study, .after = arguments.id - 1, .until = arguments.id});
  if (!alerts) return alerts.error();
  auto events = store::read_alert_history(reader, *study, arguments.id, 0, kShownMax);
  if (!events) return events.error();
  const model::Alert& alert = alerts->at(0);
  std::cout << "alert " << alert.id << ": " << alert.title << " (" << alert.severity << ")\n"
            << "subject " << alert.subject << ", site " << alert.site << "; "
            << model::to_string(alert.life.state)
            << (alert.life.historical ? ", historical: nobody was called" : "")
            << (alert.life.holds ? "" : ", its rule holds no longer") << "\n\n"
            << "rule " << alert.rule << ", version " << alert.rule_version << ", of definition "
            << alert.definition << ":\n";
  std::int64_t trigger = 0;
  for (const model::RecordName& cause : events->at(0).causes) {
    trigger = std::max(trigger, cause.id);
  }
  auto again = replay(reader, trigger, alert.definition);
  if (!again) return again.error();
  print_rule(*again, alert.rule);
  std::cout << "\nit fired on record " << trigger << ", because of:\n";
  for (const model::RecordName& cause : events->at(0).causes) {
    if (auto done = print_record(reader, cause.id, arguments.unblinded); !done) return done;
  }
  print_state(*again);
  const auto holds = [&](const model::Match& match) {
    return again->study.monitor->rules()[match.rule].id == alert.rule;
  };
  std::cout << "judged again, the rule "
            << (std::ranges::any_of(again->matches, holds) ? "holds" : "does not hold")
            << " with that record\n\nwhat happened:\n";
  for (const model::AlertEvent& event : *events) {
    print_event(event);
    if (event.type != model::AlertEventType::joined) continue;
    for (const model::RecordName& cause : event.causes) {
      if (auto done = print_record(reader, cause.id, arguments.unblinded); !done) return done;
    }
  }
  return {};
}

Status explain_record(store::Connection& reader, const ExplainArguments& arguments) {
  auto row = store::read_record(reader, arguments.id);
  if (!row) return row.error();
  if (!*row) return Error{Errc::not_found, "there is no record " + std::to_string(arguments.id)};
  const model::StoredRecord& stored = (*row)->stored;
  auto again = replay(reader, stored.id, stored.definition);
  if (!again) return again.error();
  auto alerts = store::alerts_of_record(reader, stored.id);
  if (!alerts) return alerts.error();
  std::cout << record_text(stored, arguments.unblinded) << "\nsubject " << stored.record.subject
            << ", site " << stored.record.site << ", definition " << stored.definition << "\n\n";
  print_state(*again);
  if (!alerts->empty()) {
    std::cout << "\nit is a cause of";
    const char* between = " alert ";
    for (const std::int64_t alert : *alerts) {
      std::cout << between << alert;
      between = ", alert ";
    }
    std::cout << "; see trialward explain alert\n";
    return {};
  }
  if (again->failed) std::cout << "\na rule failed on it\n";
  const std::string* rules = rules_of(*again);
  const auto about = rules != nullptr ? rules_about(*rules, model::to_string(stored.record.kind),
                                                    stored.record.code)
                                      : std::vector<std::string>();
  std::cout << "\nit raised no alert: of " << again->study.monitor->rules().size() << " rules "
            << about.size() << " ask for " << model::to_string(stored.record.kind) << ' '
            << stored.record.code << ", and none of them holds with it\n";
  for (const std::string& text : about) std::cout << '\n' << text;
  return {};
}

int explain(const ExplainArguments& arguments) {
  auto path = locate_store(arguments.store);
  if (!path) return fail(kWrongUse, path.error().message);
  auto reader = store::open_store(*path);
  if (!reader) {
    const bool missing = reader.error().code == Errc::not_found;
    return fail(missing ? kWrongUse : kFailure, "--store: " + reader.error().message);
  }
  const auto done = arguments.what == "alert" ? explain_alert(**reader, arguments)
                                              : explain_record(**reader, arguments);
  if (done) return kSuccess;
  return fail(done.error().code == Errc::not_found ? kWrongUse : kFailure, done.error().message);
}

}  // namespace

Run add_explain(CLI::App& app) {
  auto arguments = std::make_shared<ExplainArguments>();
  app.add_option("what", arguments->what, "alert or record")
      ->required()
      ->check(CLI::IsMember({"alert", "record"}));
  app.add_option("id", arguments->id, "Its id")->required()->check(NumberRange(std::int64_t{1}));
  app.add_option("--store", arguments->store, kStoreHelp)->required();
  app.add_flag("--unblinded", arguments->unblinded, "Tell what subjects were given, too");
  return [arguments] { return explain(*arguments); };
}

}  // namespace trialward::cli
