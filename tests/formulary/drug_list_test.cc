#include "formulary/drug_list.h"

#include <functional>

#include "formulary/list_builder.h"
#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

class DrugListTest : public FormularyFiles {};

TEST_F(DrugListTest, ReadsCodesOfRxNormOnly) {
  EXPECT_EQ(parse_rxcui("209459"), 209459U);
  EXPECT_EQ(parse_rxcui("99999999"), 99999999U);
  for (const char* text : {"", "0", "0123", "123456789", "12a", "-1", "+1", " 1", "1 "}) {
    EXPECT_EQ(parse_rxcui(text), std::nullopt) << text;
  }
}

TEST_F(DrugListTest, TellsCoveredNotCoveredAndUnknownApart) {
  const DrugList list = list_of("[" + drug("1", "Aspirin", in_plan("P")) + "," +
                                drug("2", "Ibuprofen", in_plan("Q", "BRAND", "2021,2020")) + "]");
  const struct {
    RxCui code;
    const char* plan;
    int year;
    CoverageStatus status;
    const char* reason;
  } cases[] = {
      {1, "P", 0, CoverageStatus::covered, ""},
      {1, "P", 2020, CoverageStatus::covered, ""},
      {1, "Q", 0, CoverageStatus::not_covered, "the plan does not list the drug"},
      {3, "P", 0, CoverageStatus::not_covered, "the list names no drug with this code"},
      {1, "R", 0, CoverageStatus::unknown, "the list does not know the plan"},
      {1, "P", 2021, CoverageStatus::unknown, "the list does not have the plan for that year"},
      {2, "Q", 2021, CoverageStatus::covered, ""},
      {1, "Q", 2021, CoverageStatus::not_covered, "the plan does not list the drug"},
  };
  for (const auto& one : cases) {
    const Coverage found = list.coverage(one.code, one.plan, one.year);
    EXPECT_EQ(found.status, one.status) << one.code << one.plan << one.year;
    EXPECT_EQ(found.reason, one.reason) << one.code << one.plan << one.year;
  }
  const Coverage found = list.coverage(2, "Q", 0);
  ASSERT_EQ(found.drugs.size(), 1U);
  const Terms& terms = found.drugs[0].terms.at(0);
  EXPECT_EQ(terms.tier, "BRAND");
  EXPECT_EQ(terms.prior_authorization, false);
  EXPECT_EQ(terms.step_therapy, true);
  EXPECT_EQ(terms.quantity_limit, std::nullopt);
  EXPECT_EQ(std::vector<int>(terms.years.begin(), terms.years.end()),
            (std::vector<int>{2020, 2021}));
}

TEST_F(DrugListTest, ACodeOfSeveralDrugsAnswersAllOfThem) {
  const DrugList list =
      list_of("[" + drug("1", "B", in_plan("P")) + "," + drug("1", "A", in_plan("P")) + "," +
              drug("1", "A", in_plan("Q")) + "," + drug("2", "C", in_plan("P")) + "," +
              drug("2", "D", in_plan("Q")) + "]");
  Coverage found = list.coverage(1, "P", 0);
  EXPECT_TRUE(found.ambiguous);
  EXPECT_EQ(found.status, CoverageStatus::covered);
  ASSERT_EQ(found.drugs.size(), 2U);
  EXPECT_EQ(found.drugs[0].name, "A");
  EXPECT_EQ(found.drugs[1].name, "B");
  EXPECT_EQ(list.names(1), (std::vector<std::string_view>{"A", "B"}));
  // Which of the two is meant nobody can know.
  found = list.coverage(2, "P", 0);
  EXPECT_TRUE(found.ambiguous);
  EXPECT_EQ(found.status, CoverageStatus::unknown);
  EXPECT_EQ(list.codes(), 2U);
  EXPECT_EQ(list.drugs().size(), 4U);
}

