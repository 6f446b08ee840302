#include "reports/emergent.h"

namespace trialward::reports {

bool treatment_emergent(const Dataset& data, const Entry& event) {
  const Subject& subject = data.subjects[event.subject];
  if (!subject.treated) return false;
  if (!event.date.given() || !subject.first_dose.given()) return true;
  return order_at_common(event.date, subject.first_dose) >= 0;
}

bool in_safety(const Context& context, const Entry& event) {
  const Subject& subject = context.data.subjects[event.subject];
  return subject.arm != kNoArm && subject.treated && context.in_scope(subject);
}

std::string_view body_system(const Dataset& data, const Entry& event) {
  for (const std::string& name : data.settings->body_system) {
    if (const std::string_view text = data.attribute(event, name); !text.empty()) return text;
  }
  return "UNCODED";
}

}  // namespace trialward::reports
