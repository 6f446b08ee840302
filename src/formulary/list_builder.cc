#include "formulary/list_builder.h"

#include <algorithm>

#include "base/heap_bytes.h"
#include "formulary/sort.h"

namespace trialward::formulary {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

// Of the sets of plans that came last, most that come again are found among these many; a table of
// all would need more memory than it saves where sets differ.
constexpr std::size_t kRecentSets = 1 << 16;
constexpr std::size_t kDrugsPerLook = 1024;  // at the cancel token and the memory
constexpr std::size_t kNode = 64;            // of a map, beside what it holds

Error too_many(const char* what, std::size_t most) {
  return {Errc::refused, "the list has more than " + std::to_string(most) + " " + what};
}

std::uint8_t bits(const std::optional<bool>& flag, unsigned place) {
  return static_cast<std::uint8_t>((flag ? (*flag ? 2U : 1U) : 0U) << (2 * place));
}

}  // namespace

Result<std::uint16_t> ListBuilder::plan_place(std::string_view id) {
  const auto found = list_.plan_places_.find(id);
  if (found != list_.plan_places_.end()) return found->second;
  if (list_.plans_.size() >= kPlansMax) return too_many("plans", kPlansMax);
  const auto place = static_cast<std::uint16_t>(list_.plans_.size());
  list_.plans_.push_back({.id = std::string(id)});
  list_.plan_places_.emplace(id, place);
  other_bytes_ += bytes_of(list_.plans_.back());
  return place;
}

// Also of what drugs say of their plans: the years that a list has of a plan are those of both.
Status ListBuilder::join_years(Plan& plan, std::span<const std::uint16_t> years) {
  for (const std::uint16_t year : years) {
    const auto at = std::lower_bound(plan.years.begin(), plan.years.end(), year);
    if (at != plan.years.end() && *at == year) continue;
    if (plan.years.size() >= kYearsMax) return too_many("years of a plan", kYearsMax);
    plan.years.insert(at, year);
  }
  return {};
}

Status ListBuilder::add_plan(Plan plan) {
  const auto place = plan_place(plan.id);
  if (!place) return place.error();
  Plan& known = list_.plans_[*place];
  const std::size_t before = bytes_of(known);
  if (known.name.empty()) known.name = std::move(plan.name);
  for (Tier& tier : plan.tiers) {
    const bool again = std::any_of(known.tiers.begin(), known.tiers.end(),
                                   [&](const Tier& one) { return one.name == tier.name; });
    if (again) continue;
    if (known.tiers.size() >= kTiersOfPlanMax) return too_many("tiers of a plan", kTiersOfPlanMax);
    known.tiers.push_back(std::move(tier));
  }
  other_bytes_ += bytes_of(known) - before;
  if (auto room = check_room(); !room) return room;
  return join_years(known, plan.years);
}

std::uint32_t ListBuilder::years_place(std::span<const std::uint16_t> years) {
  DrugList::Years copy(years.begin(), years.end());
  const auto [found, added] =
      years_places_.try_emplace(copy, static_cast<std::uint32_t>(list_.years_.size()));
  if (!added) return found->second;
  other_bytes_ += 2 * (sizeof copy + base::heap_bytes(copy.size() * sizeof copy.front())) + kNode;
  list_.years_.push_back(std::move(copy));
  return found->second;
}

std::uint32_t ListBuilder::tier_place(std::string_view text) {
  const auto [found, added] = tier_places_.try_emplace(
      std::string(text), static_cast<std::uint32_t>(list_.tiers_.size()));
  if (!added) return found->second;
  list_.tiers_.emplace_back(text);
  other_bytes_ += 2 * (sizeof(std::string) + base::heap_bytes(list_.tiers_.back())) + kNode;
  return found->second;
}

Result<std::uint16_t> ListBuilder::terms_place(const Terms& terms) {
  const DrugList::TermsRow row{.tier = tier_place(terms.tier),
                               .years = years_place(terms.years),
                               .flags = static_cast<std::uint8_t>(
                                   bits(terms.prior_authorization, 0) |
                                   bits(terms.step_therapy, 1) | bits(terms.quantity_limit, 2))};
  const auto [found, added] =
      terms_places_.try_emplace(row, static_cast<std::uint16_t>(list_.terms_.size()));
  if (!added) return found->second;
  if (list_.terms_.size() >= kTermsMax) return too_many("kinds of terms", kTermsMax);
  list_.terms_.push_back(row);
  other_bytes_ += 2 * sizeof row + kNode;
  return found->second;
}

