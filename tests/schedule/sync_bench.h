// A study in a store, a partner that lives in memory behind an Outbound, and what connects them:
// for tests of a cycle.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "model/effective_time.h"
#include "model/record.h"
#include "runtime/task_list.h"
#include "schedule/cycle.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::schedule {

constexpr std::int64_t kDay = 86'400'000;

// Answers within send(), as the contract says; or whatever `fault` says of the n-th call.
class PartnerInMemory final : public base::Outbound {
 public:
  using Fault = std::function<std::optional<base::OutboundAnswer>(const base::OutboundRequest&)>;
  struct Plan {
    int version = 1;
    std::int64_t updated_ms = 0;
    std::string text;
  };

  base::Result<Id> send(base::OutboundRequest request, Done done) override {
    calls.push_back(request.method + " " + request.url.substr(request.url.find("/CarePlan")));
    base::OutboundAnswer answer;
    std::optional<base::OutboundAnswer> wrong;
    if (fault) wrong = fault(request);
    answer = wrong ? std::move(*wrong) : act(request);
    done(std::move(answer));
    return ++id_;
  }
  base::Result<Id> mail(base::OutboundMail, Done) override {
    return base::invalid("no mail");
  }
  void cancel(Id) override {}

  void put(const std::string& id, std::string text) {
    Plan& plan = plans[id];
    if (!plan.text.empty()) ++plan.version;
    plan.text = std::move(text);
    plan.updated_ms = ++now_ms;
  }
  std::vector<Appointment> of(const std::string& id) {
    auto plan = parse_care_plan(plans.at(id).text, id);
    TW_CHECK(plan.ok());
    return std::move(plan->appointments);
  }
  void book(const std::string& id, std::int64_t ms) {
    auto all = of(id);
    all.front().status = AppointmentStatus::booked;
    all.front().start_ms = all.front().end_ms = ms;
    put(id, to_json("s", id, all));
  }

  std::map<std::string, Plan> plans;
  std::vector<std::string> calls;
  Fault fault;
  std::int64_t now_ms = 1'600'000'000'000;  // a clock of its own, years behind
  std::size_t page = 2;
  std::string date;  // the list's header Date; empty: it has none

 private:
  static std::string header(const base::OutboundRequest& request, std::string_view name) {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return {};
  }

  base::OutboundAnswer act(const base::OutboundRequest& request) {
    const std::string& url = request.url;
    const std::size_t at = url.find("/CarePlan/");
    if (at == url.npos) return list(url);
    const std::string id = url.substr(at + 10);
    const auto plan = plans.find(id);
    base::OutboundAnswer answer{.status = 200};
    const std::string etag =
        plan == plans.end() ? "" : etag_of_version(std::to_string(plan->second.version));
    if (request.method == "GET") {
      if (plan == plans.end()) return {.status = 404};
      answer.headers = {{"ETag", etag}};
      if (header(request, "If-None-Match") == etag) {
        answer.status = 304;
      } else {
        answer.body = plan->second.text;
      }
      return answer;
    }
    const std::string match = header(request, "If-Match");
    if (match.empty() && plan != plans.end()) return {.status = 412};
    if (!match.empty() && plan == plans.end()) return {.status = 404};
    if (!match.empty() && match != etag) return {.status = 412};
    put(id, request.body);
    answer.headers = {{"ETag", etag_of_version(std::to_string(plans[id].version))}};
    return answer;
  }

  base::OutboundAnswer list(const std::string& url) {
    std::int64_t since = 0;
    if (const std::size_t at = url.find("_lastUpdated=ge"); at != url.npos) {
      since = model::parse_instant(url.substr(at + 15, 24)).value();
    }
    std::string after;
    if (const std::size_t at = url.find("&after="); at != url.npos) after = url.substr(at + 7);
    std::string entries, last;
    std::size_t count = 0;
    bool more = false;
    for (const auto& [id, plan] : plans) {
      if (plan.updated_ms < since || id <= after) continue;
      if (count == page) {
        more = true;
        break;
      }
      ++count;
      entries += (entries.empty() ? "" : ",") +
                 (R"({"resource":{"resourceType":"CarePlan","id":")" + id +
                  R"(","meta":{"versionId":")" + std::to_string(plan.version) +
                  R"(","lastUpdated":")" + model::format_utc(plan.updated_ms) + R"("}}})");
      last = id;
    }
    std::string body = R"({"resourceType":"Bundle")";
    if (!entries.empty()) body += R"(,"entry":[)" + entries + "]";
    if (more) {
      std::string next = url.substr(0, url.find("&after="));
      next += "&after=";
      next += last;
      body += R"(,"link":[{"relation":"next","url":")" + next + R"("}])";
    }
    base::OutboundAnswer answer{.status = 200, .body = body + "}"};
    if (!date.empty()) answer.headers = {{"date", date}};
    return answer;
  }

  Id id_ = 0;
};

