// The eDISH report: peaks, quadrants and candidates for Hy's law.
#include "reports/liver.h"

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class LiverTestBench : public ReportBench {
 protected:
  void SetUp() override {
    ReportBench::SetUp();
    use(study_with("",
                   "[[codes]]\nkind = \"lab\"\ncode = \"AST\"\nunit = \"U/L\"\n"
                   "[[codes]]\nkind = \"lab\"\ncode = \"BILI\"\nunit = \"mg/dL\"\n"
                   "[[codes]]\nkind = \"lab\"\ncode = \"ALP\"\nunit = \"U/L\"\n"));
  }

  // A value in multiples of its own upper limit.
  std::int64_t lab(const std::string& subject, const std::string& code, const std::string& day,
                   double times, const std::string& more = "") {
    const bool bilirubin = code == "BILI";
    const double high = bilirubin ? 1.0 : 40;
    return add(subject, R"("kind":"lab","code":")" + code + R"(","value":)" +
                            std::to_string(times * high) + R"(,"unit":")" +
                            (bilirubin ? "mg/dL" : "U/L") + R"(","range":{"low":0.1,"high":)" +
                            std::to_string(high) + R"(},"effective":")" + day + R"(")" + more);
  }

  // One line of the listing of the quadrant of Hy's law; "" for none.
  std::string listed(const std::string& csv, const std::string& subject) {
    const std::size_t listing = csv.find("Subjects in the quadrant of Hy's law");
    const std::size_t from = csv.find("\"" + subject + "\"", listing);
    return from == csv.npos ? "" : csv.substr(from, csv.find("\r\n", from) - from);
  }
};

TEST_F(LiverTestBench, APeakLiesInItsQuadrant) {
  const struct {
    double transaminase, bilirubin;
    std::optional<LiverQuadrant> quadrant;
  } cases[] = {{1, 1, LiverQuadrant::normal},          {2.999, 1.999, LiverQuadrant::normal},
               {3, 1.999, LiverQuadrant::temple},      {2.999, 2, LiverQuadrant::cholestasis},
               {3, 2, LiverQuadrant::hys_law},         {30, 20, LiverQuadrant::hys_law},
               {0, 20, std::nullopt},                  {30, 0, std::nullopt}};
  for (const auto& [transaminase, bilirubin, quadrant] : cases) {
    LiverCourse course;
    course.values = {{nullptr, LiverTest::ast, transaminase},
                     {nullptr, LiverTest::bilirubin, bilirubin}};
    std::erase_if(course.values, [](const LiverValue& one) { return one.times_uln == 0; });
    EXPECT_EQ(course.quadrant(LiverAxis::alt_or_ast), quadrant) << transaminase << " " << bilirubin;
    EXPECT_EQ(course.quadrant(LiverAxis::alt), std::nullopt) << "there is no ALT";
    for (LiverValue& one : course.values) {
      if (one.test == LiverTest::ast) one.test = LiverTest::alt;
    }
    EXPECT_EQ(course.quadrant(LiverAxis::alt), quadrant) << transaminase << " " << bilirubin;
  }
}

TEST_F(LiverTestBench, OnlyValuesUnderTreatmentCount) {
  enrol("A-1", "P");
  lab("A-1", "ALT", "2024-01-09", 9);                           // before the first dose
  lab("A-1", "ALT", "2024-01-10", 8);                           // on its day
  lab("A-1", "ALT", "2024-01-11", 7, R"(,"baseline":true)");    // marked as the baseline
  lab("A-1", "ALT", "2024-01", 6);                              // its day is not known
  lab("A-1", "ALT", "2024-01-11", 2);
  lab("A-1", "BILI", "2024-01-11", 1);
  enrol("B-2", "SCRNFAIL");
  lab("B-2", "ALT", "2024-02-01", 9);                           // not treated
  auto data = load(now());
  ASSERT_TRUE(data.ok());
  const Parameters all;
  const runtime::Cancel cancel;
  const auto courses = liver_courses({**data, all, cancel});
  ASSERT_EQ(courses.size(), 2u);
  ASSERT_EQ(courses[0].values.size(), 2u);
  EXPECT_DOUBLE_EQ(courses[0].transaminase_peak(LiverAxis::alt)->times_uln, 2);
  EXPECT_TRUE(courses[1].values.empty());
}

