#include "cli/simulate_report.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cmath>

namespace trialward::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

SimulateReport example() {
  SimulateReport report;
  report.options.connections = 4;
  report.options.records_per_s = 50;
  report.load = {.requests = 104,
                 .records = 104,
                 .stored = 90,
                 .repeated = 10,
                 .refused = 3,
                 .unanswered = 1,
                 .unsent = 2,
                 .no_retry_after = 3,
                 .by_status = {{200, 10}, {201, 90}, {429, 3}},
                 .first_failure = "429 Too Many Requests: later"};
  for (int i = 1; i <= 100; ++i) report.load.answers.record(milliseconds(i));
  report.load.took = seconds(2);
  return report;
}

double number(std::string_view json, std::string_view pointer) {
  simdjson::dom::parser parser;
  double value = std::nan("");
  EXPECT_EQ(parser.parse(simdjson::padded_string(json)).at_pointer(pointer).get(value),
            simdjson::SUCCESS)
      << pointer;
  return value;
}

TEST(SimulateReport, JsonHasEveryFigure) {
  SimulateReport report = example();
  report.alerts.emplace();
  report.alerts->expected = 2;
  report.alerts->missing = 1;
  report.alerts->from_due.record(milliseconds(7));
  report.server = ServerFigures{.batch_items = 12.5, .commit_s = 0.004};
  const std::string json = report_json(report);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const std::pair<const char*, double> figures[] = {
      {"/rate_wanted", 50},
      {"/rate", 50},
      {"/seconds", 2},
      {"/connections", 4},
      {"/sent", 104},
      {"/stored", 90},
      {"/repeated", 10},
      {"/refused", 3},
      {"/unanswered", 1},
      {"/unsent", 2},
      {"/no_retry_after", 3},
      {"/by_status/201", 90},
      {"/by_status/429", 3},
      {"/answer_ms/count", 100},
      {"/alerts/expected", 2},
      {"/alerts/missing", 1},
      {"/alerts/from_due_ms/max", 7},
      {"/server/commit_ms", 4},
      {"/server/batch_items", 12.5},
      {"/answer_ms/max", 100},
      {"/alerts/from_sent_ms/count", 0},
  };
  for (const auto& [pointer, value] : figures) EXPECT_EQ(number(json, pointer), value) << pointer;
  EXPECT_NEAR(number(json, "/answer_ms/p50"), 50, 50.0 / 64);
  EXPECT_NEAR(number(json, "/answer_ms/p99_9"), 100, 100.0 / 64);
}

TEST(SimulateReport, TheCurveIsThereWhenItIsAskedFor) {
  SimulateReport report = example();
  EXPECT_EQ(report_json(report).find("curve"), std::string::npos);
  report.load.curve.emplace();
  report.load.curve->record(milliseconds(10), milliseconds(3));
  report.load.curve->record(milliseconds(800), milliseconds(100));
  const std::string json = report_json(report);
  EXPECT_EQ(number(json, "/answer_curve/0/p99_ms"), 3);
  EXPECT_EQ(number(json, "/answer_curve/1/at_s"), 0.75);
  EXPECT_EQ(number(json, "/answer_curve/1/count"), 1);
}

TEST(SimulateReport, WhatWasNotMeasuredIsNull) {
  SimulateReport report = example();
  report.options.records_per_s.reset();
  report.load.answers = {};
  const std::string json = report_json(report);
  EXPECT_NE(json.find(R"("rate_wanted":null)"), std::string::npos) << json;
  EXPECT_NE(json.find(R"("answer_ms":{"count":0,"p50":null)"), std::string::npos) << json;
  EXPECT_EQ(json.find("\"alerts\""), std::string::npos) << json;
}

TEST(SimulateReport, TheTableNamesWhatWentWrong) {
  SimulateReport report = example();
  report.load.interrupted = true;
  report.alerts.emplace();
  report.alerts->missing = 3;
  report.alerts->ended = "the server ended the alert stream";
  const std::string table = report_table(report);
  for (const char* words : {"Interrupted", "100 records acknowledged in 2.0 s: 50.0/s", "refused 3",
                            "unsent 2", "429 × 3", "3 alerts did not come",
                            "the server ended the alert stream", "429 Too Many Requests: later"}) {
    EXPECT_NE(table.find(words), std::string::npos) << words << " in\n" << table;
  }
}

TEST(MetricSum, AddsTheSamplesOfOneName) {
  constexpr std::string_view kText =
      "# HELP a_sum Seconds\n# TYPE a_sum counter\na_sum 1.5\na_sum_more 100\n"
      "a_sum{lane=\"x } y\"} 2e1\nb_a_sum 7\na_sum 0.5";
  EXPECT_DOUBLE_EQ(metric_sum(kText, "a_sum"), 22);
  EXPECT_DOUBLE_EQ(metric_sum(kText, "none"), 0);
  EXPECT_DOUBLE_EQ(metric_sum("", "a_sum"), 0);
}

TEST(ServerFigures, AreMeansOfWhatWasAdded) {
  const std::string before =
      "trialward_batch_items_sum 100\ntrialward_batch_items_count 50\n"
      "trialward_commit_seconds_sum 1\ntrialward_commit_seconds_count 50\n";
  const std::string after =
      "trialward_batch_items_sum 400\ntrialward_batch_items_count 60\n"
      "trialward_commit_seconds_sum 1.5\ntrialward_commit_seconds_count 60\n";
  const ServerFigures figures = server_figures(before, after);
  EXPECT_DOUBLE_EQ(figures.batch_items, 30);
  EXPECT_DOUBLE_EQ(figures.commit_s, 0.05);
  EXPECT_TRUE(std::isnan(server_figures(before, before).commit_s));
}

}  // namespace
}  // namespace trialward::cli
