// Treatments, and the report of exposure that is made of them.
#include "reports/treatment.h"

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class TreatmentTest : public ReportBench {
 protected:
  void subject(const std::string& id, const std::string& arm) {
    add(id, R"("site":"A","kind":"demographics","code":"DM","effective":"2024-01-01",)"
            R"("attributes":{"arm":")" + arm + R"("})");
  }
  std::int64_t dose(const std::string& subject, const std::string& from, const std::string& to,
                    const std::string& dose, const std::string& frequency = "QD") {
    std::string attributes = R"("exdose":")" + dose + R"(","exdosu":"mg")";
    if (!to.empty()) attributes += R"(,"exendtc":")" + to + R"(")";
    if (!frequency.empty()) attributes += R"(,"exdosfrq":")" + frequency + R"(")";
    return add(subject, R"("kind":"exposure","code":"DRUG","effective":")" + from +
                            R"(","attributes":{)" + attributes + "}");
  }
  void leaves(const std::string& subject, const std::string& day) {
    add(subject, R"("kind":"disposition","code":"COMPLETED","effective":")" + day + R"(")");
  }
  Treatment treatment(const std::string& subject) {
    auto data = load(now());
    TW_CHECK(data.ok());
    data_ = *data;
    const auto all = treatments_of(*data_);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (data_->subjects[i].id == subject) return all[i];
    }
    return {};
  }
  std::shared_ptr<const Dataset> data_;  // what treatments point into
};

TEST_F(TreatmentTest, RecordsAreAddedUp) {
  subject("A-1", "V");
  dose("A-1", "2024-01-20", "2024-01-22", "81", "BID");
  dose("A-1", "2024-01-10", "2024-01-12", "54");
  const Treatment one = treatment("A-1");
  ASSERT_TRUE(one.period());
  EXPECT_EQ(one.period()->days(), 13) << "interruptions are included";
  const auto sums = one.sums();
  ASSERT_EQ(sums.size(), 1u);
  const auto& [key, sum] = *sums.begin();
  EXPECT_EQ(key.first, "DRUG");
  EXPECT_EQ(sum.cumulative, 3 * 54 + 6 * 81);
  EXPECT_DOUBLE_EQ(*sum.daily(), (3 * 54 + 6 * 81) / 13.0);
}

TEST_F(TreatmentTest, WhatHasNoEndGoesOn) {
  subject("A-1", "V");
  dose("A-1", "2024-01-10", "", "54");
  leaves("A-1", "2024-01-19");
  EXPECT_EQ(treatment("A-1").period()->days(), 10);
  EXPECT_TRUE(treatment("A-1").ends_with(Dosing::End::disposition));
  subject("A-2", "V");
  dose("A-2", "2025-06-11", "", "54");  // the as-of time is 2025-06-15
  EXPECT_EQ(treatment("A-2").period()->days(), 5);
  EXPECT_TRUE(treatment("A-2").ends_with(Dosing::End::ongoing));
  subject("A-3", "V");
  dose("A-3", "2024-01-10", "", "54");
  leaves("A-3", "2024-01-02");  // before it began
  EXPECT_EQ(treatment("A-3").period()->days(), 1);
}

TEST_F(TreatmentTest, WhatIsNotKnownIsNotInvented) {
  subject("A-1", "V");
  dose("A-1", "2024-01-10", "2024-01-12", "54");
  dose("A-1", "2024-02", "2024-02-12", "54");  // nobody knows when it began
  EXPECT_FALSE(treatment("A-1").period());
  EXPECT_FALSE(treatment("A-1").sums().begin()->second.cumulative);
  subject("A-2", "V");
  dose("A-2", "2024-01-10", "2024-01-12", "54", "NOW AND THEN");
  EXPECT_EQ(treatment("A-2").period()->days(), 3);
  EXPECT_FALSE(treatment("A-2").sums().begin()->second.cumulative);
  subject("A-3", "V");
  dose("A-3", "2024-01-10", "2024-01-09", "54");  // it ends before it begins
  EXPECT_FALSE(treatment("A-3").period());
  subject("A-4", "V");
  dose("A-4", "2024-01-10", "2024-01-12", "some");
  EXPECT_FALSE(treatment("A-4").sums().begin()->second.cumulative);
  subject("A-5", "V");
  EXPECT_FALSE(treatment("A-5").period());
  EXPECT_TRUE(treatment("A-5").sums().empty());
}

TEST_F(TreatmentTest, TheReportSumsThemUp) {
  subject("A-1", "V");
  dose("A-1", "2024-01-10", "2024-01-12", "54");
  subject("A-2", "V");
  dose("A-2", "2024-01-10", "2024-02-09", "81");
  subject("A-3", "P");
  dose("A-3", "2024-01-10", "2024-01-10", "0");
  const std::string csv = write({"exposure", {.site = {}, .unblinded = true, .others = {}}});
  const char* const lines[] = {
      "\"Days\",\"n\",\"1\",\"2\",\"3\"\r\n\"\",\"Mean\",\"1.0\",\"17.0\",\"11.7\"",
      "\"Categories\",\"1 day or less\",\"1 (100.0%)\",\"0\",\"1 (33.3%)\"",
      "\"\",\"2 days to 1 week\",\"0\",\"1 (50.0%)\",\"1 (33.3%)\"",
      "\"Cumulative: DRUG (mg)\",\"n\",\"1\",\"2\",\"3\"\r\n"
      "\"\",\"Mean\",\"0.0\",\"1336.5\",\"891.0\"",
      "\"Mean per day: DRUG (mg)\",\"n\",\"1\",\"2\",\"3\"\r\n\"\",\"Mean\",\"0.0\",\"67.5\"",
      "\"DRUG\",\"81 mg\",\"0\",\"0\",\"1 (50.0%)\",\"31\",\"1 (33.3%)\",\"31\"",
      "\"A-2\",\"A\",\"Verum\",\"2024-01-10\",\"2024-02-09\",\"recorded\",\"31\",\"2511.0\","
      "\"81.0\""};
  for (const char* line : lines) EXPECT_NE(csv.find(line), csv.npos) << line << "\n" << csv;
  const std::string blinded = write({"exposure", {}});
  for (const char* word : {"DRUG", " mg", "(mg)", "Verum"}) {
    EXPECT_EQ(blinded.find(word), blinded.npos) << word;
  }
  EXPECT_NE(blinded.find("\"Days\",\"n\",\"3\"\r\n\"\",\"Mean\",\"11.7\""), blinded.npos);
}

}  // namespace
}  // namespace trialward::reports
