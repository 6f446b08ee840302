// What the monitor's tests share: the study of study.toml with rules, records from JSON, and data
// files of cases. One thread.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "model/decode_record.h"
#include "monitor/rules.h"

namespace trialward::monitor {

using Monitor = std::unique_ptr<model::Monitor>;

inline std::string read_text(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.is_open()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::string test_file(const std::string& name) {
  return read_text(TRIALWARD_SOURCE "/tests/monitor/" + name);
}

inline std::shared_ptr<const model::Study> study_with(std::string rules,
                                                       const std::string& more_of_study = {}) {
  auto study = model::load_study(std::vector<model::DefinitionFile>{
      {"study.toml", test_file("study.toml") + more_of_study}, {"rules.toml", std::move(rules)}});
  if (!study) {
    ADD_FAILURE() << model::to_string(study.error().front());
    return nullptr;
  }
  return std::make_shared<const model::Study>(std::move(*study));
}

// Null, and a failure, when the rules have a fault.
inline Monitor monitor_with(std::string rules, const std::string& more_of_study = {}) {
  auto monitor = load_rules(study_with(std::move(rules), more_of_study));
  if (monitor) return std::move(*monitor);
  ADD_FAILURE() << model::to_string(monitor.error().front());
  return nullptr;
}

inline std::unique_ptr<model::Watch> open_watch(const model::Monitor& monitor,
                                                std::string_view saved = {}) {
  auto watch = monitor.open(saved);
  if (watch) return std::move(*watch);
  ADD_FAILURE() << watch.error().message;
  return nullptr;
}

// A record from its members as JSON; source, source_id and subject are filled in where absent.
inline model::StoredRecord stored_record(const model::Study& study, std::int64_t id,
                                         const std::string& members) {
  std::string json = "{";
  if (members.find("\"subject\":") == std::string::npos) json += "\"subject\":\"S1\",";
  if (members.find("\"source\":") == std::string::npos) json += "\"source\":\"s\",";
  if (members.find("\"source_id\":") == std::string::npos) {
    json += "\"source_id\":\"" + std::to_string(id) + "\",";
  }
  json += members + "}";
  model::StoredRecord stored;
  stored.id = id;
  const auto record = model::RecordDecoder().decode(json);
  if (!record) {
    ADD_FAILURE() << json << model::to_json(record.error());
    return stored;
  }
  stored.record = *record;
  std::uint16_t flags = 0;
  const auto faults = model::check_record(study, *record, 1'900'000'000'000, flags);
  EXPECT_TRUE(faults.empty()) << json << model::to_json(faults);
  if (!record->effective.empty()) {
    const auto interval =
        model::resolve_effective(record->effective, study.sites.front().time_zone);
    if (interval) stored.interval = *interval;
  }
  return stored;
}

// "rule[group]: id, id; rule: id; -rule: id" (ended), or "" when nothing came of it.
inline std::string to_text(const model::Monitor& monitor, const model::Observation& found) {
  std::string text;
  const auto add = [&](const std::vector<model::Match>& matches, const char* sign) {
    for (const model::Match& match : matches) {
      text += (text.empty() ? "" : "; ") + (sign + monitor.rules()[match.rule].id);
      if (!match.group.empty()) text += "[" + match.group + "]";
      const char* mark = ": ";
      for (const std::int64_t id : match.causes) {
        text += mark + std::to_string(id);
        mark = ", ";
      }
    }
  };
  add(found.matches, "");
  add(found.ended, "-");
  return text;
}

// A case of a data file: "=== name", an input, "---", and lines of what is done or expected.
// Lines that begin with "# " between the cases are remarks.
struct Case {
  std::string name, input;
  std::vector<std::string> lines;
};

inline std::vector<Case> read_cases(const std::string& name) {
  std::vector<Case> cases;
  bool in_input = true;
  std::istringstream text(test_file(name));
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("=== ")) {
      cases.push_back({line.substr(4), "", {}});
      in_input = true;
    } else if (line == "---") {
      in_input = false;
    } else if (cases.empty() || (!in_input && (line.empty() || line.starts_with("# ")))) {
      continue;
    } else if (in_input) {
      cases.back().input += line + "\n";
    } else {
      cases.back().lines.push_back(line);
    }
  }
  return cases;
}

// Takes a case's lines, "ID MEMBERS => MATCHES", as records of a subject of whom nothing is known,
// and expects the matches; "@ INSTANT => MATCHES" lets the time pass until then. The watch is saved
// and opened again after each.
inline void run_steps(const Case& one, const model::Study& study, const model::Monitor& monitor) {
  auto watch = open_watch(monitor);
  std::map<std::int64_t, std::int64_t> first_versions;  // of the corrections
  std::int64_t passed_ms = 0;
  EXPECT_FALSE(one.lines.empty());
  for (const std::string& line : one.lines) {
    SCOPED_TRACE(line);
    const auto blank = line.find(' ');
    const auto arrow = line.find(" =>");
    ASSERT_TRUE(blank < arrow && arrow != std::string::npos);
    const std::string given = line.substr(blank + 1, arrow - blank - 1);
    const std::string expected = arrow + 4 < line.size() ? line.substr(arrow + 4) : "";
    if (line.starts_with("@ ")) {
      passed_ms = model::parse_instant(given).value();
      EXPECT_EQ(to_text(monitor, watch->pass(passed_ms)), expected);
      continue;
    }
    auto stored = stored_record(study, std::stoll(line.substr(0, blank)), given);
    if (const std::int64_t amended = stored.record.amends; amended != 0) {
      const auto known = first_versions.find(amended);
      stored.first = known == first_versions.end() ? amended : known->second;
      first_versions[stored.id] = stored.first;
    }
    const std::string before = watch->save();
    EXPECT_EQ(to_text(monitor, watch->observe(stored)), expected);
    EXPECT_EQ(watch->changed(), watch->save() != before);
    watch = open_watch(monitor, watch->save());
    ASSERT_TRUE(watch);
    (void)watch->pass(passed_ms);
  }
}

}  // namespace trialward::monitor
