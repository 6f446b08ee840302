#include "reports/profile.h"
#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class SubjectProfileTest : public ReportBench {
 protected:
  void SetUp() override {
    ReportBench::SetUp();
    enrol("A-1", "V", R"(,"sex":"F","age":"60","actual_arm":"Verum","treatment":"secret")");
    add("A-1", R"("kind":"exposure","code":"DRUG","effective":"2024-02-01",)"
               R"("attributes":{"exdose":"81","exdosu":"mg","exendtc":"2024-03-01"})");
    event_ = add("A-1", R"("kind":"adverse_event","code":"RASH","effective":"2024-01-15",)"
                        R"("severity":"SEVERE","serious":true,)"
                        R"("attributes":{"aeendtc":"2024-01-20","aebodsys":"SKIN"})");
    add("A-1", R"("kind":"adverse_event","code":"COUGH","effective":"2024-02",)"
               R"("severity":"MILD")");
    for (const char* day : {"2024-01-05", "2024-01-20", "2024-02-20"}) {
      add("A-1", std::string(R"("kind":"lab","code":"ALT","value":50,"unit":"U/L",)") +
                     R"("range":{"low":7,"high":40},"effective":")" + day + R"(")");
    }
    add("A-1", R"("kind":"vital","code":"WEIGHT","value":150,"unit":"LB",)"
               R"("effective":"2024-01-05")");
    add("A-1", R"("kind":"medical_history","code":"ASTHMA","effective":"1999")");
    add("A-1", R"("kind":"disposition","code":"COMPLETED","effective":"2024-03-02")");
    enrol("A-2", "P");
    event2_ = add("A-2", R"("kind":"adverse_event","code":"NAUSEA","effective":"2024-01-15")");
  }

  static Request of(const char* subject, bool unblinded = false, const char* site = "") {
    return {"subject-profile",
            {.site = site, .unblinded = unblinded, .others = {{"subject", subject}}}};
  }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }
  std::int64_t event_ = 0, event2_ = 0;
};

TEST_F(SubjectProfileTest, HasEachRecordOfTheSubjectAndOfNobodyElse) {
  const std::string csv = write(of("A-1"));
  const std::string id = std::to_string(event_);
  EXPECT_TRUE(has(csv, "\"2024-01-15\",\"6\",\"2024-01-20\",\"RASH\",\"\",\"SKIN\",\"SEVERE\","
                       "\"yes\",\"yes\",\"\",\"\",\"\",\"" + id + "\""))
      << csv;
  EXPECT_TRUE(has(csv,
                  "\"2024-01-05\",\"-5\",\"\",\"Alanine aminotransferase\",\"\",\"50\","
                  "\"U/L\",\"7\",\"40\",\"high\",\"\""));
  EXPECT_TRUE(has(csv, "\"1999\",\"\",\"ASTHMA\""));
  EXPECT_FALSE(has(csv, "NAUSEA") || has(csv, "A-2"));
  EXPECT_TRUE(has(write(of("A-2")), "NAUSEA"));
}

TEST_F(SubjectProfileTest, ShowsWhatTheSubjectsPlanCovers) {
  enrol("A-3", "P", R"(,"plan":"PLAN-1")");
  add("A-3", R"("kind":"medication","code":"IBUPROFEN","effective":"2024-01-15",)"
             R"("attributes":{"rxcui":"5640"})");
  add("A-3", R"("kind":"medication","code":"UNKNOWN","effective":"2024-01-15",)"
             R"("attributes":{"rxcui":"1"})");
  add("A-3", R"("kind":"medication","code":"UNCODED","effective":"2024-01-15")");
  const TellCoverage tell = [](std::string_view code, std::string_view plan) {
    return code == "5640" ? "covered by " + std::string(plan) : "";
  };
  const std::string csv = write(of("A-3"), Format::csv, tell);
  EXPECT_TRUE(has(csv, "\"IBUPROFEN\",\"5640\",\"PLAN-1\",\"covered by PLAN-1\",\"")) << csv;
  EXPECT_FALSE(has(csv, "\"UNKNOWN\",\"1\",\"PLAN-1\"") || has(csv, "\"UNCODED\",\"\",\"PLAN"));
  EXPECT_FALSE(has(write(of("A-3")), "Coverage"));
  EXPECT_FALSE(has(write(of("A-2"), Format::csv, tell), "Coverage"));
}

