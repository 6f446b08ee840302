#include "reports/indicators.h"

#include "base/milliseconds.h"
#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

using base::kDayMs;
constexpr std::int64_t kFirstDay = 1'704'067'200'000;  // 2024-01-01T00:00:00Z

class IndicatorsTest : public ReportBench {
 protected:
  // Received at noon so many days after 2024-01-01.
  void receive(int day) { now_ms_ = kFirstDay + day * kDayMs + kDayMs / 2; }

  SiteCount count(const std::string& id, const std::string& site) {
    auto data = load(now());
    TW_CHECK(data.ok());
    const Parameters parameters;
    const runtime::Cancel cancel;
    const auto all = indicators_of(Context{**data, parameters, cancel});
    TW_CHECK(all.ok());
    for (const Indicator& one : *all) {
      for (const SiteCount& found : one.sites) {
        if (one.id == id && found.site == site) {
          SiteCount copy = found;
          copy.drill.subjects.clear();  // views of what goes with the dataset
          return copy;
        }
      }
    }
    return {};
  }

  void alt(const std::string& subject, const std::string& more) {
    add(subject, R"("kind":"lab","code":"ALT",)" + more);
  }
  void dispose(const std::string& subject, const std::string& code, const std::string& day,
               const std::string& category) {
    add(subject, R"("kind":"disposition","code":")" + code + R"(","effective":")" + day +
                     R"(","attributes":{"dscat":")" + category + R"("})");
  }
};

TEST_F(IndicatorsTest, LateIsMoreDaysThanTheStudySays) {
  enrol("A-1", "P");
  const std::string value = R"("value":20,"unit":"U/L","effective":)";
  receive(14);  // the fifth day after 2024-01-10
  alt("A-1", value + R"("2024-01-10")");
  EXPECT_EQ(count("late-entries", "A").count, 0);
  receive(15);
  alt("A-1", value + R"("2024-01-11")");
  alt("A-1", value + R"("2024-01")");  // not to the day: it does not count
  alt("A-1", value + R"("2024-01-10T08:00:00Z")");
  add("A-1", R"("kind":"adverse_event","code":"RASH","effective":"2024-01-05")");
  add("A-1", R"("kind":"medication","code":"ASPIRIN","effective":"2001-01-05")");
  const SiteCount late = count("late-entries", "A");
  EXPECT_EQ(late.of, 4);
  EXPECT_EQ(late.count, 2);
  EXPECT_EQ(late.drill.records.size(), 2u);
  use(study_with("[indicators]\nlate_days = 3"));
  EXPECT_EQ(count("late-entries", "A").count, 4);
}

TEST_F(IndicatorsTest, ASiteThatTheDefinitionHasNoMoreIsCounted) {
  enrol("A-1", "P");
  receive(2);
  alt("A-1", R"("value":20,"unit":"U/L","effective":"2024-01-02")");
  auto changed = std::make_shared<model::Study>(*study_);
  std::erase_if(changed->sites, [](const model::Site& site) { return site.id == "A"; });
  study_ = changed;
  EXPECT_EQ(count("late-entries", "A").of, 1);
}

TEST_F(IndicatorsTest, MissingIsWhatWasNotDoneOrHasNoValueOrIsDoubtful) {
  enrol("A-1", "P");
  alt("A-1", R"("value":20,"unit":"U/L")");
  alt("A-1", R"("not_done":"sample lost")");
  alt("A-1", R"("value":"HEMOLYZED")");
  add("A-1", R"("kind":"vital","code":"WEIGHT","value":70,"unit":"kg")");
  const SiteCount missing = count("missing-data", "A");
  EXPECT_EQ(missing.of, 4);
  EXPECT_EQ(missing.count, 1);
}

TEST_F(IndicatorsTest, AQuestionnaireThatNeverCameIsMissing) {
  const std::string code = "[[codes]]\nkind = \"questionnaire\"\ncode = \"QTOT\"\n";
  const std::string reports = R"toml(
[[visits]]
name = "WEEK 2"
day = 14
[[questionnaires]]
id = "q"
title = "Q"
total = "QTOT"
)toml";
  use(study_with(reports, code));
  for (const char* subject : {"A-1", "A-2", "A-3"}) enrol(subject, "P");
  enrol("A-4", "SCRNFAIL");
  add("A-1", R"("kind":"questionnaire","code":"QTOT","value":3,"visit":"WEEK 2",)"
             R"("effective":"2024-01-23")");
  dispose("A-3", "DEATH", "2024-01-20", "DISPOSITION EVENT");  // before the visit was due
  const SiteCount missing = count("missing-questionnaires", "A");
  EXPECT_EQ(missing.of, 2);
  EXPECT_EQ(missing.count, 1);
}

