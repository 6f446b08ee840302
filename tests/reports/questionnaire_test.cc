#include "reports/questionnaire.h"

#include <cmath>

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class QuestionnaireTest : public ReportBench {
 protected:
  void answer(const std::string& subject, const std::string& code, double value,
              const std::string& visit, const std::string& effective,
              const std::string& more = "") {
    add(subject, R"("kind":"questionnaire","code":")" + code + R"(","value":)" +
                     std::to_string(value) + R"(,"visit":")" + visit + R"(","effective":")" +
                     effective + '"' + more);
  }

  QuestionnaireAnswers answers(std::size_t index = 0) {
    data_ = *load(now());
    return answers_of(*data_).at(index);
  }
  // "expected answered score" of each visit of a subject.
  static std::string words(const QuestionnaireAnswers& all, std::size_t subject) {
    std::string text;
    for (std::size_t visit = 0; visit < all.visits.size(); ++visit) {
      const Answer& one = all.at(subject, visit);
      text += one.expected ? "e" : "-";
      text += one.answered ? "a" : "-";
      if (!std::isnan(one.score)) text += std::to_string(std::lround(one.score));
      text += ' ';
    }
    return text;
  }

  std::shared_ptr<const Dataset> data_;
};

constexpr const char* kTotal = R"toml(
[[visits]]
name = "WEEK 2"
label = "2"
day = 14
[[visits]]
name = "WEEK 4"
label = "4"
day = 28
[[questionnaires]]
id = "q"
title = "Q"
total = "QTOT"
)toml";

TEST_F(QuestionnaireTest, IsExpectedUntilTheSubjectHasLeftAndOnceItIsDue) {
  use(study_with(kTotal));
  enrol("A-1", "P");  // first dose: 2024-01-10; week 2 is due on 2024-01-23, week 4 on 2024-02-06
  enrol("A-2", "P");
  enrol("A-3", "P");
  enrol("A-4", "SCRNFAIL");
  answer("A-1", "QTOT", 10, "BASELINE", "2024-01-10", R"(,"baseline":true)");
  answer("A-1", "QTOT", 12, "WEEK 2", "2024-01-23");
  answer("A-1", "QTOT", 13, "WEEK 2", "2024-01-24");
  add("A-1", R"("kind":"disposition","code":"COMPLETED","effective":"2024-02-06")");
  add("A-2", R"("kind":"disposition","code":"DEATH","effective":"2024-01-22")");
  add("A-3", R"("kind":"disposition","code":"DEATH","effective":"2024-01-22")");
  add("A-3", R"("kind":"visit","code":"WEEK 2","effective":"2024-01-22")");
  const auto found = answers();
  ASSERT_EQ(found.visits.size(), 3u);
  EXPECT_TRUE(found.has_baseline);
  EXPECT_DOUBLE_EQ(found.visits[1].week, 2);
  EXPECT_EQ(words(found, 0), "ea10 ea13 e- ") << "the last of two counts";
  EXPECT_EQ(words(found, 1), "e- -- -- ") << "who had left before the day";
  EXPECT_EQ(words(found, 2), "e- e- -- ") << "who came all the same";
  EXPECT_EQ(words(found, 3), "-- -- -- ") << "who is not in the population";
}

TEST_F(QuestionnaireTest, WhatIsNotDueYetIsNotExpected) {
  use(study_with(kTotal));
  add("A-1", R"("site":"A","kind":"demographics","code":"DM","effective":"2025-06-01",)"
             R"("attributes":{"arm":"P"})");
  add("A-1", R"("kind":"exposure","code":"STUDY DRUG","effective":"2025-06-01")");
  // Now is 2025-06-15: week 2 was due on the 14th, and is over.
  const auto found = answers();
  ASSERT_FALSE(found.has_baseline);
  EXPECT_EQ(words(found, 0), "e- -- ");
}

TEST_F(QuestionnaireTest, ItemsAreSummedUpIfAllAreThere) {
  use(study_with(R"toml(
[[questionnaires]]
id = "q"
items = ["Q1", "Q2"]
visits = ["V"]
[[questionnaires]]
id = "p"
items = ["Q1", "Q2", "Q3"]
score = "percent"
not_applicable = 96
visits = ["V"]
)toml"));
  enrol("A-1", "P");
  enrol("A-2", "P");
  answer("A-1", "Q1", 1, "V", "2024-01-20");
  answer("A-1", "Q2", 0, "V", "2024-01-20");
  answer("A-1", "Q3", 96, "V", "2024-01-20");
  answer("A-2", "Q1", 1, "V", "2024-01-20");
  EXPECT_EQ(words(answers(0), 0), "ea1 ");
  EXPECT_EQ(words(answers(0), 1), "ea ") << "one is missing";
  EXPECT_EQ(words(answers(1), 0), "ea50 ");
  EXPECT_EQ(words(answers(1), 1), "ea100 ");
}

TEST_F(QuestionnaireTest, WithoutSettingsEachCategoryIsOne) {
  enrol("A-1", "P");
  const auto in = [](const std::string& category) {
    return R"(,"attributes":{"qscat":")" + category + R"(","visitnum":"2"})";
  };
  answer("A-1", "B1", 1, "V", "2024-01-20", in("B"));
  answer("A-1", "C1", 1, "V", "2024-01-20", in("C"));
  const auto first = answers(0), second = answers(1);
  EXPECT_EQ(first.title, "B");
  EXPECT_EQ(second.title, "C");
  EXPECT_FALSE(first.scored);
  EXPECT_EQ(words(first, 0), "ea ");
}

}  // namespace
}  // namespace trialward::reports
