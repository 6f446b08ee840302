// A subject's schedule in a test: a schedule.toml, records in words, and the plan as lines of text.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

#include "epro/compliance.h"
#include "epro/plan.h"
#include "model/effective_time.h"
#include "model/study.h"

namespace trialward::epro {

inline constexpr const char* kCaseStudy = R"(
[study]
id = "s"
[[sites]]
id = "NY"
time_zone = "America/New_York"
[[sites]]
id = "B"
time_zone = "Europe/Berlin"
[kinds]
visit.open = true
questionnaire.open = true
)";

// A record: "KIND CODE WHEN", then any of amends=ID, received=INSTANT, visit=NAME, not_done,
// serious, historical, and attributes NAME=VALUE with "_"
// for spaces. "_" in place of WHEN: none. Ids count from 1.
inline model::StoredRecord record_of(const std::string& words, std::int64_t id) {
  std::istringstream in(words);
  std::string kind, when, word;
  model::StoredRecord stored{.id = id, .received_ms = 1'400'000'000'000};
  in >> kind >> stored.record.code >> when;
  const auto known = model::parse_kind(kind);
  EXPECT_TRUE(known.has_value()) << words;
  stored.record.kind = known.value_or(model::Kind::visit);
  if (when != "_") stored.record.effective = when;
  if (when != "_") {
    const auto interval = model::resolve_effective(when, "America/New_York");
    EXPECT_TRUE(interval.ok()) << words;
    stored.interval = *interval;
  }
  while (in >> word) {
    const std::string name = word.substr(0, word.find('='));
    std::string value = word.substr(std::min(word.size(), name.size() + 1));
    std::replace(value.begin(), value.end(), '_', ' ');
    if (name == "amends") {
      stored.record.amends = std::stoll(value);
    } else if (name == "received") {
      stored.received_ms = *model::parse_instant(value);
    } else if (name == "visit") {
      stored.record.visit = value;
    } else if (name == "not_done") {
      stored.record.value.not_done = "ill";
    } else if (name == "serious") {
      stored.record.serious = true;
    } else if (name == "historical") {
      stored.flags = model::kHistorical;
    } else {
      stored.record.attributes.emplace_back(name, value);
    }
  }
  return stored;
}

struct PlanCase {
  std::string schedule;
  std::vector<std::string> records;
  std::string now = "2024-06-01T12:00Z";
  std::string site = "NY";
  bool as_of = false;  // what happened after `now` is left out

  model::Study study() const {
    auto loaded = model::load_study({{"schedule.toml", schedule}, {"study.toml", kCaseStudy}});
    EXPECT_TRUE(loaded.ok()) << model::to_string(loaded.error().front());
    return std::move(loaded).value();
  }

  Plan plan() const {
    const model::Study made = study();
    const auto clock = model::WallClock::of(made.site(site)->time_zone);
    FactCollector collector(*made.schedule, *clock);
    for (std::size_t i = records.size(); i > 0; --i) {
      EXPECT_TRUE(collector.add(record_of(records[i - 1], static_cast<std::int64_t>(i))).ok());
    }
    PlanRequest request{.site = site, .now_ms = *model::parse_instant(now)};
    if (as_of) request.known_ms = request.now_ms;
    return make_plan(*made.schedule, std::move(collector).finish(), *clock, request);
  }

  // "ID/NUMBER STATE TARGET [FIRST..LAST] rRECORD in|out"; then "+rRECORD" of what is beside it.
  std::vector<std::string> lines() const {
    const Plan made = plan();
    const auto all = study().schedule;
    std::vector<std::string> lines;
    for (const Occurrence& one : made.occurrences) {
      std::string line = all->activities[one.activity].id + "/" + std::to_string(one.number);
      if (one.event != 0) line += "@" + std::to_string(one.event);
      line += " " + std::string(to_string(one.state));
      if (one.times) line += " " + text(*one.times);
      if (one.record != 0) line += " r" + std::to_string(one.record);
      if (one.in_window) line += *one.in_window ? " in" : " out";
      lines.push_back(line);
    }
    for (const Unscheduled& one : made.unscheduled) {
      lines.push_back("+r" + std::to_string(one.record));
    }
    return lines;
  }

  static std::string text(const PlannedTimes& times) {
    if (!times.by_clock) {
      std::string days = model::day_text(times.target_day);
      if (!times.windowed) return days;
      return days + " " + model::day_text(times.first_day) + ".." + model::day_text(times.last_day);
    }
    std::string instants = model::format_utc(times.target_ms).substr(0, 16);
    if (!times.windowed) return instants;
    return instants + " " + model::format_utc(times.from_ms).substr(0, 16) + ".." +
           model::format_utc(times.end_ms()).substr(0, 16);
  }
};

using Lines = std::vector<std::string>;

}  // namespace trialward::epro
