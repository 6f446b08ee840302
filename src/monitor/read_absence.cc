#include "monitor/read_absence.h"

#include <string>

#include "monitor/duration.h"

namespace trialward::monitor {

using model::TableReader;

namespace {

Condition read_member(TableReader& table, const char* key, ConditionReader& reader) {
  auto member = table.table(key);
  if (!member) return {};
  Condition condition = reader.read(*member);
  member->finish();
  return condition;
}

}  // namespace

AbsenceCondition read_absence(TableReader& table, const model::Study& study) {
  AbsenceCondition absence;
  ConditionReader reader(study);
  refuse(table, "kind", "belongs to missing, after and until");
  for (const char* key : {"any", "all", "then"}) {
    if (!table.has(key)) continue;
    (void)table.tables(key);
    table.fault(key, std::string("a rule has either missing or ") + key);
  }
  absence.missing = read_member(table, "missing", reader);
  absence.after_each = table.has("after_each");
  if (absence.after_each && table.has("after")) {
    (void)table.table("after");
    table.fault("after_each", "a rule has either after or after_each");
  } else if (!absence.after_each && !table.has("after")) {
    table.fault("missing", "what is missing needs after or after_each");
  }
  absence.after = read_member(table, absence.after_each ? "after_each" : "after", reader);
  if (table.has("until")) absence.until = read_member(table, "until", reader);
  const auto within_ms = parse_duration(table.text("within"));
  if (!within_ms) {
    table.fault("within", std::string("what is missing needs within = ") + kDurationWanted);
  }
  absence.within_ms = within_ms.value_or(0);
  return absence;
}

}  // namespace trialward::monitor