TEST_F(DrugListTest, AListThatContradictsItselfTellsBoth) {
  const DrugList list = list_of("[" + drug("1", "A", in_plan("P", "X") + "," + in_plan("P", "Y")) +
                                "," + drug("1", "A", in_plan("P", "X")) + "]");
  const Coverage found = list.coverage(1, "P", 0);
  EXPECT_FALSE(found.ambiguous);
  ASSERT_EQ(found.drugs.size(), 1U);
  EXPECT_EQ(found.drugs[0].terms.size(), 2U);
}

// An issuer's list has a drug once for each of its plans, more often than a code may have names.
TEST_F(DrugListTest, EntriesOfTheSameDrugAreOne) {
  ListBuilder builder(1 << 30);
  const std::uint16_t years[] = {2020};
  constexpr int kPlans = 3 * kNamesOfCodeMax;
  for (int i = 0; i < kPlans; ++i) {
    const std::string plan = "P" + std::to_string(i);
    const ListBuilder::PlanOfDrug covered[] = {
        {.plan = plan, .terms = {.tier = i % 2 == 0 ? "A" : "B", .years = years}}};
    for (int again = 0; again < 2; ++again) {
      ASSERT_TRUE(builder.add_drug(1, "X", covered));
      ASSERT_TRUE(builder.add_drug(1, "Y", {}));
      ASSERT_TRUE(builder.add_drug(2, "X", covered));
    }
  }
  const auto list = builder.finish({});
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->drugs().size(), 3U);
  EXPECT_EQ(list->codes(), 2U);
  EXPECT_EQ(list->names(1), (std::vector<std::string_view>{"X", "Y"}));
  for (int i = 0; i < kPlans; ++i) {
    const Coverage found = list->coverage(2, "P" + std::to_string(i), 2020);
    ASSERT_EQ(found.status, CoverageStatus::covered) << i;
    ASSERT_EQ(found.drugs.at(0).terms.size(), 1U);
    ASSERT_EQ(found.drugs[0].terms[0].tier, i % 2 == 0 ? "A" : "B");
  }
}

TEST_F(DrugListTest, EveryOneOfManyIsFound) {
  ListBuilder builder(1 << 30);
  const std::uint16_t years[] = {2020};
  constexpr RxCui kCount = 100'000;
  for (RxCui i = 0; i < kCount; ++i) {
    const RxCui code = 1 + (i * 7919) % kCount;  // not in order
    const std::string plan = "P" + std::to_string(code % 100);
    const ListBuilder::PlanOfDrug covered[] = {
        {.plan = plan, .terms = {.tier = code % 2 == 0 ? "A" : "B", .years = years}}};
    ASSERT_TRUE(builder.add_drug(code, "drug " + std::to_string(code), covered));
  }
  const auto list = builder.finish({});
  ASSERT_TRUE(list);
  EXPECT_EQ(list->codes(), kCount);
  for (RxCui code = 1; code <= kCount; ++code) {
    const std::string plan = "P" + std::to_string(code % 100);
    const Coverage found = list->coverage(code, plan, 0);
    ASSERT_EQ(found.status, CoverageStatus::covered) << code;
    ASSERT_EQ(found.drugs[0].name, "drug " + std::to_string(code));
    ASSERT_EQ(found.drugs[0].terms[0].tier, code % 2 == 0 ? "A" : "B");
    ASSERT_EQ(list->coverage(code, "P" + std::to_string((code + 1) % 100), 0).status,
              CoverageStatus::not_covered);
  }
  // Compact: 200 sets are shared by all.
  EXPECT_LT(list->bytes(), kCount * 40);
}

