// ListBuilder: makes a DrugList of what is added to it, in any order. It needs little more memory
// than the list that comes out of it. One thread. Errors: refused, with the limit that is reached;
// cancelled.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>

#include "base/result.h"
#include "formulary/drug_list.h"
#include "runtime/cancel.h"

namespace trialward::formulary {

class ListBuilder {
 public:
  explicit ListBuilder(std::size_t list_bytes_max) : bytes_max_(list_bytes_max) {}

  struct PlanOfDrug {
    std::string_view plan;
    Terms terms;
  };
  // As far as the plan was named before, what is new of it is added.
  base::Status add_plan(Plan plan);
  // A drug that was added before, by code and name, has the plans of both.
  base::Status add_drug(RxCui code, std::string_view name, std::span<const PlanOfDrug> plans);

  std::size_t drugs() const { return list_.drugs_.size(); }
  std::size_t plans() const { return list_.plans_.size(); }
  // Once.
  base::Result<DrugList> finish(const runtime::Cancel& cancel);

 private:
  using Pairs = std::vector<DrugList::PlanTerms>;

  base::Result<std::uint16_t> plan_place(std::string_view id);
  base::Result<std::uint16_t> terms_place(const Terms& terms);
  std::uint32_t tier_place(std::string_view text);
  std::uint32_t years_place(std::span<const std::uint16_t> years);
  // Of pairs_, which it sorts.
  base::Result<std::uint32_t> set_place();
  // The set of what all entries from `first` to `end`, which are of one drug, have.
  base::Result<std::uint32_t> join(std::size_t first, std::size_t end);
  base::Status check_room() const;
  base::Status join_years(Plan& plan, std::span<const std::uint16_t> years);

  const std::size_t bytes_max_;
  DrugList list_;
  std::size_t other_bytes_ = 0;  // of plans, tiers, years and terms, with the maps below
  std::unordered_map<std::string, std::uint32_t> tier_places_;
  std::map<DrugList::Years, std::uint32_t> years_places_;
  std::map<DrugList::TermsRow, std::uint16_t> terms_places_;
  std::vector<std::uint32_t> recent_sets_;  // by hash: the set that had it last, and 1
  Pairs pairs_;                             // of one drug
  std::vector<std::uint32_t> sets_;         // of one drug
};

}  // namespace trialward::formulary
