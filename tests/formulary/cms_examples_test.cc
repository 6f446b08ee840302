// The examples that the CMS publishes: every drug in every plan, as they are written there.
#include <filesystem>

#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

class CmsExamples : public FormularyFiles {
 protected:
  void SetUp() override {
    const char* shared = std::getenv("TRIALWARD_SHARED");
    data_ = std::string(shared ? shared : TRIALWARD_SOURCE "/../shared") + "/data/formulary";
    if (!std::filesystem::is_directory(data_)) {
      GTEST_SKIP() << "no data: TRIALWARD_SHARED or ../shared has no " << data_;
    }
    auto gathered = read({write("index.json", R"({"provider_urls":["https://example.org/p.json"],
        "plan_urls":[")" + data_ + R"(/plans.json"],"formulary_urls":[")" +
                                                  data_ + R"(/drugs-1.json",")" + data_ +
                                                  R"(/drugs-2.json"]})")});
    ASSERT_TRUE(gathered) << gathered.error().reason;
    gathered_ = std::move(*gathered);
  }
  std::string data_;
  Gathered gathered_;
};

TEST_F(CmsExamples, TwoPlansHaveAnObjectWhereAnArrayIsDue) {
  EXPECT_EQ(gathered_.list->plans().size(), 3U);
  ASSERT_EQ(gathered_.notes.told.size(), 2U);
  EXPECT_EQ(gathered_.notes.told[0].path, "/1/formulary");
  EXPECT_EQ(gathered_.notes.told[1].path, "/2/formulary");
  for (const Plan& plan : gathered_.list->plans()) {
    EXPECT_EQ(plan.tiers.at(0).name, "GENERIC") << plan.id;
    EXPECT_EQ(plan.tiers.at(0).mail_order, true) << plan.id;
    EXPECT_EQ(plan.tiers.size(), plan.id == "12345XX9876543" ? 2U : 1U) << plan.id;
  }
}

TEST_F(CmsExamples, EveryDrugInEveryPlan) {
  struct Expected {
    const char *name, *tier;
    bool prior, quantity;
  };
  const struct {
    RxCui code;
    const char* plan;
    std::vector<Expected> drugs;
  } cases[] = {
      {209459,
       "12345XX9876543",
       {{"Acetaminophen 500 MG Oral Tablet [Tylenol]", "GENERIC", false, false},
        {"Lialda 1.2 mg tablet", "BRAND", true, false}}},
      {209459,
       "12345XX9876542",
       {{"Acetaminophen 500 MG Oral Tablet [Tylenol]", "GENERIC", false, false},
        {"Lialda 1.2 mg tablet", "BRAND", true, false}}},
      {209459,
       "12345XX9876541",
       {{"Acetaminophen 500 MG Oral Tablet [Tylenol]", "GENERIC", false, false},
        {"Lialda 1.2 mg tablet", "BRAND", true, false}}},
      {248656,
       "12345XX9876543",
       {{"Azithromycin 500 MG Oral Tablet [Zithromax]", "GENERIC", false, true},
        {"Mesalamine 200 mg tablet", "GENERIC", false, true}}},
      {248656,
       "12345XX9876542",
       {{"Azithromycin 500 MG Oral Tablet [Zithromax]", "GENERIC", false, false},
        {"Mesalamine 200 mg tablet", "GENERIC", false, false}}},
  };
  for (const auto& one : cases) {
    for (const int year : {0, 2020}) {
      const Coverage found = gathered_.list->coverage(one.code, one.plan, year);
      EXPECT_EQ(found.status, CoverageStatus::covered);
      EXPECT_TRUE(found.ambiguous);
      ASSERT_EQ(found.drugs.size(), one.drugs.size());
      for (std::size_t i = 0; i < one.drugs.size(); ++i) {
        EXPECT_EQ(found.drugs[i].name, one.drugs[i].name);
        ASSERT_EQ(found.drugs[i].terms.size(), 1U);
        const Terms& terms = found.drugs[i].terms[0];
        EXPECT_EQ(terms.tier, one.drugs[i].tier);
        EXPECT_EQ(terms.prior_authorization, one.drugs[i].prior);
        EXPECT_EQ(terms.step_therapy, false);
        EXPECT_EQ(terms.quantity_limit, one.drugs[i].quantity);
        EXPECT_EQ(std::vector<int>(terms.years.begin(), terms.years.end()), std::vector<int>{2020});
      }
    }
    EXPECT_EQ(gathered_.list->coverage(one.code, one.plan, 2021).status, CoverageStatus::unknown);
  }
  const Coverage bronze = gathered_.list->coverage(248656, "12345XX9876541", 2020);
  EXPECT_EQ(bronze.status, CoverageStatus::not_covered);
  EXPECT_EQ(bronze.drugs.size(), 2U);
  EXPECT_EQ(gathered_.list->coverage(209459, "99999XX9999999", 2020).status,
            CoverageStatus::unknown);
}

}  // namespace
}  // namespace trialward::formulary
