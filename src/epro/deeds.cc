#include "epro/deeds.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

namespace trialward::epro {

using model::Activity;
using model::Kind;

bool does(const Activity& activity, const Fact& fact) {
  if (activity.is_visit()) {
    return fact.kind == Kind::visit &&
           (fact.code == activity.visit || fact.visit == activity.visit);
  }
  if (fact.kind != Kind::questionnaire) return false;
  if (!activity.visit.empty() && fact.visit != activity.visit) return false;
  return std::find(activity.codes.begin(), activity.codes.end(), fact.code) != activity.codes.end();
}

std::vector<Claim> claims_of(const model::Schedule& schedule) {
  std::map<std::pair<std::string, std::vector<std::string>>, std::size_t> known;
  std::vector<Claim> claims;
  for (std::size_t i = 0; i < schedule.activities.size(); ++i) {
    const Activity& activity = schedule.activities[i];
    std::vector<std::string> codes = activity.codes;
    std::sort(codes.begin(), codes.end());
    const auto place = known.emplace(std::pair(activity.visit, std::move(codes)), claims.size());
    if (place.second) claims.emplace_back();
    claims[place.first->second].activities.push_back(i);
  }
  return claims;
}

void find_deeds(const model::Schedule& schedule, const std::vector<Fact>& facts, Claim& claim) {
  const Activity& activity = schedule.activities[claim.activities.front()];
  // The answers of a day, and of a visit where they carry its name.
  std::map<std::pair<std::int64_t, std::string_view>, std::vector<const Fact*>> sittings;
  for (const Fact& fact : facts) {
    if (!fact.current() || !does(activity, fact)) continue;
    if (activity.codes.size() <= 1) {
      claim.deeds.push_back({.fact = &fact, .known = fact.first, .done = !fact.not_done});
    } else if (fact.when && fact.when->whole()) {
      sittings[{fact.when->first_day, fact.visit}].push_back(&fact);
    } else {
      claim.incomplete.push_back(&fact);
    }
  }
  for (const auto& [day, answers] : sittings) {
    std::set<std::string_view> codes;
    Deed deed{.done = false};
    for (const Fact* one : answers) {
      codes.insert(one->code);
      deed.done |= !one->not_done;
      deed.known = std::max(deed.known, one->first);
      if (!deed.fact || deed.fact->when->from_ms <= one->when->from_ms) deed.fact = one;
    }
    if (codes.size() == activity.codes.size()) {
      claim.deeds.push_back(deed);
    } else {
      claim.incomplete.insert(claim.incomplete.end(), answers.begin(), answers.end());
    }
  }
  std::sort(claim.deeds.begin(), claim.deeds.end(), [](const Deed& a, const Deed& b) {
    const auto order = [](const Deed& one) {
      return std::tuple(one.fact->when ? one.fact->when->from_ms : kNever, one.fact->record);
    };
    return order(a) < order(b);
  });
}

}  // namespace trialward::epro