TEST_F(LiverTestBench, CandidatesHaveBothWithinTheWindow) {
  enrol("A-1", "P");
  lab("A-1", "AST", "2024-02-01", 4);
  lab("A-1", "ALT", "2024-03-01", 5);
  lab("A-1", "BILI", "2024-02-11", 2.5);
  lab("A-1", "BILI", "2024-05-01", 4);
  lab("A-1", "ALP", "2024-04-29", 0.5);
  lab("A-1", "ALP", "2024-05-04", 0.7);
  enrol("A-2", "V");
  lab("A-2", "ALT", "2024-04-01", 3);
  lab("A-2", "BILI", "2024-03-01", 2);  // 31 days before
  const std::string csv = write({"edish", {.site = {}, .unblinded = true, .others = {}}});
  EXPECT_EQ(listed(csv, "A-1"),
            "\"A-1\",\"A\",\"Placebo\",\"yes\",\"5.00\",\"2024-03-01\",\"4.00\",\"2024-02-01\","
            "\"4.00\",\"2024-05-01\",\"0.50\",\"2024-04-29\",\"4.00\",\"2024-02-01\",\"2.50\","
            "\"2024-02-11\",\"10\"");
  EXPECT_EQ(listed(csv, "A-2"),
            "\"A-2\",\"A\",\"Verum\",\"no\",\"3.00\",\"2024-04-01\",\"\",\"\",\"2.00\","
            "\"2024-03-01\",\"\",\"\",\"3.00\",\"2024-04-01\",\"2.00\",\"2024-03-01\",\"-31\"");
  EXPECT_NE(csv.find("\"Candidates for Hy's law\",\"1 (100.0%)\",\"0\",\"1 (50.0%)\""), csv.npos)
      << csv;
  const Request wider{"edish", {.site = {}, .unblinded = false, .others = {{"days", "31"}}}};
  EXPECT_TRUE(check_request(wider, *study_).empty());
  const std::string blinded = write(wider);
  EXPECT_NE(blinded.find("\"Candidates for Hy's law\",\"2 (100.0%)\""), blinded.npos) << blinded;
  EXPECT_NE(listed(blinded, "A-2").find("\"A-2\",\"A\",\"yes\",\"3.00\""), std::string::npos);
}

TEST_F(LiverTestBench, TheAxisIsAltAndCandidatesAreByAltOrAst) {
  enrol("A-1", "P");
  lab("A-1", "ALT", "2024-02-01", 1);
  lab("A-1", "AST", "2024-02-01", 4);
  lab("A-1", "BILI", "2024-02-11", 2.5);
  const Request by_alt{"edish", {}};
  const std::string csv = write(by_alt);
  EXPECT_NE(csv.find("\"Hy's law\",\"0\""), csv.npos) << csv;
  EXPECT_NE(csv.find("\"Cholestasis (hyperbilirubinaemia)\",\"1 (100.0%)\""), csv.npos);
  EXPECT_NE(csv.find("\"Candidates for Hy's law\",\"1 (100.0%)\""), csv.npos);
  EXPECT_TRUE(listed(csv, "A-1").starts_with("\"A-1\",\"A\",\"yes\"")) << csv;
  const Request by_either{"edish",
                          {.site = {}, .unblinded = false, .others = {{"axis", "alt-or-ast"}}}};
  EXPECT_TRUE(check_request(by_either, *study_).empty());
  const std::string either = write(by_either);
  EXPECT_NE(either.find("\"Hy's law\",\"1 (100.0%)\""), either.npos) << either;
  const auto faults = check_request(
      {"edish", {.site = {}, .unblinded = false, .others = {{"axis", "ast"}}}}, *study_);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_EQ(faults[0].path, "/parameters/axis");
  EXPECT_EQ(faults[0].reason, "must be alt or alt-or-ast");
}

TEST_F(LiverTestBench, AWindowIsANumberOfDays) {
  for (const char* days : {"x", "-1", "3651", "1.5", "3 "}) {
    const auto faults = check_request(
        {"edish", {.site = {}, .unblinded = false, .others = {{"days", days}}}}, *study_);
    ASSERT_EQ(faults.size(), 1U) << days;
    EXPECT_EQ(faults[0].path, "/parameters/days");
    EXPECT_EQ(faults[0].reason, "must be a whole number from 0 to 3650");
  }
}

}  // namespace
}  // namespace trialward::reports