TEST_F(SubjectProfileTest, DoesNotTellTheTreatmentToTheBlinded) {
  for (const Format format : {Format::csv, Format::json, Format::html}) {
    const std::string blinded = write(of("A-1"), format);
    for (const char* word : {"Verum", "\"V\"", "DRUG", "81 mg", "secret", "actual_arm"}) {
      EXPECT_FALSE(has(blinded, word)) << word << " " << to_string(format);
    }
    const std::string unblinded = write(of("A-1", true), format);
    for (const char* word : {"Verum", "DRUG", "secret", "actual_arm"}) {
      EXPECT_TRUE(has(unblinded, word)) << word << " " << to_string(format);
    }
  }
}

TEST_F(SubjectProfileTest, DrawsItsDomainsOnOneAxis) {
  const std::string json = write(of("A-1"), Format::json);
  // From the first visit to the disposition, on days from the first dose; margins of 1 to 2 %.
  std::size_t axes = 0;
  std::string axis;
  for (std::size_t at = 0; (at = json.find("\"from\":", at)) != json.npos; ++at) {
    const std::string found = json.substr(at, json.find(",\"lanes\"", at) - at);
    if (found.find("\"to\":") == found.npos || found.size() > 60) continue;
    if (axis.empty()) axis = found;
    EXPECT_EQ(found, axis);
    ++axes;
  }
  EXPECT_EQ(axes, 1u) << "all domains are on one sheet";
  std::size_t last = 0;
  for (const char* heading : {"Visits", "Exposure", "Adverse events", "Laboratory values",
                              "Vital signs", "Medical history"}) {
    const std::size_t at =
        json.find(R"({"label":")" + std::string(heading) + R"(","heading":true)");
    ASSERT_NE(at, json.npos) << heading << json;
    EXPECT_GT(at, last);
    last = at;
  }
  EXPECT_TRUE(has(json, R"("label":"RASH","note":"serious","bars":[{"from":5,"to":11,)"
                        R"("text":"SEVERE, SERIOUS")"))
      << json;
  // A month and no end: from its first day to the end of the axis.
  EXPECT_TRUE(has(json, R"("label":"COUGH","bars":[{"from":22,)"));
  EXPECT_TRUE(has(json, R"("at":-5,"value":50,"low":7,"high":40)"));
  EXPECT_TRUE(has(json, R"("value":68.0388555)")) << "in the study's own unit";
}

TEST_F(SubjectProfileTest, WhoIsNotThereIsNamed) {
  auto data = load(now());
  ASSERT_TRUE(data.ok());
  const struct {
    Request request;
    const char* message;
  } cases[] = {
      {of("A-9"), "parameters/subject: the study has no subject 'A-9'"},
      {of("a-1"), "parameters/subject: the study has no subject 'a-1'"},
      // No more is told of a subject of another site than of one that is not there.
      {of("A-1", false, "B"), "parameters/subject: site B has no subject 'A-1'"},
  };
  for (const auto& [request, message] : cases) {
    StringOutput output;
    const auto done =
        write_report(request, **data, *make_renderer(Format::csv, output), runtime::Cancel());
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, base::Errc::invalid);
    EXPECT_EQ(done.error().message, message);
  }
}

TEST_F(SubjectProfileTest, IsStopped) {
  auto data = load(now());
  ASSERT_TRUE(data.ok());
  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::disconnected);
  StringOutput output;
  const auto done =
      write_report(of("A-1"), **data, *make_renderer(Format::json, output), cancel);
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, base::Errc::cancelled);
}

TEST_F(SubjectProfileTest, ManyValuesADayAreDrawnAsTheirExtremes) {
  for (int i = 0; i < 600; ++i) {
    add("A-2", R"("kind":"vital","code":"WEIGHT","value":)" + std::to_string(60 + i % 30) +
                   R"(,"unit":"kg","effective":"2024-01-)" + std::to_string(11 + i / 300) + R"(")");
  }
  const std::string json = write(of("A-2"), Format::json);
  EXPECT_TRUE(has(json, "\"note\":\"lowest, highest a day\""));
  std::size_t points = 0;
  for (std::size_t at = 0; (at = json.find("\"value\":", at)) != json.npos; ++at) ++points;
  EXPECT_EQ(points, 4u);
}

}  // namespace
}  // namespace trialward::reports
