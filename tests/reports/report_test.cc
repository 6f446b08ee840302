#include "reports/report.h"

#include <simdjson.h>

#include <algorithm>

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

using base::Status;

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

// A study that has something in every report.
class DrillTest : public ReportBench {
 protected:
  void SetUp() override {
    ReportBench::SetUp();
    const std::string more = R"toml(
[ctcae]
version = "5"
[[codes]]
kind = "lab"
code = "BILI"
unit = "mg/dL"
[[codes]]
kind = "questionnaire"
code = "QTOT"
)toml";
    const std::string reports = R"toml(
[[questionnaires]]
id = "q"
title = "Q"
total = "QTOT"
)toml";
    use(study_with(reports, more));
    for (const char* subject : {"A-1", "A-2", "B-1"}) fill(subject);
    enrol("B-2", "SCRNFAIL");
  }

  void fill(const std::string& subject) {
    enrol(subject, subject == "A-1" ? "P" : "V", R"(,"sex":"F","age":"60")");
    add(subject, R"("kind":"adverse_event","code":"RASH","effective":"2024-01-12","serious":true)");
    add(subject, R"("kind":"disposition","code":"DEATH","effective":"2024-03-01")");
    for (const char* at : {R"("visit":"BASELINE","effective":"2024-01-09","baseline":true)",
                           R"("visit":"WEEK 2","effective":"2024-01-24")"}) {
      const bool after = std::string(at).starts_with(R"("visit":"WEEK)");
      const auto measure = [&](const std::string& what) { add(subject, what + "," + at); };
      measure(R"("kind":"visit","code":)" + std::string(after ? R"("WEEK 2")" : R"("BASELINE")"));
      measure(R"("kind":"lab","code":"ALT","unit":"U/L","range":{"low":5,"high":40},"value":)" +
              std::string(after ? "160" : "20"));
      measure(R"("kind":"lab","code":"BILI","unit":"mg/dL","range":{"low":0.1,"high":1},"value":)" +
              std::string(after ? "3" : "0.5"));
      measure(R"("kind":"vital","code":"WEIGHT","unit":"kg","value":70)");
      measure(R"("kind":"questionnaire","code":"QTOT","value":10)");
    }
  }

  // Each cell of a row that has ids names as many as it counts; how many such cells there are.
  static int check_row(simdjson::dom::element row, const std::string& where) {
    int drills = 0;
    std::string_view label;  // the words that stand before the numbers
    for (auto cell : row["cells"].get_array()) {
      if (cell.is_string()) label = cell.get_string().value();
      if (!cell.is_object()) continue;
      std::int64_t count = 0;
      const bool counts = cell["count"].get(count) == simdjson::SUCCESS;
      const bool cut = cell["cut"].error() == simdjson::SUCCESS;
      for (const char* key : {"subjects", "records"}) {
        simdjson::dom::array ids;
        if (cell[key].get(ids) != simdjson::SUCCESS) continue;
        ++drills;
        if (counts && !cut) {
          EXPECT_EQ(static_cast<std::int64_t>(ids.size()), count) << where << key;
        }
      }
      const bool of_subjects = label == "n" || cell["of"].error() == simdjson::SUCCESS;
      if (counts && count > 0 && of_subjects) {
        EXPECT_EQ(cell["subjects"].error(), simdjson::SUCCESS) << where << simdjson::minify(row);
      }
    }
    return drills;
  }
};

TEST_F(DrillTest, EveryReportNamesWhomItCounts) {
  for (const ReportInfo& info : catalogue()) {
    Request request{std::string(info.id), {.site = {}, .unblinded = true, .others = {}}};
    for (const ParameterInfo& one : info.parameters) {
      if (one.required) request.parameters.others[std::string(one.name)] = "A-1";
    }
    const std::string json = write(request, Format::json);
    simdjson::dom::parser parser;
    simdjson::dom::element document;
    ASSERT_EQ(parser.parse(json).get(document), simdjson::SUCCESS);
    int drills = 0;
    for (auto part : document["content"].get_array()) {
      simdjson::dom::array rows;
      if (part.at_pointer("/table/rows").get(rows) != simdjson::SUCCESS) continue;
      for (auto row : rows) drills += check_row(row, std::string(info.id) + ": ");
    }
    EXPECT_GT(drills, 0) << info.id;
  }
}

