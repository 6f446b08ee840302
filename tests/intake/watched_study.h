// A store with the monitor's test study, and rules of one's own; the real rules, not invented ones.
#pragma once

#include "monitor/rules.h"
#include "store/alert_rows.h"
#include "store/read_back.h"
#include "tests/intake/committer_bench.h"

#include <fstream>
#include <sstream>

namespace trialward::intake {

class WatchedStudy : public CommitterBench {
 protected:
  // Anew with these rules; what is stored stays.
  void use_rules(const std::string& rules, const std::string& escalation = "") {
    std::ifstream file(TRIALWARD_SOURCE "/tests/monitor/study.toml");
    std::stringstream toml;
    toml << file.rdbuf();
    std::vector<model::DefinitionFile> files{{"study.toml", toml.str()}, {"rules.toml", rules}};
    if (!escalation.empty()) files.insert(files.begin(), {"escalation.toml", escalation});
    load(std::move(files), [](const auto& study) {
      auto monitor = monitor::load_rules(study);
      EXPECT_TRUE(monitor.ok()) << model::to_string(monitor.error().front());
      return std::move(*monitor);
    });
    renew({.unsaved_max = 2}, routes_);
  }

  model::Record record(const std::string& source_id, model::Kind kind, const std::string& code,
                       std::optional<double> number, const std::string& unit,
                       const std::string& effective) {
    model::Record record;
    record.source = "s";
    record.source_id = source_id;
    record.subject = "S1";
    record.kind = kind;
    record.code = code;
    record.value.number = number;
    if (number) record.value.number_text = std::to_string(*number);
    record.unit = unit;
    record.effective = effective;
    return record;
  }
  model::Record lab(const std::string& source_id, const std::string& code, double number,
                    const std::string& effective) {
    return record(source_id, model::Kind::lab, code, number, code == "BILI" ? "mg/dL" : "U/L",
                  effective);
  }

  Submission with(model::Record record) {
    AppendRecord command;
    const model::Faults faults = prepare(*study_, std::move(record), kNow, command);
    EXPECT_TRUE(faults.empty()) << (faults.empty() ? "" : faults.front().reason);
    return submission({command});
  }
  // The same as data of the past.
  Submission of_the_past(model::Record record) {
    Submission sent = with(std::move(record));
    std::get<AppendRecord>(sent.commands.front()).flags |= model::kHistorical;
    return sent;
  }
  // The stored record's id.
  std::int64_t store(model::Record record) {
    return run({with(std::move(record))}).results.front().id;
  }
  std::int64_t correct(std::int64_t amends, model::Record record) {
    record.amends = amends;
    record.reason = "a typing error";
    return store(std::move(record));
  }
  SubmissionResult run(Submission submission) {
    auto outcome = committer_->commit(std::span(&submission, 1));
    events_ = std::move(outcome.publications);
    EXPECT_EQ(outcome.results.front().verdict, Verdict::stored)
        << model::to_json(outcome.results.front().faults);
    if (outcome.results.front().results.empty()) outcome.results.front().results.emplace_back();
    return outcome.results.front();
  }

  // With what has to be read back.
  AcknowledgeAlert acknowledgement(std::int64_t alert) {
    auto values = store::read_back_of(store_->writer().connection(), alert);
    EXPECT_TRUE(values.ok());
    return {alert, "seen", *values};
  }

  std::vector<model::Alert> alerts() {
    auto all = store::read_alerts(store_->writer().connection(), {.study = study_->row});
    EXPECT_TRUE(all.ok());
    return all.ok() ? *all : std::vector<model::Alert>();
  }
  // "rule state: ids (ended ids)", a line an alert; `!` when it holds no longer.
  std::string told() {
    std::string text;
    for (const model::Alert& alert : alerts()) {
      text += alert.rule + (alert.life.holds ? "" : "!") + ":";
      for (const auto& name : alert.records) {
        text += (alert.ended.contains(name.id) ? " -" : " ") + std::to_string(name.id);
      }
      text += "\n";
    }
    return text;
  }

  const model::AlertRoutes* routes_ = nullptr;  // to be set before use_rules()
  std::vector<Publication> events_;  // of the last commit
};

}  // namespace trialward::intake
