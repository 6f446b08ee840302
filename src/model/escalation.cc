#include "model/escalation.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/milliseconds.h"
#include "model/table_reader.h"
#include "model/text_fault.h"

namespace trialward::model {
namespace {

using base::kHourMs;
using base::kMinuteMs;
using base::kSecondMs;
constexpr std::int64_t kTimeMsMax = 30 * 24 * kHourMs;

// "15 min" in milliseconds.
std::optional<std::int64_t> parse_time(std::string_view text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number <= 0 || rest == end || *rest != ' ') return std::nullopt;
  const std::string_view unit(rest + 1, static_cast<std::size_t>(end - rest - 1));
  const std::int64_t ms = unit == "s"     ? kSecondMs
                          : unit == "min" ? kMinuteMs
                          : unit == "h"   ? kHourMs
                                          : 0;
  if (ms == 0 || number > kTimeMsMax / ms) return std::nullopt;
  return number * ms;
}

std::int64_t read_time(TableReader& table, std::string_view key) {
  const auto ms = parse_time(table.text(key));
  if (!ms) {
    table.fault(key, std::string(key) + " must be \"N s\", min or h; at most 720 h");
  }
  return ms.value_or(kTimeMsMax);
}

EscalationTier read_tier(TableReader& table) {
  EscalationTier tier;
  tier.targets = table.texts("targets");
  tier.line = table.line("targets");
  if (tier.targets.empty()) table.fault("targets", "a tier needs a target");
  if (tier.targets.size() > kTargetsMax) {
    table.fault("targets", "more than " + std::to_string(kTargetsMax) + " targets");
  }
  for (const std::string& target : tier.targets) {
    if (const auto reason = id_fault(target)) table.fault("targets", "a target " + *reason);
    if (std::count(tier.targets.begin(), tier.targets.end(), target) > 1) {
      table.fault("targets", "target \"" + target + "\" is given twice");
      break;
    }
  }
  tier.after_ms = read_time(table, "after");
  table.finish();
  return tier;
}

void read_ladder(TableReader& table, Escalation& escalation) {
  const std::string name = table.text("severity");
  const auto severity = parse_severity(name);
  if (!severity) table.fault("severity", "severity must be info, warning or critical");
  Escalation::Ladder ladder;
  for (TableReader& tier : table.tables("tiers")) ladder.tiers.push_back(read_tier(tier));
  if (ladder.tiers.empty()) table.fault("tiers", "tiers must have one or more");
  if (ladder.tiers.size() > kTiersMax) {
    table.fault("tiers", "more than " + std::to_string(kTiersMax) + " tiers");
  }
  const std::string last = table.text("last");
  ladder.repeats = last != "stops";
  if (table.has("last") && last != "stops" && last != "repeats") {
    table.fault("last", "last must be \"repeats\" or \"stops\"");
  }
  table.finish();
  if (!severity) return;
  Escalation::Ladder& place = escalation.ladders[static_cast<std::size_t>(*severity)];
  if (!place.tiers.empty()) table.fault("severity", name + " is given twice");
  place = std::move(ladder);
}

StormLimit read_storm(TableReader& table) {
  const double subjects = table.number("subjects").value_or(0);
  if (subjects != std::floor(subjects) || subjects < 2 || subjects > kStormSubjectsMax) {
    table.fault("subjects",
                "subjects must be a whole number from 2 to " + std::to_string(kStormSubjectsMax));
    return {};
  }
  StormLimit limit{.subjects = static_cast<int>(subjects), .within_ms = read_time(table, "within")};
  table.finish();
  return limit;
}

}  // namespace

const EscalationTier* Escalation::tier(AlertSeverity severity, int tier) const {
  const auto& tiers = ladder(severity).tiers;
  if (tier <= 0 || tiers.empty()) return nullptr;
  return &tiers[std::min(static_cast<std::size_t>(tier), tiers.size()) - 1];
}

std::optional<Escalation::Next> Escalation::next(AlertSeverity severity, int told) const {
  const Ladder& rungs = ladder(severity);
  const int count = static_cast<int>(rungs.tiers.size());
  if (count == 0) return std::nullopt;
  if (told <= 0) return Next{.tier = 1, .after_ms = 0};
  const std::int64_t after_ms = tier(severity, told)->after_ms;
  if (told < count) return Next{.tier = told + 1, .after_ms = after_ms};
  if (!rungs.repeats) return std::nullopt;
  return Next{.tier = count, .after_ms = after_ms};
}

std::optional<AlertSeverity> parse_severity(std::string_view text) {
  for (std::size_t i = 0; i < kAlertSeverities; ++i) {
    if (to_string(static_cast<AlertSeverity>(i)) == text) return static_cast<AlertSeverity>(i);
  }
  return std::nullopt;
}

Escalation read_escalation(TableReader& root) {
  Escalation escalation;
  for (TableReader& table : root.tables("escalation")) read_ladder(table, escalation);
  if (auto storm = root.table("storm")) escalation.storm = read_storm(*storm);
  root.finish();
  return escalation;
}

}  // namespace trialward::model
