#include "monitor/read_rules.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/sha256.h"
#include "ctcae/study_grading.h"
#include "model/table_reader.h"
#include "monitor/compile_rule.h"
#include "monitor/read_condition.h"

namespace trialward::monitor {
namespace {

using model::AlertSeverity;
using model::DefinitionFault;
using model::DefinitionFaults;
using model::TableReader;

constexpr const char* kRulesFile = "rules.toml";
constexpr std::string_view kReservedIds = "trialward-";  // of alerts that come from no rule
constexpr int kVersionMax = 1'000'000;
// A part of the hash: the saved form and the meaning of the rules. It grows with either.
constexpr std::string_view kFormat = "trialward rules 6";

class RulesReader {
 public:
  explicit RulesReader(std::shared_ptr<const model::Study> study) : compiler_(rules_) {
    rules_.study = std::move(study);
  }

  base::Result<RuleSet, DefinitionFaults> read() && {
    const model::DefinitionFile* file = rules_.study->file(kRulesFile);
    hash(file);
    // Also without a rule that asks for grades: a definition is right or wrong as a whole.
    if (auto grading = ctcae::StudyGrading::make(*rules_.study); !grading) {
      faults_ = grading.error();
    }
    if (file != nullptr) {
      if (const auto table = model::parse_toml(*file, faults_)) {
        read_root(TableReader(*table, kRulesFile, kRulesFile, faults_));
      }
    }
    if (faults_.empty()) return std::move(rules_);
    std::stable_sort(
        faults_.begin(), faults_.end(),
        [](const DefinitionFault& a, const DefinitionFault& b) { return a.line < b.line; });
    return std::move(faults_);
  }

 private:
  // Units and ranges in study.toml decide what is remembered, too.
  void hash(const model::DefinitionFile* file) {
    std::string hashed(kFormat);
    const model::DefinitionFile* study = rules_.study->file("study.toml");
    for (const model::DefinitionFile* part : {study, file}) {
      hashed.push_back('\0');
      if (part != nullptr) hashed.append(part->text);
    }
    rules_.hash = base::to_hex(base::sha256(hashed));
  }

  void read_root(TableReader root) {
    auto tables = root.tables("rules");
    if (tables.size() > kRulesMax) {
      root.fault("rules", "more than " + std::to_string(kRulesMax) + " rules");
      tables.clear();
    }
    for (TableReader& table : tables) read_rule(table);
    root.finish();
  }

  void read_rule(TableReader& table) {
    const std::size_t faults_before = faults_.size();
    model::RuleInfo info;
    info.id = table.id("id");
    if (!ids_.insert(info.id).second) {
      table.fault("id", "rule \"" + info.id + "\" is given twice");
    }
    if (info.id.starts_with(kReservedIds)) {
      table.fault("id", "ids that begin with trialward- are the program's own");
    }
    info.title = table.id("title");
    info.version = read_version(table);
    info.severity = read_severity(table);
    const OneAlertPer one_alert_per = read_one_alert_per(table);
    const std::size_t rule = rules_.infos.size();
    rules_.infos.push_back(std::move(info));
    std::optional<std::string> fault;
    if (table.has("missing")) {
      const AbsenceCondition absence = read_absence(table, *rules_.study);
      table.finish();
      if (faults_.size() > faults_before) return;
      if (one_alert_per == OneAlertPer::subject) {
        fault = compiler_.add(rule, absence);
      } else {
        fault = "what is missing has one alert per subject";
      }
    } else {
      const Condition condition = ConditionReader(*rules_.study).read(table);
      table.finish();
      if (faults_.size() > faults_before) return;
      fault = compiler_.add(rule, one_alert_per, condition);
    }
    if (fault) table.fault("one_alert_per", std::move(*fault));
  }

  int read_version(TableReader& table) {
    const double version = table.number("version").value_or(1);
    if (version == std::floor(version) && 1 <= version && version <= kVersionMax) {
      return static_cast<int>(version);
    }
    table.fault("version", "version must be a whole number from 1");
    return 1;
  }

  AlertSeverity read_severity(TableReader& table) {
    const std::string given = table.text("severity");
    for (const auto severity :
         {AlertSeverity::info, AlertSeverity::warning, AlertSeverity::critical}) {
      if (given == to_string(severity)) return severity;
    }
    if (table.has("severity")) {
      table.fault("severity", "severity must be \"info\", \"warning\" or \"critical\"");
    }
    return AlertSeverity::warning;
  }

  OneAlertPer read_one_alert_per(TableReader& table) {
    const std::string given = table.text("one_alert_per");
    if (given == "code") return OneAlertPer::code;
    if (given == "record") return OneAlertPer::record;
    if (table.has("one_alert_per") && given != "subject") {
      table.fault("one_alert_per", "one_alert_per must be \"subject\", \"code\" or \"record\"");
    }
    return OneAlertPer::subject;
  }

  DefinitionFaults faults_;
  RuleSet rules_;
  RuleCompiler compiler_;
  std::set<std::string> ids_;
};

}  // namespace

base::Result<RuleSet, DefinitionFaults> read_rules(std::shared_ptr<const model::Study> study) {
  return RulesReader(std::move(study)).read();
}

}  // namespace trialward::monitor
