#include "reports/report.h"

#include <algorithm>

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class ReportTest : public ReportBench {
 protected:
  void SetUp() override {
    ReportBench::SetUp();
    enrol("A-1", "P", R"(,"sex":"F","age":"60")");
    enrol("A-2", "P", R"(,"sex":"M","age":"64")");
    enrol("A-3", "V", R"(,"sex":"F","age":"66")");
    enrol("B-1", "V", R"(,"sex":"F","age":"70")");
    enrol("B-2", "SCRNFAIL");
    event("A-1", "HEADACHE", "2024-01-09");  // the day before the first dose
    event("A-1", "HEADACHE", "2024-01-10");
    event("A-1", "HEADACHE", "2024-01-12");
    event("A-2", "NAUSEA", "2024-01");  // may have been before
    event("A-3", "NAUSEA", "2024-02-01", true);
    event("B-1", "NAUSEA", "2023-12");     // before, as far as it is known
    event("B-2", "NAUSEA", "2024-02-01");  // not treated
  }

  void event(const std::string& subject, const std::string& term, const std::string& start,
             bool serious = false) {
    add(subject, R"("kind":"adverse_event","code":")" + term + R"(","effective":")" + start +
                     R"(","serious":)" + (serious ? "true" : "false") +
                     R"(,"attributes":{"aebodsys":"BODY"})");
  }
  static bool needs_parameters(const ReportInfo& info) {
    return std::any_of(info.parameters.begin(), info.parameters.end(),
                       [](const ParameterInfo& one) { return one.required; });
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
};

TEST_F(ReportTest, CountsEventsThatEmergedUnderTreatment) {
  const std::string csv = write({"adverse-events", {.site = {}, .unblinded = true, .others = {}}});
  EXPECT_TRUE(has(csv, "\"\",\"Placebo (N=2)\",\"Placebo (N=2)\",\"Verum (N=2)\""));
  EXPECT_TRUE(has(csv,
                  "\"ANY BODY SYSTEM\",\"2 (100.0%)\",\"3\",\"1 (50.0%)\",\"1\","
                  "\"3 (75.0%)\",\"4\",\">.99\"\r\n"))
      << csv;
  EXPECT_TRUE(has(csv, "\"  NAUSEA\",\"1 (50.0%)\",\"1\",\"1 (50.0%)\",\"1\",\"2 (50.0%)\",\"2\""));
  EXPECT_TRUE(has(csv, "\"  HEADACHE\",\"1 (50.0%)\",\"2\",\"0\",\"0\",\"1 (25.0%)\",\"2\""));
}

TEST_F(ReportTest, EachReportIsWrittenForTheStudyAndForASite) {
  for (const ReportInfo& info : catalogue()) {
    if (info.id == "lab-grades" || needs_parameters(info)) continue;
    for (const char* site : {"", "B"}) {
      const Request request{std::string(info.id), {.site = site, .unblinded = false, .others = {}}};
      EXPECT_TRUE(check_request(request, *study_).empty());
      const std::string csv = write(request);
      EXPECT_TRUE(csv.ends_with("\"End of report\"\r\n")) << info.id;
      EXPECT_TRUE(has(csv, *site == '\0' ? "\"scope\",\"study\"" : "\"scope\",\"site B\""));
      EXPECT_FALSE(*site != '\0' && has(csv, "A-1")) << info.id;
      EXPECT_FALSE(has(csv, "Placebo") || has(csv, "Verum")) << info.id;
      EXPECT_EQ(csv, write(request));
    }
  }
}

TEST_F(ReportTest, AStudyWithoutCtcaeIsTold) {
  auto data = load(now());
  ASSERT_TRUE(data.ok());
  StringOutput output;
  const auto done = write_report({"lab-grades", {}}, **data, *make_renderer(Format::csv, output),
                                 runtime::Cancel());
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().message, "the study's definition names no version of the CTCAE: [ctcae]");
}

TEST_F(ReportTest, RequestsAreChecked) {
  const struct {
    Request request;
    const char* fault;
  } cases[] = {
      {{"nothing", {}}, "/report: there is no such report; there are disposition"},
      {{"disposition", {.site = "C", .unblinded = false, .others = {}}},
       "/site: the study has no such site"},
      {{"disposition", {.site = {}, .unblinded = false, .others = {{"a/b", "1"}}}},
       "/parameters/a~1b: the report has no such parameter"},
      {{"subject-profile", {}}, "/parameters/subject: is missing"},
  };
  for (const auto& [request, fault] : cases) {
    const auto faults = check_request(request, *study_);
    ASSERT_EQ(faults.size(), 1u) << fault;
    EXPECT_TRUE((faults[0].path + ": " + faults[0].reason).starts_with(fault));
  }
}

TEST_F(ReportTest, EqualRequestsAreEqualTexts) {
  const Request one{"disposition", {.site = "A", .unblinded = true, .others = {{"a", "b"}}}};
  Request other = one;
  EXPECT_EQ(canonical(one), canonical(other));
  other.parameters.unblinded = false;
  EXPECT_NE(canonical(one), canonical(other));
  other = one;
  other.parameters.others["a"] = "c";
  EXPECT_NE(canonical(one), canonical(other));
}

TEST_F(ReportTest, IsStoppedBetweenRows) {
  auto data = load(now());
  ASSERT_TRUE(data.ok());
  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::disconnected);
  for (const ReportInfo& info : catalogue()) {
    if (info.id == "lab-grades" || info.id.starts_with("lab") || info.id == "vital-signs") continue;
    if (needs_parameters(info)) continue;
    StringOutput output;
    const auto done = write_report({std::string(info.id), {}}, **data,
                                   *make_renderer(Format::json, output), cancel);
    ASSERT_FALSE(done.ok()) << info.id;
    EXPECT_EQ(done.error().code, base::Errc::cancelled) << info.id;
  }
}

}  // namespace
}  // namespace trialward::reports
