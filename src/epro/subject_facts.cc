#include "epro/subject_facts.h"

#include <algorithm>
#include <limits>

#include "base/check.h"

namespace trialward::epro {

using model::Kind;

constexpr std::string_view kFirstDoseName = "rfxstdtc";
constexpr std::string_view kCategoryName = "dscat";

std::string_view Fact::attribute(std::string_view name) const {
  for (const auto& [key, value] : attributes) {
    if (key == name) return value;
  }
  return {};
}

FactCollector::FactCollector(const model::Schedule& schedule, const model::WallClock& clock)
    : schedule_(schedule), clock_(clock), newest_(std::numeric_limits<std::int64_t>::max()) {
  names_.emplace(kFirstDoseName);
  for (const model::Activity& activity : schedule.activities) {
    codes_.insert(activity.codes.begin(), activity.codes.end());
    for (const auto& [name, value] : activity.only_if) names_.insert(name);
    if (activity.by_events()) events_.push_back(&activity.anchor);
    doses_ |= activity.anchor.type == model::Anchor::Type::first_dose;
  }
}

bool FactCollector::wanted(const model::Record& record) const {
  switch (record.kind) {
    case Kind::visit:
    case Kind::disposition:
      return true;
    case Kind::demographics:
      if (record.value.missing()) return true;
      break;
    case Kind::questionnaire:
      if (codes_.contains(record.code)) return true;
      break;
    case Kind::exposure:
      if (doses_) return true;
      break;
    default:
      break;
  }
  return std::any_of(events_.begin(), events_.end(), [&](const model::Anchor* event) {
    return event->kind == record.kind && (event->code.empty() || event->code == record.code);
  });
}

namespace {

// A response that does not fit, or is not complete, has done nothing.
bool is_unfinished(const model::StoredRecord& stored) {
  return (stored.flags & model::kUnfit) != 0 ||
         (stored.record.kind == Kind::questionnaire &&
          stored.record.attribute("status") != nullptr);
}

}  // namespace

void FactCollector::keep_attributes(const model::Record& record, Fact& fact) const {
  for (const auto& [name, value] : record.attributes) {
    const bool keep = record.kind == Kind::demographics
                          ? names_.contains(name)
                          : record.kind == Kind::disposition && name == kCategoryName;
    if (keep) fact.attributes.emplace_back(name, value);
  }
}

base::Status FactCollector::add(const model::StoredRecord& stored) {
  const model::Record& record = stored.record;
  TW_CHECK(stored.id < newest_);
  newest_ = stored.id;
  found_.first_record = when_of(stored, clock_);
  if (!found_.first_record) found_.first_record = when_at(stored.received_ms, clock_);
  if (record.amends != 0) amended_.emplace(record.amends, stored.id);
  if (found_.facts.size() + amended_.size() >= kSubjectFactsMax) {
    return base::Error{base::Errc::refused, "a subject has more than " +
                                                std::to_string(kSubjectFactsMax) +
                                                " records that its schedule asks for"};
  }
  if (!wanted(record) || is_unfinished(stored)) return {};
  Fact fact{.record = stored.id, .amends = record.amends, .kind = record.kind};
  if (const auto amending = amended_.find(stored.id); amending != amended_.end()) {
    fact.amended_by = amending->second;
  }
  fact.code = record.code;
  fact.visit = record.visit;
  fact.effective = record.effective;
  fact.when = when_of(stored, clock_);
  fact.own = record.kind == Kind::demographics && record.value.missing();
  fact.not_done = !record.value.not_done.empty();
  fact.serious = record.serious.value_or(false);
  fact.historical = (stored.flags & model::kHistorical) != 0;
  keep_attributes(record, fact);
  found_.facts.push_back(std::move(fact));
  return {};
}

SubjectFacts FactCollector::finish() && {
  std::reverse(found_.facts.begin(), found_.facts.end());
  // The first version of what is amended, through versions that were not kept as well.
  std::map<std::int64_t, std::int64_t> firsts;
  for (const auto& [amended, amending] : amended_) {  // by what is amended, so older ones first
    const auto found = firsts.find(amended);
    firsts.emplace(amending, found == firsts.end() ? amended : found->second);
  }
  for (Fact& fact : found_.facts) {
    const auto found = firsts.find(fact.record);
    fact.first = found == firsts.end() ? fact.record : found->second;
  }
  return std::move(found_);
}

}  // namespace trialward::epro