// Whatever it is that a source sends without end.
TEST_F(DrugListTest, AllThatGrowsWithTheSourceCountsAsMemory) {
  constexpr std::size_t kBytesMax = 4 << 20, kStepsMax = 60'000;
  const std::uint16_t years[] = {2020};
  const std::string long_text(200, 'x');
  using Add = std::function<base::Status(ListBuilder&, const std::string&)>;
  const struct {
    const char* what;
    Add add;
  } cases[] = {
      {"plans",
       [](ListBuilder& list, const std::string& text) { return list.add_plan({.id = text}); }},
      {"names of plans",
       [&](ListBuilder& list, const std::string& text) {
         return list.add_plan({.id = text, .name = long_text});
       }},
      {"tiers of plans",
       [&](ListBuilder& list, const std::string& text) {
         return list.add_plan({.id = text.substr(0, 4), .tiers = {{.name = text + long_text}}});
       }},
      {"tiers of drugs",
       [&](ListBuilder& list, const std::string& text) {
         const std::string tier = text + long_text;
         const ListBuilder::PlanOfDrug one[] = {
             {.plan = "P", .terms = {.tier = tier, .years = years}}};
         return list.add_drug(1, "name", one);
       }},
      {"names",
       [&](ListBuilder& list, const std::string&) { return list.add_drug(1, long_text, {}); }},
  };
  for (const auto& one : cases) {
    ListBuilder builder(kBytesMax);
    base::Status added;
    std::size_t steps = 0;
    for (; steps < kStepsMax && added; ++steps) {
      added = one.add(builder, std::to_string(100'000 + steps));
    }
    ASSERT_FALSE(added) << one.what;
    EXPECT_EQ(added.error().code, base::Errc::refused) << one.what;
    EXPECT_NE(added.error().message.find("bytes of memory"), std::string::npos)
        << one.what << ": " << added.error().message;
    EXPECT_GT(steps, 1000U) << one.what;
  }
}

TEST_F(DrugListTest, LimitsAreTold) {
  ListBuilder small(1000);
  base::Status added;
  for (RxCui code = 1; code < 100'000 && added; ++code) added = small.add_drug(code, "name", {});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().code, base::Errc::refused);

  for (const std::size_t count : {kNamesOfCodeMax, kNamesOfCodeMax + 1}) {
    ListBuilder names(1 << 30);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(names.add_drug(1, std::to_string(i), {}));
    }
    EXPECT_EQ(names.finish({}).ok(), count == kNamesOfCodeMax);
  }

  const std::uint16_t some_years[] = {2020};
  for (const std::size_t count : {kTermsOfPlanMax, kTermsOfPlanMax + 1}) {
    ListBuilder terms_of_plan(1 << 30);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string tier = std::to_string(i);
      const ListBuilder::PlanOfDrug one[] = {
          {.plan = "P", .terms = {.tier = tier, .years = some_years}}};
      ASSERT_TRUE(terms_of_plan.add_drug(1, "name", one));
    }
    EXPECT_EQ(terms_of_plan.finish({}).ok(), count == kTermsOfPlanMax);
  }

  ListBuilder plans(1 << 30);
  added = {};
  for (std::size_t i = 0; i < kPlansMax; ++i) {
    ASSERT_TRUE(plans.add_plan({.id = std::to_string(i)}));
  }
  EXPECT_EQ(plans.add_plan({.id = "one more"}).error().code, base::Errc::refused);

  ListBuilder terms(1 << 30);
  const std::uint16_t years[] = {2020};
  for (std::size_t i = 0; i <= kTermsMax; ++i) {
    const std::string tier = std::to_string(i);
    const ListBuilder::PlanOfDrug one[] = {{.plan = "P", .terms = {.tier = tier, .years = years}}};
    EXPECT_EQ(terms.add_drug(1, "name", one).ok(), i < kTermsMax);
  }

  for (const std::size_t count : {kTiersOfPlanMax, kTiersOfPlanMax + 1}) {
    ListBuilder tiers(1 << 30);
    added = {};
    for (std::size_t i = 0; i < count && added; ++i) {
      added = tiers.add_plan({.id = "P", .tiers = {{.name = std::to_string(i)}}});
    }
    EXPECT_EQ(added.ok(), count == kTiersOfPlanMax);
  }

  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::requested);
  ListBuilder cancelled(1 << 30);
  ASSERT_TRUE(cancelled.add_drug(1, "name", {}));
  EXPECT_EQ(cancelled.finish(cancel).error().code, base::Errc::cancelled);
}

}  // namespace
}  // namespace trialward::formulary
