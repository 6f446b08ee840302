#include "formulary/drug_list.h"

#include <algorithm>
#include <array>

#include "base/heap_bytes.h"

namespace trialward::formulary {
namespace {

constexpr std::size_t kCodeDigitsMax = 8;

bool holds(std::span<const std::uint16_t> years, int year) {
  return std::find(years.begin(), years.end(), year) != years.end();
}

// 0: the list does not say; 1: no; 2: yes.
std::optional<bool> flag(std::uint8_t flags, unsigned place) {
  const unsigned bits = flags >> (2 * place) & 3U;
  if (bits == 0) return std::nullopt;
  return bits == 2;
}

}  // namespace

std::optional<RxCui> parse_rxcui(std::string_view text) {
  if (text.empty() || text.size() > kCodeDigitsMax || text.front() == '0') return std::nullopt;
  RxCui code = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    code = code * 10 + static_cast<RxCui>(c - '0');
  }
  return code;
}

std::string_view to_string(CoverageStatus status) {
  static constexpr std::array<std::string_view, 3> kNames = {"covered", "not_covered", "unknown"};
  return kNames[static_cast<std::size_t>(status)];
}

std::string in_words(const Terms& terms) {
  std::string words(terms.tier);
  const auto add = [&](const char* what, const std::optional<bool>& flag) {
    words += std::string(", ") + (!flag ? "perhaps " : *flag ? "" : "no ") + what;
  };
  add("prior authorization", terms.prior_authorization);
  add("step therapy", terms.step_therapy);
  add("quantity limit", terms.quantity_limit);
  for (const std::uint16_t year : terms.years) words += ", " + std::to_string(year);
  return words;
}

Terms DrugList::terms(const TermsRow& row) const {
  return {.tier = tiers_[row.tier],
          .prior_authorization = flag(row.flags, 0),
          .step_therapy = flag(row.flags, 1),
          .quantity_limit = flag(row.flags, 2),
          .years = years_[row.years]};
}

std::pair<std::size_t, std::size_t> DrugList::entries(RxCui code) const {
  const auto first = std::lower_bound(drugs_.begin(), drugs_.end(), code,
                                      [](const Drug& a, RxCui b) { return a.code < b; });
  auto end = first;
  while (end != drugs_.end() && end->code == code) ++end;
  return {static_cast<std::size_t>(first - drugs_.begin()),
          static_cast<std::size_t>(end - drugs_.begin())};
}

std::vector<std::string_view> DrugList::names(RxCui code) const {
  std::vector<std::string_view> found;
  const auto [first, end] = entries(code);
  for (std::size_t i = first; i < end; ++i) found.push_back(name(drugs_[i]));
  return found;
}

const Plan* DrugList::find_plan(std::string_view id) const {
  const auto found = plan_places_.find(id);
  return found == plan_places_.end() ? nullptr : &plans_[found->second];
}

std::vector<std::size_t> DrugList::drugs_of_plans() const {
  std::vector<std::uint32_t> uses(sets_.size());
  for (const Drug& drug : drugs_) ++uses[drug.set];
  std::vector<std::size_t> found(plans_.size());
  for (std::size_t set = 0; set + 1 < sets_.size(); ++set) {
    if (uses[set] == 0) continue;
    for (std::size_t at = sets_[set]; at < sets_[set + 1]; ++at) {
      // With several terms a plan stands there several times, side by side.
      const bool again = at > sets_[set] && pairs_[at - 1].plan == pairs_[at].plan;
      if (!again) found[pairs_[at].plan] += uses[set];
    }
  }
  return found;
}

DrugCoverage DrugList::of_drug(const Drug& drug, std::uint16_t plan, int year) const {
  DrugCoverage found{.name = name(drug)};
  const auto begin = pairs_.begin() + sets_[drug.set];
  const auto end = pairs_.begin() + sets_[drug.set + 1];
  auto at = std::lower_bound(begin, end, PlanTerms{.plan = plan});
  for (; at != end && at->plan == plan; ++at) {
    const Terms one = terms(terms_[at->terms]);
    if (year == 0 || holds(one.years, year)) found.terms.push_back(one);
  }
  return found;
}

Coverage DrugList::coverage(RxCui code, std::string_view plan, int year) const {
  Coverage answer;
  const auto place = plan_places_.find(plan);
  if (place == plan_places_.end()) {
    answer.reason = "the list does not know the plan";
    return answer;
  }
  const Plan& known = plans_[place->second];
  if (year != 0 && !holds(known.years, year)) {
    answer.reason = "the list does not have the plan for that year";
    return answer;
  }
  const auto [first, end] = entries(code);
  for (std::size_t i = first; i < end; ++i) {
    answer.drugs.push_back(of_drug(drugs_[i], place->second, year));
  }
  answer.ambiguous = answer.drugs.size() > 1;
  const auto covered =
      static_cast<std::size_t>(std::count_if(answer.drugs.begin(), answer.drugs.end(),
                                             [](const auto& one) { return !one.terms.empty(); }));
  if (covered == 0) {
    answer.status = CoverageStatus::not_covered;
    answer.reason = answer.drugs.empty() ? "the list names no drug with this code"
                                         : "the plan does not list the drug";
  } else if (covered == answer.drugs.size()) {
    answer.status = CoverageStatus::covered;
  } else {
    answer.reason = "the code names several drugs, and the plan covers only some of them";
  }
  return answer;
}

std::size_t bytes_of(const Plan& plan) {
  constexpr std::size_t kMapNode = 64;
  std::size_t bytes = sizeof plan + kMapNode + 2 * base::heap_bytes(plan.id) +
                      base::heap_bytes(plan.name) + kYearsMax * sizeof(std::uint16_t);
  for (const Tier& tier : plan.tiers) bytes += sizeof tier + base::heap_bytes(tier.name);
  return bytes;
}

std::size_t DrugList::bytes_of_drugs() const {
  return names_.bytes() + drugs_.size() * sizeof(Drug) + pairs_.size() * sizeof(PlanTerms) +
         sets_.size() * sizeof(std::uint32_t);
}

std::size_t DrugList::bytes() const {
  std::size_t bytes = bytes_of_drugs() + terms_.size() * sizeof(TermsRow);
  for (const Plan& plan : plans_) bytes += bytes_of(plan);
  for (const std::string& tier : tiers_) bytes += sizeof tier + base::heap_bytes(tier);
  for (const Years& years : years_) {
    bytes += sizeof years + base::heap_bytes(years.size() * sizeof years.front());
  }
  return bytes;
}

}  // namespace trialward::formulary
