#include "monitor/read_condition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

#include "monitor/duration.h"
#include "monitor/read_rules.h"

namespace trialward::monitor {
namespace {

using model::Kind;
using model::TableReader;

constexpr std::array<const char*, 3> kJoins = {"any", "all", "then"};  // by Join

}  // namespace

bool ConditionReader::count_one(TableReader& table) {
  if (++conditions_ <= kConditionsMax) return true;
  if (conditions_ == kConditionsMax + 1) {
    table.fault("", "a rule has at most " + std::to_string(kConditionsMax) + " conditions");
  }
  return false;
}

Condition ConditionReader::read(TableReader& table) {
  Condition condition;
  if (!count_one(table)) return condition;
  const char* key = nullptr;
  for (const char* join : kJoins) {
    if (!table.has(join)) continue;
    if (key != nullptr) {
      table.fault(join, std::string("a condition has either ") + key + " or " + join);
    } else {
      key = join;
    }
  }
  if (key != nullptr) {
    refuse(table, "kind", "belongs to the members of any, all and then");
    read_members(table, key, condition);
  } else {
    read_leaf(table, condition);
  }
  read_time(table, condition);
  read_without(table, condition);
  return condition;
}

void ConditionReader::read_members(TableReader& table, const char* key, Condition& condition) {
  for (std::size_t join = 0; join < kJoins.size(); ++join) {
    if (std::string_view(key) == kJoins[join]) condition.join = static_cast<Join>(join);
  }
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

void ConditionReader::read_without(TableReader& table, Condition& condition) {
  if (!table.has("without")) return;
  auto all = table.tables("without");
  if (++depth_ > kConditionDepthMax) {
    table.fault("without",
                "conditions nest at most " + std::to_string(kConditionDepthMax) + " deep");
    all.clear();
  }
  for (TableReader& one : all) {
    condition.without.push_back(read(one));
    if (conditions_ > kConditionsMax) continue;
    const auto around_ms = parse_duration(one.text("around"));
    if (!around_ms) {
      one.fault("around", std::string("what must not be needs around = ") + kDurationWanted);
    }
    condition.without.back().around_ms = around_ms.value_or(0);
    one.finish();
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
    read_visit(table, condition);
  } else {
    // What the other members must be hangs on the kind. Any kind will do to ask for them; this one
    // may have all tests.
    (void)table.texts("codes");
    (void)read_tests(table, study_, Kind::adverse_event, {});
    (void)table.text("visit");
  }
}

void ConditionReader::read_visit(TableReader& table, Condition& condition) {
  if (!table.has("visit")) return;
  condition.visit = table.id("visit");
  const bool of_one_record =
      std::all_of(condition.tests.begin(), condition.tests.end(), [](const CodeTest& test) {
        return std::holds_alternative<RecordTest>(test.test);
      });
  if (!of_one_record) {
    table.fault("visit", "what compares several values cannot ask for the visit of one");
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
    if (condition.join != Join::any) {
      table.fault("count", std::string(kJoins[static_cast<std::size_t>(condition.join)]) +
                               " cannot be counted; its members can");
    }
  }
  if (condition.join == Join::any && !table.has("count")) {
    refuse(table, "within", "needs count, all or then");
    return;
  }
  const auto within_ms = parse_duration(table.text("within"));
  if (!within_ms) {
    const char* what = condition.join == Join::any
                           ? "count"
                           : kJoins[static_cast<std::size_t>(condition.join)];
    table.fault("within", std::string(what) + " needs within = " + kDurationWanted);
  }
  condition.within_ms = within_ms.value_or(0);
}

}  // namespace trialward::monitor
