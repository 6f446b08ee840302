// trialward rehearse: what a changed rules.toml would have raised of the stored history. It writes
// nothing. Each subject's records are judged in the order in which they came, once by the rules of
// the study's newest definition in the store and once by the changed ones. Acknowledgements play no
// part: of one rule, subject and group there is one alert, as if nobody had acknowledged any.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <sstream>

#include "cli/command.h"
#include "cli/store_flag.h"
#include "cli/study_folder.h"
#include "model/fault.h"
#include "store/record_rows.h"
#include "store/store.h"
#include "store/study_rows.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

constexpr std::size_t kRecordsMax = 1'000'000;  // of a subject; they are held in memory
constexpr const char* kRulesFile = "rules.toml";

struct RehearseArguments {
  std::string store, study, rules;
};

// An alert as far as the rules alone make it.
struct Raised {
  std::string rule, group;
  auto operator<=>(const Raised&) const = default;
};
using Alerts = std::map<Raised, std::int64_t>;  // → the record that raises it

struct Side {
  std::shared_ptr<const model::Monitor> monitor;
  std::int64_t alerts = 0, failures = 0;
};

struct Difference {
  std::string subject;
  std::int64_t record = 0;
};
struct RuleDifference {
  std::vector<Difference> gained, lost;
};

Result<Alerts> judge(Side& side, const std::vector<store::RecordRow>& rows) {
  Alerts alerts;
  auto watch = side.monitor->open({});
  if (!watch) return watch.error();
  for (const store::RecordRow& row : std::views::reverse(rows)) {
    try {
      const model::Observation found = (*watch)->observe(row.stored);
      for (const model::Match& match : found.matches) {
        alerts.try_emplace({side.monitor->rules()[match.rule].id, match.group}, row.stored.id);
      }
    } catch (const std::exception&) {
      ++side.failures;
    }
  }
  side.alerts += std::ssize(alerts);
  return alerts;
}

class Rehearsal {
 public:
  Rehearsal(store::Connection& reader, Side old_side, Side new_side)
      : reader_(reader), old_(std::move(old_side)), new_(std::move(new_side)) {}

  Status run(std::int64_t study) {
    // Page by page, so that no read transaction lasts.
    for (std::int64_t after = 0;;) {
      auto rows = reader_.query(
          "SELECT s.id, s.subject, t.last_record FROM subjects s JOIN subject_states t "
          "ON t.subject = s.id WHERE s.study = $1 AND s.id > $2 ORDER BY s.id LIMIT 1",
          {study, after});
      if (!rows) return rows.error();
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) return {};
      after = rows->integer(0);
      const std::string subject(rows->text(1));
      const std::int64_t last = rows->integer(2);
      { const auto ended = std::move(*rows); }
      if (auto done = judge_subject(subject, last); !done) return done;
      ++subjects_;
    }
  }

  void print() const {
    std::cout << subjects_ << " subjects, " << records_ << " records: " << old_.alerts
              << " alerts by the stored rules, " << new_.alerts << " by the changed ones\n";
    if (old_.failures + new_.failures > 0) {
      std::cout << "rules failed on records: " << old_.failures << " times before, "
                << new_.failures << " now\n";
    }
    for (const auto& [rule, difference] : differences_) {
      std::cout << rule << ": " << difference.gained.size() << " gained, "
                << difference.lost.size() << " lost\n";
      print_each("+", difference.gained);
      print_each("-", difference.lost);
    }
    if (differences_.empty()) std::cout << "no alert is gained or lost\n";
  }

 private:
  Status judge_subject(const std::string& subject, std::int64_t last) {
    auto rows = store::read_chain(reader_, last, kRecordsMax);
    if (!rows) return rows.error();
    records_ += std::ssize(*rows);
    auto before = judge(old_, *rows);
    if (!before) return before.error();
    auto now = judge(new_, *rows);
    if (!now) return now.error();
    for (const auto& [raised, record] : *now) {
      if (!before->contains(raised)) differences_[raised.rule].gained.push_back({subject, record});
    }
    for (const auto& [raised, record] : *before) {
      if (!now->contains(raised)) differences_[raised.rule].lost.push_back({subject, record});
    }
    return {};
  }

  static void print_each(const char* sign, const std::vector<Difference>& differences) {
    for (const Difference& one : differences) {
      std::cout << "  " << sign << " subject " << one.subject << ", by record " << one.record
                << '\n';
    }
  }

  store::Connection& reader_;
  Side old_, new_;
  std::int64_t subjects_ = 0, records_ = 0;
  std::map<std::string, RuleDifference> differences_;
};

Result<std::string> read_rules(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file.is_open() || file.bad()) return Error{Errc::not_found, path + " cannot be read"};
  return std::move(text).str();
}

// Of the study's newest definition, with other rules if there are any.
Result<Side> side_of(std::vector<model::DefinitionFile> files, const std::string* rules) {
  if (rules != nullptr) {
    std::erase_if(files, [](const auto& file) { return file.name == kRulesFile; });
    files.push_back({kRulesFile, *rules});
  }
  auto study = load_stored_study(std::move(files));
  if (!study) return study.error();
  return Side{.monitor = study->monitor};
}

int rehearse(const RehearseArguments& arguments) {
  auto path = locate_store(arguments.store);
  if (!path) return fail(kWrongUse, path.error().message);
  auto rules = read_rules(arguments.rules);
  if (!rules) return fail(kWrongUse, "RULES: " + rules.error().message);
  auto reader = store::open_store(*path);
  if (!reader) {
    const bool missing = reader.error().code == Errc::not_found;
    return fail(missing ? kWrongUse : kFailure, "--store: " + reader.error().message);
  }
  auto study = (*reader)->integer("SELECT id FROM studies WHERE study = $1",
                                  {std::string_view(arguments.study)});
  if (!study && study.error().code == Errc::not_found) {
    return fail(kWrongUse, "--study: the store has no study '" + arguments.study + "'");
  }
  if (!study) return fail(kFailure, study.error().message);
  auto definition =
      (*reader)->integer("SELECT max(id) FROM definitions WHERE study = $1", {*study});
  if (!definition) return fail(kFailure, definition.error().message);
  auto files = store::read_definition(**reader, *definition);
  if (!files) return fail(kFailure, files.error().message);
  auto old_side = side_of(*files, nullptr);
  if (!old_side) return fail(kFailure, "the stored definition: " + old_side.error().message);
  auto new_side = side_of(*files, &*rules);
  if (!new_side) return fail(kWrongUse, "RULES: " + new_side.error().message);
  Rehearsal rehearsal(**reader, std::move(*old_side), std::move(*new_side));
  if (auto done = rehearsal.run(*study); !done) return fail(kFailure, done.error().message);
  rehearsal.print();
  return kSuccess;
}

}  // namespace

Run add_rehearse(CLI::App& app) {
  auto arguments = std::make_shared<RehearseArguments>();
  app.add_option("rules", arguments->rules, "The changed rules.toml")->required();
  app.add_option("--store", arguments->store, kStoreHelp)->required();
  app.add_option("--study", arguments->study, "The study's id")->required();
  return [arguments] { return rehearse(*arguments); };
}

}  // namespace trialward::cli