Result<std::uint32_t> ListBuilder::set_place() {
  std::sort(pairs_.begin(), pairs_.end());
  pairs_.erase(std::unique(pairs_.begin(), pairs_.end()), pairs_.end());
  std::uint64_t hash = 1469598103934665603U;
  std::size_t of_plan = 0;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const auto& [plan, terms] = pairs_[i];
    of_plan = i > 0 && pairs_[i - 1].plan == plan ? of_plan + 1 : 1;
    if (of_plan > kTermsOfPlanMax) return too_many("terms of one drug in a plan", kTermsOfPlanMax);
    hash = (hash ^ (std::uint32_t{plan} << 16 | terms)) * 1099511628211U;
  }
  if (recent_sets_.empty()) recent_sets_.resize(kRecentSets);
  std::uint32_t& recent = recent_sets_[(hash ^ hash >> 32) % kRecentSets];
  if (recent != 0) {
    const auto begin = list_.pairs_.begin() + list_.sets_[recent - 1];
    const auto end = list_.pairs_.begin() + list_.sets_[recent];
    if (std::equal(begin, end, pairs_.begin(), pairs_.end())) return recent - 1;
  }
  if (list_.pairs_.size() + pairs_.size() > kPairsMax) return too_many("plans of drugs", kPairsMax);
  if (list_.sets_.empty()) list_.sets_.push_back(0);
  list_.pairs_.insert(list_.pairs_.end(), pairs_.begin(), pairs_.end());
  list_.sets_.push_back(static_cast<std::uint32_t>(list_.pairs_.size()));
  recent = static_cast<std::uint32_t>(list_.sets_.size() - 1);
  return recent - 1;
}

Status ListBuilder::check_room() const {
  if (list_.bytes_of_drugs() + other_bytes_ <= bytes_max_) return {};
  return Error{Errc::refused,
               "the list would take more than " + std::to_string(bytes_max_) + " bytes of memory"};
}

Status ListBuilder::add_drug(RxCui code, std::string_view name, std::span<const PlanOfDrug> plans) {
  if (drugs() >= kDrugsMax) return too_many("drugs", kDrugsMax);
  if (auto room = check_room(); !room) return room;
  pairs_.clear();
  for (const PlanOfDrug& one : plans) {
    const auto plan = plan_place(one.plan);
    if (!plan) return plan.error();
    if (auto joined = join_years(list_.plans_[*plan], one.terms.years); !joined) return joined;
    const auto terms = terms_place(one.terms);
    if (!terms) return terms.error();
    pairs_.push_back({*plan, *terms});
  }
  const auto set = set_place();
  if (!set) return set.error();
  const auto place = list_.names_.add(name);
  if (!place) return Error{Errc::refused, "the names of the list's drugs take more than 4 GiB"};
  list_.drugs_.push_back({.code = code, .name = *place, .set = *set});
  return {};
}

// The sets that it takes the place of stay, unused: at most one new set for two entries.
Result<std::uint32_t> ListBuilder::join(std::size_t first, std::size_t end) {
  sets_.clear();
  for (std::size_t i = first; i < end; ++i) sets_.push_back(list_.drugs_[i].set);
  std::sort(sets_.begin(), sets_.end());
  sets_.erase(std::unique(sets_.begin(), sets_.end()), sets_.end());
  if (sets_.size() == 1) return sets_.front();
  pairs_.clear();
  for (const std::uint32_t set : sets_) {
    pairs_.insert(pairs_.end(), list_.pairs_.begin() + list_.sets_[set],
                  list_.pairs_.begin() + list_.sets_[set + 1]);
  }
  return set_place();
}

Result<DrugList> ListBuilder::finish(const runtime::Cancel& cancel) {
  auto& drugs = list_.drugs_;
  if (list_.sets_.empty()) list_.sets_.push_back(0);
  const bool sorted =
      sort_unless(cancel, drugs.begin(), drugs.end(), [this](const auto& a, const auto& b) {
        return a.code != b.code ? a.code < b.code : list_.name(a) < list_.name(b);
      });
  if (!sorted) return Error{Errc::cancelled, "cancelled"};
  const auto same_drug = [this](const auto& a, const auto& b) {
    return a.code == b.code && list_.name(a) == list_.name(b);
  };
  std::size_t kept = 0, of_code = 0;
  for (std::size_t first = 0, end = 0; first < drugs.size(); first = end, ++kept) {
    if (kept % kDrugsPerLook == 0) {
      if (cancel.fired()) return Error{Errc::cancelled, "cancelled"};
      if (auto room = check_room(); !room) return room.error();
    }
    do ++end;
    while (end < drugs.size() && same_drug(drugs[end], drugs[first]));
    const auto set = join(first, end);
    if (!set) return set.error();
    of_code = kept > 0 && drugs[kept - 1].code == drugs[first].code ? of_code + 1 : 1;
    if (of_code == 1) ++list_.codes_;
    if (of_code > kNamesOfCodeMax) return too_many("names of one code", kNamesOfCodeMax);
    drugs[kept] = drugs[first];
    drugs[kept].set = *set;
  }
  drugs.resize(kept);
  return std::move(list_);
}

}  // namespace trialward::formulary
