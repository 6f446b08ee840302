// DrugList: which drugs the plans of a formulary pay for, and on what terms. A million drugs take
// some 60 MB: their names lie one behind the other, their entries are 12 bytes each, sorted by
// code, and what many share (terms, years, whole sets of plans) is there once.
//
// It is built by a ListBuilder (list_builder.h) or read from its image (list_image.h), and never
// changes after that: any thread may read it, and nothing it answers fails. What is answered points
// into the list, which must outlive the answer.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formulary/text_pool.h"

namespace trialward::formulary {

using RxCui = std::uint32_t;
// A concept's number in RxNorm: 1 to 8 digits, without leading zeros. Nothing else is one.
std::optional<RxCui> parse_rxcui(std::string_view text);

inline constexpr std::uint16_t kFirstYear = 2000, kLastYear = 2199;
inline constexpr std::size_t kYearsMax = 16;           // of one plan, or of a drug in it
inline constexpr std::size_t kPlansMax = 65'535;       // of a list
inline constexpr std::size_t kTiersOfPlanMax = 200;
inline constexpr std::size_t kTermsMax = 65'535;       // kinds of terms
inline constexpr std::size_t kDrugsMax = 20'000'000;   // entries
inline constexpr std::size_t kNamesOfCodeMax = 64;     // different ones
inline constexpr std::size_t kTermsOfPlanMax = 64;     // different ones, of a drug in a plan
inline constexpr std::size_t kSetsMax = 2 * kDrugsMax; // of plans and terms: ListBuilder::join
inline constexpr std::size_t kPairsMax = 500'000'000;  // plans of drugs, where sets differ

// On what terms a plan pays for a drug. Nothing: the list does not say.
struct Terms {
  std::string_view tier;
  std::optional<bool> prior_authorization, step_therapy, quantity_limit;
  std::span<const std::uint16_t> years;  // ascending
};

// "GENERIC, prior authorization, no step therapy, perhaps quantity limit, 2026".
std::string in_words(const Terms& terms);

struct Tier {
  std::string name;
  std::optional<bool> mail_order;
};

struct Plan {
  std::string id, name;
  std::vector<std::uint16_t> years;  // ascending; none: no file of plans names it
  std::vector<Tier> tiers;
};
std::size_t bytes_of(const Plan& plan);  // of memory, about, with its place in a list

enum class CoverageStatus : std::uint8_t { covered, not_covered, unknown };
std::string_view to_string(CoverageStatus status);

// Of one of the drugs that a code names.
struct DrugCoverage {
  std::string_view name;
  std::vector<Terms> terms;  // none: not covered; several: the list contradicts itself
};

struct Coverage {
  CoverageStatus status = CoverageStatus::unknown;
  std::string_view reason;  // why it is not covered, or unknown
  bool ambiguous = false;   // the code names several drugs
  std::vector<DrugCoverage> drugs;
};

class DrugList {
 public:
  DrugList() = default;
  DrugList(DrugList&&) = default;
  DrugList& operator=(DrugList&&) = default;

  // `year`: of the coverage; 0: of any year that the list has. A plan that the list does not know,
  // or of which it does not have the year, is unknown, never not covered.
  Coverage coverage(RxCui code, std::string_view plan, int year) const;
  // The different names of a code, in order.
  std::vector<std::string_view> names(RxCui code) const;
  const Plan* find_plan(std::string_view id) const;
  const std::vector<Plan>& plans() const { return plans_; }
  // How many drugs each of them lists, in their order. It looks at all there is.
  std::vector<std::size_t> drugs_of_plans() const;

  struct Drug {
    RxCui code = 0;
    std::uint32_t name = 0;  // in names_
    std::uint32_t set = 0;   // in sets_
  };
  // By code, then name; each of both once.
  const std::deque<Drug>& drugs() const { return drugs_; }
  std::string_view name(const Drug& drug) const { return names_.get(drug.name); }
  std::size_t codes() const { return codes_; }  // different ones
  std::size_t bytes() const;                    // of memory, about; it looks at each plan

 private:
  friend class ListBuilder;
  friend class ListWriter;  // of images

  struct PlanTerms {
    std::uint16_t plan = 0, terms = 0;
    auto operator<=>(const PlanTerms&) const = default;
  };
  struct TermsRow {
    std::uint32_t tier = 0, years = 0;  // in tiers_, years_
    std::uint8_t flags = 0;             // two bits each: see flag()
    auto operator<=>(const TermsRow&) const = default;
  };
  using Years = std::vector<std::uint16_t>;

  std::size_t bytes_of_drugs() const;
  Terms terms(const TermsRow& row) const;
  std::pair<std::size_t, std::size_t> entries(RxCui code) const;
  DrugCoverage of_drug(const Drug& drug, std::uint16_t plan, int year) const;

  TextPool names_;
  std::deque<Drug> drugs_;
  std::deque<PlanTerms> pairs_;     // of the sets, each sorted
  std::deque<std::uint32_t> sets_;  // where each begins in pairs_; and the end
  std::vector<TermsRow> terms_;
  std::vector<std::string> tiers_;
  std::vector<Years> years_;
  std::vector<Plan> plans_;
  std::map<std::string, std::uint16_t, std::less<>> plan_places_;
  std::size_t codes_ = 0;
};

}  // namespace trialward::formulary