class SyncBench : public store::StoreBench, public Planner, public Ledger {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    if (store_ == nullptr) return;
    commit([this] {
      const std::array<store::SqlValue, 2> row = {std::int64_t{1}, std::string_view("s")};
      ASSERT_TRUE(writer().append(store::Table::studies, 0, {.action = "study"}, row).ok());
    });
    auto reader = store_->open_reader();
    ASSERT_TRUE(reader.ok());
    reader_ = std::move(*reader);
  }

  void enrol(int count) {
    commit([&] {
      for (int i = 0; i < count; ++i) {
        const std::string name = "S-" + std::to_string(++subjects_);
        const store::NewSubject subject{.study = 1, .subject = name, .site = "A"};
        ASSERT_TRUE(store::append_subject(writer(), subject, {.action = "enrolled"}).ok());
      }
    });
  }

  CycleReport cycle(bool dry = false, const runtime::Cancel& cancel = {}) {
    runtime::Remote remote({.in_flight_max = partner_.in_flight_max,
                            .breaker = breaker_,
                            .budget = {.per_success = 2, .per_second = 1e4, .saved_max = 100}},
                           clock_, random_);
    CycleOptions options{.study = "s",
                         .study_row = 1,
                         .definition = definition_,
                         .out_of_step_max_ms = out_of_step_max_ms_,
                         .dry = dry,
                         .list_whole = list_whole_,
                         .number = number_,
                         .pause = {std::chrono::milliseconds(1), std::chrono::milliseconds(2)},
                         .list_time = list_time_,
                         .subjects_of_page = 3,
                         .rows_of_commit = 4};
    Cycle cycle({.outbound = *outbound_,
                 .ledger = *this,
                 .planner = *this,
                 .reader = *reader_,
                 .remote = remote,
                 .clock = clock_,
                 .random = random_},
                partner_, std::move(options));
    return cycle.run(cancel);
  }

  // Planner.
  base::Result<PatientPlan> plan(store::Connection& connection, const store::SyncSubject& subject,
                                 std::int64_t now_ms) override {
    ++planned_;
    if (planner_fails_) return base::Error{base::Errc::unavailable, "no plan"};
    PatientPlan plan{.check_after_ms = now_ms + kDay};
    plan.occurrences = {{.key = {"WK2", 1, 0},
                         .fate = fates_[subject.subject],
                         .from_ms = kFrom,
                         .until_ms = kFrom + 7 * kDay,
                         .target_ms = kFrom + kDay,
                         .title = "Week 2"}};
    auto said = store::read_appointments(connection, subject.id);
    if (!said) return said.error();
    for (const store::AppointmentRow& row : *said) {
      if (row.state == "booked") {
        plan.occurrences[0].booking = {AppointmentStatus::booked, row.start_ms, row.end_ms};
      }
    }
    return plan;
  }

  // Ledger: as intake would, at once.
  bool store(std::vector<store::SubjectSync> subjects, std::optional<store::SyncMark> mark,
             std::function<void(bool stored)> done) override {
    if (full_ > 0) {
      --full_;
      return false;
    }
    if (holds_) {
      held_.push_back(std::move(done));
      ++held_count_;
      return true;
    }
    if (failing_ > 0) {
      --failing_;
      done(false);
      return true;
    }
    commit([&] {
      for (const store::SubjectSync& one : subjects) {
        for (const store::AppointmentRow& row : one.appointments) {
          const std::string action = "appointment." + row.state;
          ASSERT_TRUE(store::append_appointment(writer(), 1, one.id, 0, row,
                                                {.actor = "p", .action = action}).ok());
        }
        store::SyncRow row = one.row;
        if (one.alarm == store::SubjectSync::Alarm::raise) row.alert = 7;
        if (one.alarm == store::SubjectSync::Alarm::end) {
          EXPECT_EQ(one.alert, 7);
        }
        ASSERT_TRUE(store::put_sync_row(connection(), 1, one.id, row).ok());
        alarms_ += one.alarm == store::SubjectSync::Alarm::raise   ? "raise "
                   : one.alarm == store::SubjectSync::Alarm::end ? "end "
                                                                 : "";
      }
      if (mark) {
        ASSERT_TRUE(store::put_sync_mark(connection(), 1, *mark).ok());
      }
    });
    ++commits_;
    done(true);
    return true;
  }

  std::vector<store::SyncSubject> rows() {
    auto all = store::read_sync_subjects(*reader_, {.study = 1, .site = "", .limit = 1000});
    TW_CHECK(all.ok());
    return std::move(*all);
  }
  std::int64_t count(const std::string& sql) {
    return reader_->integer("SELECT count(*) FROM " + sql).value();
  }

  static constexpr std::int64_t kFrom = 1'800'000'000'000;
  base::SystemClock clock_;
  runtime::TaskList tasks_{clock_};
  base::SeededRandom random_{7};
  PartnerInMemory memory_;
  base::Outbound* outbound_ = &memory_;
  Partner partner_{.name = "p",
                   .url = "http://partner/{study}/",
                   .timeout = std::chrono::seconds(60),
                   .patience = std::chrono::milliseconds(50),
                   .in_flight_max = 4};
  runtime::BreakerOptions breaker_{
      .failures_max = 1, .pause = {std::chrono::milliseconds(5), std::chrono::milliseconds(10)}};
  std::unique_ptr<store::Connection> reader_;
  std::map<std::string, PlannedOccurrence::Fate> fates_;
  std::int64_t definition_ = 1, out_of_step_max_ms_ = 0, number_ = 0;
  bool list_whole_ = false;
  base::Duration list_time_ = kListTime;
  int subjects_ = 0, planned_ = 0, commits_ = 0, full_ = 0, failing_ = 0;
  bool planner_fails_ = false;
  bool holds_ = false;  // what is given to the store is not done
  std::vector<std::function<void(bool stored)>> held_;
  std::atomic<int> held_count_ = 0;
  std::string alarms_;
};

}  // namespace trialward::schedule