TEST_F(IndicatorsTest, SubjectTimeEndsWhenTheSubjectLeavesOrNow) {
  enrol("A-1", "P");  // first dose: 2024-01-10
  enrol("B-1", "V");
  dispose("A-1", "COMPLETED", "2024-01-19", "DISPOSITION EVENT");
  dispose("A-1", "FINAL VISIT", "2024-03-01", "OTHER EVENT");
  EXPECT_DOUBLE_EQ(count("adverse-events", "A").years, 10 / 365.25);
  // Now is 2025-06-15: 523 days, both ends counted.
  EXPECT_DOUBLE_EQ(count("adverse-events", "B").years, 523 / 365.25);
}

TEST_F(IndicatorsTest, OnlyEventsUnderTreatmentOfThoseWithATimeCount) {
  enrol("A-1", "P");
  enrol("A-2", "SCRNFAIL");
  for (const char* day : {"2024-01-09", "2024-01-10", "2024-02", "2024"}) {
    add("A-1", R"("kind":"adverse_event","code":"RASH","effective":")" + std::string(day) + '"');
  }
  add("A-2", R"("kind":"adverse_event","code":"RASH","effective":"2024-02-01")");
  EXPECT_EQ(count("adverse-events", "A").count, 3);
}

TEST_F(IndicatorsTest, WhoLeftOtherwiseThanCompletedDroppedOut) {
  for (const char* subject : {"A-1", "A-2", "A-3", "A-4"}) enrol(subject, "P");
  enrol("A-5", "SCRNFAIL");
  dispose("A-1", "COMPLETED", "2024-02-01", "DISPOSITION EVENT");
  dispose("A-2", "ADVERSE EVENT", "2024-02-01", "DISPOSITION EVENT");
  dispose("A-3", "RANDOMIZED", "2024-01-09", "PROTOCOL MILESTONE");
  dispose("A-5", "SCREEN FAILURE", "2024-01-09", "DISPOSITION EVENT");
  EXPECT_EQ(count("dropout", "A").of, 4);
  EXPECT_EQ(count("dropout", "A").count, 1);
  EXPECT_EQ(count("screen-failure", "A").of, 5);
  EXPECT_EQ(count("screen-failure", "A").count, 1);
  use(study_with("[dispositions]\ncompleted = [\"ADVERSE EVENT\"]"));
  EXPECT_EQ(count("dropout", "A").count, 1) << "now the other one";
}

TEST_F(IndicatorsTest, ASiteThatDiffersIsFlaggedAndASmallOneIsNot) {
  for (int i = 0; i < 30; ++i) {
    enrol("A-" + std::to_string(i), "P");
    if (i < 24) dispose("A-" + std::to_string(i), "DEATH", "2024-02-01", "DISPOSITION EVENT");
  }
  for (int i = 0; i < 30; ++i) enrol("B-" + std::to_string(i), "P");
  const std::string csv = write({"key-risk-indicators", {}});
  EXPECT_NE(csv.find("\"A\",\"24\",\"30\",\"80.0\""), std::string::npos) << csv;
  EXPECT_NE(csv.find("\"above 99.8 %\""), std::string::npos);
  EXPECT_NE(csv.find("\"below 99.8 %\""), std::string::npos);
  EXPECT_NE(csv.find("\"Dropouts (% of subjects with an arm)\""), csv.npos);
  // The worst is red, and never milder in its colour than what is beyond 95 % alone.
  const std::string html = write({"key-risk-indicators", {}}, Format::html);
  const std::size_t plot = html.find("<figure id=\"funnel-dropout\">");
  ASSERT_NE(plot, html.npos);
  const std::size_t legend = html.find(">Beyond 99.8 %</text>", plot);
  ASSERT_NE(legend, html.npos);
  EXPECT_NE(html.rfind("fill=\"#c1121f\"", legend), html.npos);
  EXPECT_GT(html.rfind("fill=\"#c1121f\"", legend), html.rfind("fill=\"#2b7d3b\"", legend) + 1);
  EXPECT_NE(html.find(">Number of subjects with an arm</text>", plot), html.npos);
  const std::string own =
      write({"key-risk-indicators", {.site = "B", .unblinded = false, .others = {}}});
  EXPECT_EQ(own.find("\"above 99.8 %\""), std::string::npos) << "of the other site nothing is told";
  EXPECT_NE(own.find("\"B\",\"0\",\"30\",\"0.0\""), std::string::npos) << own;
}

}  // namespace
}  // namespace trialward::reports
