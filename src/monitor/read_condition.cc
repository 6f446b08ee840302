#include "monitor/read_condition.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>

#include "monitor/read_rules.h"

namespace trialward::monitor {
namespace {

using model::Kind;
using model::TableReader;

constexpr std::int64_t kSecondMs = 1000, kMinuteMs = 60 * kSecondMs, kHourMs = 60 * kMinuteMs,
                       kDayMs = 24 * kHourMs, kWeekMs = 7 * kDayMs;
constexpr std::int64_t kWithinMsMax = 3660 * kDayMs;  // ten years

// "10 min" in milliseconds.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  struct UnitMs {
    std::string_view name;
    std::int64_t ms;
  };
  static constexpr std::array<UnitMs, 5> kUnits = {
      {{"s", kSecondMs}, {"min", kMinuteMs}, {"h", kHourMs}, {"d", kDayMs}, {"wk", kWeekMs}}};
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number <= 0 || rest == end || *rest != ' ') return std::nullopt;
  const std::string_view name(rest + 1, static_cast<std::size_t>(end - rest - 1));
  for (const UnitMs& unit : kUnits) {
    if (unit.name != name) continue;
    if (number > kWithinMsMax / unit.ms) return std::nullopt;
    return number * unit.ms;
  }
  return std::nullopt;
}

}  // namespace

Condition ConditionReader::read(TableReader& table) {
  Condition condition;
  if (++conditions_ > kConditionsMax) {
    if (conditions_ == kConditionsMax + 1) {
      table.fault("", "a rule has at most " + std::to_string(kConditionsMax) + " conditions");
    }
    return condition;
  }
  const bool any = table.has("any");
  if (any || table.has("all")) {
    if (any && table.has("all")) table.fault("all", "a condition has either any or all");
    refuse(table, "kind", "belongs to the members of any and all");
    read_members(table, any ? "any" : "all", condition);
  } else {
    read_leaf(table, condition);
  }
  read_time(table, condition);
  return condition;
}

void ConditionReader::read_members(TableReader& table, const char* key, Condition& condition) {
  condition.all = std::string_view(key) == "all";
  auto members = table.tables(key);
  if (members.size() < 2) table.fault(key, std::string(key) + " needs two conditions or more");
  if (++depth_ > kConditionDepthMax) {
    table.fault(key, "conditions nest at most " + std::to_string(kConditionDepthMax) + " deep");
    members.clear();
  }
  for (TableReader& member : members) {
    condition.members.push_back(read(member));
    if (conditions_ <= kConditionsMax) member.finish();
  }
  --depth_;
}

void ConditionReader::read_leaf(TableReader& table, Condition& condition) {
  const std::string name = table.id("kind");
  const auto kind = model::parse_kind(name);
  if (!kind && !name.empty()) table.fault("kind", "unknown kind " + quoted(name));
  if (kind) {
    condition.kind = *kind;
    condition.tests = read_tests(table, study_, *kind, read_codes(table, *kind));
  } else {
    // What the other members must be hangs on the kind. Any kind will do to ask for them; this one
    // may have all tests.
    (void)table.texts("codes");
    (void)read_tests(table, study_, Kind::adverse_event, {});
  }
}

// One empty code for all of the kind.
std::vector<std::string> ConditionReader::read_codes(TableReader& table, Kind kind) {
  auto codes = table.texts("codes");
  if (!table.has("codes")) return {""};
  if (codes.empty()) table.fault("codes", "codes must name at least one; or leave them out");
  if (codes.size() > kCodesMax) {
    table.fault("codes", "more than " + std::to_string(kCodesMax) + " codes");
    codes.resize(kCodesMax);
  }
  std::set<std::string> given;
  std::vector<std::string> known;
  for (std::string& code : codes) {
    if (!given.insert(code).second) {
      table.fault("codes", quoted(code) + " is given twice");
    } else if (!study_.whole && !study_.code(kind, code)) {
      continue;  // its place in study.toml may be one of those with a fault
    } else if (code.empty() || (!study_.code(kind, code) && !study_.open(kind))) {
      table.fault("codes", "the study has no " + std::string(to_string(kind)) + " " + quoted(code));
    } else {
      known.push_back(std::move(code));
    }
  }
  return known;
}

void ConditionReader::read_time(TableReader& table, Condition& condition) {
  if (table.has("count")) {
    const double count = table.number("count").value_or(2);
    const auto count_max = static_cast<double>(kCountMax);
    if (count != std::floor(count) || count < 2 || count > count_max) {
      table.fault("count", "count must be a whole number from 2 to " + std::to_string(kCountMax));
    } else {
      condition.count = static_cast<std::size_t>(count);
    }
    if (condition.all) table.fault("count", "all cannot be counted; its members can");
  }
  if (!condition.all && !table.has("count")) {
    refuse(table, "within", "needs count or all");
    return;
  }
  const auto within_ms = parse_duration(table.text("within"));
  if (!within_ms) {
    table.fault("within", std::string(condition.all ? "all" : "count") +
                              " needs within = \"N s\", min, h, d or wk; at most 3660 d");
  }
  condition.within_ms = within_ms.value_or(0);
}

}  // namespace trialward::monitor