// The lines of a code: 97.5 F was measured to a tenth of a degree, whatever its value in C is.
TEST_F(ReportTest, SumsHaveNoMoreDecimalsThanTheValuesAsSent) {
  const std::string more = R"toml(
[[codes]]
kind = "vital"
code = "TEMP"
unit = "C"
also = [{ unit = "F", factor = 0.5555555555555556, offset = -17.77777777777778 }]
[[codes]]
kind = "lab"
code = "CREAT"
unit = "mg/dL"
)toml";
  use(study_with("", more));
  const std::string at = R"(,"visit":"WEEK 2","effective":"2024-01-24")";
  for (const char* number : {"1", "2"}) {
    const std::string subject = std::string("A-") + number;
    enrol(subject, "P");
    add(subject,
        R"("kind":"vital","code":"TEMP","unit":"F","value":97.)" + std::string(number) + at);
    add(subject,
        R"("kind":"vital","code":"WEIGHT","unit":"LB","value":15)" + std::string(number) + at);
    add(subject,
        R"("kind":"lab","code":"CREAT","unit":"umol/L","value":8)" + std::string(number) + at);
  }
  const std::string vitals = write({"vital-signs", {}}), labs = write({"lab-summary", {}});
  const auto lines = [](const std::string& mean, const std::string& sd, const std::string& low) {
    const std::string none = "\",\"\"\r\n\"\",\"\",\"";
    return "\"Mean\",\"" + mean + none + "SD\",\"" + sd + none + "Median\",\"" + mean + none +
           "Min\",\"" + low;
  };
  EXPECT_TRUE(has(vitals, lines("36.19", "0.039", "36.2"))) << vitals;  // 36.194, 0.0393, 36.167
  EXPECT_TRUE(has(vitals, lines("68.7", "0.32", "68"))) << vitals;      // 68.719, 0.3207, 68.492
  EXPECT_TRUE(has(labs, lines("0.922", "0.0080", "0.92"))) << labs;     // 0.9219, 0.00800, 0.9163
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

TEST_F(ReportTest, StatesWhatItRestsOn) {
  add("A-1", R"("kind":"lab","code":"ALT","value":30,"unit":"U/L","effective":"2024-01-09")");
  auto positions = now();
  positions.alert_event = 3;
  auto data = load(positions);
  ASSERT_TRUE(data.ok());
  const std::string entry = std::to_string(positions.audit);
  EXPECT_EQ(positions.record, 17);
  ASSERT_EQ(positions.audit_heads.size(), 64u);
  ASSERT_EQ(study_->hash.size(), 64u);
  struct Seen final : Sink {
    Status begin(const Head& given) override {
      head = given;
      return {};
    }
    Status section(std::string_view) override { return {}; }
    Status table(const TableHead&) override { return {}; }
    Status row(const Row&) override { return {}; }
    Status end_table(std::span<const std::string>) override { return {}; }
    Status plot(const Plot&) override { return {}; }
    Status timeline(const Timeline&) override { return {}; }
    Status end() override { return {}; }
    Head head;
  };
  for (const ReportInfo& info : catalogue()) {
    if (info.id == "lab-grades") continue;
    Request request{std::string(info.id), {.site = "B", .unblinded = true, .others = {}}};
    if (needs_parameters(info)) request.parameters.others["subject"] = "B-1";
    Seen seen;
    const auto done = write_report(request, **data, seen, runtime::Cancel());
    ASSERT_TRUE(done.ok()) << info.id << ": " << why(done);
    EXPECT_EQ(seen.head.report, info.id);
    EXPECT_EQ(seen.head.title, info.title);
    std::vector<std::pair<std::string, std::string>> expected = {
        {"study", "small"}, {"study title", "A small study"}, {"scope", "site B"},
        {"treatment", "unblinded"}};
    if (needs_parameters(info)) expected.emplace_back("subject", "B-1");
    expected.insert(expected.end(),
                    {{"as of", "2025-06-15T15:06:40.000Z"},
                     {"positions", "2025-06-15T15:06:40.000Z@" + entry + "@" +
                                       study_->hash.substr(0, 16)},
                     {"last record", "17"},
                     {"last alert event", "3"},
                     {"audit trail", "entry " + entry + ", heads " + positions.audit_heads},
                     {"study definition", study_->hash},
                     {"program", "trialward test"}});
    EXPECT_EQ(seen.head.statements, expected) << info.id;
  }
}

TEST_F(ReportTest, IsStoppedBetweenRows) {
  use(study_with("", "[ctcae]\nversion = \"5\"\n"));
  for (const char* subject : {"A-1", "A-3"}) {
    for (const char* date : {"2024-01-09", "2024-01-20"}) {
      const std::string rest =
          R"(,"visit":"WEEK 2","effective":")" + std::string(date) + R"(","attributes":{)"
          R"("visitnum":"3"})";
      add(subject, R"("kind":"lab","code":"ALT","value":30,"unit":"U/L",)"
                   R"("range":{"low":7,"high":40})" + rest);
      add(subject, R"("kind":"vital","code":"WEIGHT","value":70,"unit":"kg")" + rest);
    }
  }
  auto data = load(now());
  ASSERT_TRUE(data.ok());
  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::disconnected);
  for (const ReportInfo& info : catalogue()) {
    Request request{std::string(info.id), {}};
    if (needs_parameters(info)) request.parameters.others["subject"] = "A-1";
    StringOutput output;
    const auto done =
        write_report(request, **data, *make_renderer(Format::json, output), cancel);
    ASSERT_FALSE(done.ok()) << info.id;
    EXPECT_EQ(done.error().code, base::Errc::cancelled) << info.id;
  }
}

}  // namespace
}  // namespace trialward::reports
