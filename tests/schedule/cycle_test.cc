#include "schedule/cycle.h"

#include <condition_variable>

#include "base/utf8.h"
#include "http/outbound_client.h"
#include "runtime/scope.h"
#include "tests/http/remote.h"
#include "tests/schedule/cycle_bench.h"

namespace trialward::schedule {
namespace {

using store::SyncState;

class CycleTest : public CycleBench {};

TEST_F(CycleTest, TheFirstMakesAllAndTheNextHasNothingToDo) {
  enrol(10);
  CycleReport report = cycle();
  EXPECT_EQ(report.error, "");
  EXPECT_TRUE(report.whole && report.listed);
  EXPECT_EQ(report.subjects, 10);
  EXPECT_EQ(of(report, SyncState::changed), 10);
  EXPECT_EQ(report.pushed, 10);
  EXPECT_EQ(memory_.plans.size(), 10u);
  EXPECT_EQ(memory_.calls.size(), 11u) << "a list, and a call for each";
  memory_.calls.clear();
  planned_ = 0;
  report = cycle();
  EXPECT_EQ(of(report, SyncState::in_step), 10);
  EXPECT_EQ(planned_, 0);
  EXPECT_EQ(calls_of("PUT"), 0u);
  EXPECT_EQ(calls_of("GET /CarePlan/"), 0u);
  EXPECT_EQ(calls_of("GET /CarePlan?"), 5u) << "its own changes are in the overlap, two a page";
  for (const store::SyncSubject& one : rows()) {
    EXPECT_EQ(one.row.state, SyncState::in_step);
    EXPECT_EQ(one.row.out_since_ms, 0);
  }
}

TEST_F(CycleTest, OnlyWhomThePartnerOrAStudyChangedIsCalled) {
  enrol(9);
  (void)cycle();
  memory_.now_ms += kDay;  // the partner's
  memory_.book("S-3", kFrom + 1);
  memory_.book("S-7", kFrom - 1);
  memory_.calls.clear();
  CycleReport report = cycle();
  EXPECT_EQ(calls_of("GET /CarePlan/"), 2u);
  EXPECT_EQ(calls_of("PUT"), 1u) << "what could not be is sent again";
  EXPECT_EQ(report.accepted, 1);
  EXPECT_EQ(report.conflicts, 1);
  EXPECT_EQ(of(report, SyncState::conflicting), 1);
  EXPECT_EQ(of(report, SyncState::in_step), 7);
  EXPECT_EQ(count("appointments WHERE state = 'booked'"), 1);
  EXPECT_EQ(count("appointments WHERE state = 'refused'"), 1);
  EXPECT_EQ(memory_.of("S-7")[0].status, AppointmentStatus::proposed);
  // Another definition: all are planned again, and as nothing is new nobody is called.
  definition_ = 2;
  memory_.calls.clear();
  planned_ = 0;
  report = cycle();
  EXPECT_EQ(planned_, 9);
  EXPECT_EQ(calls_of("PUT"), 0u);
  // What was done.
  fates_["S-3"] = PlannedOccurrence::Fate::done;
  definition_ = 3;
  (void)cycle();
  EXPECT_EQ(memory_.of("S-3")[0].status, AppointmentStatus::fulfilled);
  EXPECT_EQ(memory_.of("S-1")[0].status, AppointmentStatus::proposed);
}

TEST_F(CycleTest, ADryRunLeavesBothSidesAsTheyAre) {
  enrol(5);
  (void)cycle();
  memory_.now_ms += kDay;
  memory_.book("S-2", kFrom + 1);
  memory_.book("S-4", kFrom - 1);
  const auto plans = memory_.plans.at("S-4").version;
  const int commits = commits_;
  const CycleReport report = cycle(true);
  EXPECT_EQ(commits_, commits);
  EXPECT_EQ(memory_.plans.at("S-4").version, plans);
  EXPECT_EQ(report.accepted, 1);
  EXPECT_EQ(report.conflicts, 1);
  ASSERT_EQ(report.differences.size(), 2u);
  EXPECT_EQ(report.differences[0].find(R"({"subject":"S-2","site":"A","state":)"), 0u);
  EXPECT_NE(report.differences[1].find("the time is outside the window"), std::string::npos);
  const CycleReport real = cycle();
  EXPECT_EQ(real.accepted, 1);
  EXPECT_EQ(real.conflicts, 1);
}

TEST_F(CycleTest, ADryRunListsSoManySubjectsAndCountsTheRest) {
  enrol(static_cast<int>(kDifferencesMax) + 5);
  const CycleReport report = cycle(true);
  EXPECT_EQ(report.differences.size(), kDifferencesMax);
  EXPECT_EQ(report.differences_left_out, 5);
  EXPECT_EQ(report.pushed, static_cast<std::int64_t>(kDifferencesMax) + 5);
  EXPECT_TRUE(memory_.plans.empty());
}

TEST_F(CycleTest, ADryRunListsSoManyBytes) {
  constexpr int kSubjects = 400;
  enrol(kSubjects);
  std::vector<Appointment> all;
  for (int i = 0; i < 25; ++i) all.push_back({.key = {std::string(120, 'N'), i, 0}});
  for (int i = 1; i <= kSubjects; ++i) {
    const std::string id = "S-" + std::to_string(i);
    memory_.put(id, to_json("s", id, all));
  }
  memory_.page = 500;
  const CycleReport report = cycle(true);
  EXPECT_EQ(report.conflicts, 25 * kSubjects);
  std::size_t bytes = 0;
  for (const std::string& one : report.differences) bytes += one.size();
  EXPECT_LE(bytes, kDifferencesBytesMax);
  EXPECT_GT(bytes, kDifferencesBytesMax / 2);
  EXPECT_TRUE(report.differences.front().ends_with(R"("cut":true})"));
  EXPECT_EQ(std::ssize(report.differences) + report.differences_left_out, kSubjects);
}

TEST_F(CycleTest, APartnerThatIsGoneIsWaitedForOnlySoLongAndAllAreReported) {
  enrol(40);
  (void)cycle();
  definition_ = 2;
  fates_["S-1"] = PlannedOccurrence::Fate::done;
  memory_.fault = [](const base::OutboundRequest&) {
    return std::optional(base::OutboundAnswer{.failure = base::OutboundFailure::connect});
  };
  const auto began = clock_.now();
  CycleReport report = cycle();
  EXPECT_LT(clock_.now() - began, std::chrono::seconds(5));
  EXPECT_TRUE(report.whole);
  EXPECT_EQ(report.error, "the partner does not answer");
  EXPECT_EQ(of(report, SyncState::unreachable), 40) << "without a list nobody knows";
  for (const store::SyncSubject& one : rows()) EXPECT_GT(one.row.out_since_ms, 0);
  // And when it is back.
  const auto since = rows().front().row.out_since_ms;
  (void)cycle();
  EXPECT_EQ(rows().front().row.out_since_ms, since) << "since then, not since now";
  memory_.fault = nullptr;
  report = cycle();
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(of(report, SyncState::unreachable), 0);
  EXPECT_EQ(memory_.of("S-1")[0].status, AppointmentStatus::fulfilled);
  for (const store::SyncSubject& one : rows()) EXPECT_EQ(one.row.out_since_ms, 0);
}

TEST_F(CycleTest, WhoIsOutOfStepForTooLongHasAnAlertUntilItIsInStepAgain) {
  enrol(1);
  out_of_step_max_ms_ = 1;
  memory_.fault = [](const base::OutboundRequest&) {
    return std::optional(base::OutboundAnswer{.status = 403});
  };
  (void)cycle();
  const auto until = clock_.now() + std::chrono::milliseconds(3);
  (void)runtime::Cancel().wait_until(clock_, until);
  (void)cycle();
  (void)cycle();
  EXPECT_EQ(alarms_, "raise ");
  memory_.fault = nullptr;
  (void)cycle();
  EXPECT_EQ(alarms_, "raise end ");
}

// Whatever fails, and whenever: in the end both sides have the same, and nothing was done twice.
TEST_F(CycleTest, FaultsOfAllKindsLeaveEachSubjectConsistent) {
  enrol(60);
  int number = 0;
  memory_.fault = [&](const base::OutboundRequest& request) {
    using Failure = base::OutboundFailure;
    const int kind = ++number % 9;
    if (kind == 0) return std::optional(base::OutboundAnswer{.status = 503});
    if (kind == 1) return std::optional(base::OutboundAnswer{.status = 200, .body = "thanks"});
    if (kind == 2) return std::optional(base::OutboundAnswer{.failure = Failure::broken});
    if (kind == 3) return std::optional(base::OutboundAnswer{.failure = Failure::too_large});
    if (kind == 4 && request.method == "PUT") {
      // It is taken, and the answer is lost.
      const std::string id = request.url.substr(request.url.rfind('/') + 1);
      if (!memory_.plans.contains(id)) memory_.put(id, request.body);
      return std::optional(base::OutboundAnswer{.failure = Failure::deadline});
    }
    return std::optional<base::OutboundAnswer>();
  };
  const CycleReport report = cycle();
  EXPECT_TRUE(report.whole);
  EXPECT_EQ(of(report, SyncState::changed) + of(report, SyncState::in_step) +
                of(report, SyncState::unreachable),
            60);
  EXPECT_GT(report.repeated, 0);
  memory_.fault = nullptr;
  const CycleReport after = cycle();
  EXPECT_EQ(of(after, SyncState::unreachable), 0);
  for (const store::SyncSubject& one : rows()) {
    EXPECT_EQ(one.row.out_since_ms, 0);
    EXPECT_EQ(one.row.version, std::to_string(memory_.plans.at(one.subject).version));
    EXPECT_TRUE(one.row.digest.starts_with(digest_of(memory_.of(one.subject))));
  }
}

TEST_F(CycleTest, AStoreWithoutRoomIsAskedAgainAndOneThatFailsEndsIt) {
  enrol(7);
  full_ = 3;
  failing_ = 2;
  CycleReport report = cycle();
  EXPECT_EQ(report.error, "");
  for (const store::SyncSubject& one : rows()) EXPECT_EQ(one.row.state, SyncState::changed);
  definition_ = 2;
  failing_ = 1000;
  report = cycle();
  EXPECT_EQ(report.error, "what it came to could not be stored");
  failing_ = 0;
  EXPECT_EQ(cycle().error, "");
}

TEST_F(CycleTest, VersionsOfAnotherPartnerSayNothing) {
  enrol(3);
  (void)cycle();
  memory_.plans.clear();
  partner_.name = "q";
  const CycleReport report = cycle();
  EXPECT_EQ(of(report, SyncState::changed), 3);
  EXPECT_EQ(memory_.plans.size(), 3u);
}

// NUL, half a character and no UTF-8 at all are what PostgreSQL refuses.
TEST_F(CycleTest, WhateverAPartnerSaysIsStoredAsALineOfText) {
  enrol(3);
  (void)cycle();
  memory_.now_ms += kDay;
  std::string letters;
  for (int i = 0; i < 127; ++i) letters += "é";
  const auto with = [](const std::string& id, const std::string& key, const std::string& status) {
    return R"({"resourceType":"CarePlan","id":")" + id + R"(","contained":[{"resourceType":)" +
           R"("Appointment","identifier":[{"system":"urn:trialward:occurrence","value":")" + key +
           R"("}],"status":")" + status + R"("}]})";
  };
  memory_.put("S-1", with("S-1", "x" + letters + "/1/0", "whatever"));
  memory_.put("S-2", with("S-2", "x" + letters + "/1/0", "booked"));
  memory_.put("S-3", with("S-3", "W\\u0000K/1/0", "booked"));
  CycleReport report = cycle();
  EXPECT_EQ(report.error, "");
  EXPECT_EQ(count("appointments WHERE state = 'refused'"), 1);
  for (const store::SyncSubject& one : rows()) {
    EXPECT_EQ(base::clean_line(one.row.note, one.row.note.size()), one.row.note);
    EXPECT_LE(one.row.note.size(), 200u);
  }
  EXPECT_EQ(rows()[0].row.state, SyncState::unreachable);
  EXPECT_EQ(rows()[1].row.state, SyncState::conflicting);
  EXPECT_EQ(rows()[2].row.state, SyncState::changed) << "it is no occurrence of anybody's";
  memory_.fault = [](const base::OutboundRequest&) {
    return std::optional(base::OutboundAnswer{.failure = base::OutboundFailure::broken,
                                              .error = std::string("\xff\0half \xc3", 8)});
  };
  definition_ = 2;
  fates_["S-2"] = PlannedOccurrence::Fate::done;
  report = cycle();
  EXPECT_TRUE(report.whole) << report.error;
  for (const store::SyncSubject& one : rows()) EXPECT_FALSE(one.row.note.empty());
}

TEST_F(CycleTest, WhatIsRefusedIsKeptSoOftenAndElseCounted) {
  enrol(4);
  (void)cycle();
  memory_.now_ms += kDay;
  std::vector<Appointment> all;
  for (int i = 0; i < 300; ++i) all.push_back({.key = {"NONE", i, 0}});
  memory_.put("S-2", to_json("s", "S-2", all));
  const CycleReport report = cycle();
  EXPECT_EQ(report.conflicts, 300);
  EXPECT_EQ(rows()[1].row.conflicts, 300);
  EXPECT_EQ(count("appointments WHERE state = 'refused'"),
            static_cast<std::int64_t>(kConflictsKept));
  EXPECT_EQ(count("appointments WHERE note LIKE '%; and 280 more'"), 1);
}

TEST_F(CycleTest, ACycleKeepsSoMuchOfWhatIsRefused) {
  const int subjects = kRefusedOfCycle / static_cast<int>(kConflictsKept) + 5;
  enrol(subjects);
  std::vector<Appointment> all;
  for (int i = 0; i < 25; ++i) all.push_back({.key = {"NONE", i, 0}});
  for (int i = 1; i <= subjects; ++i) {
    const std::string id = "S-" + std::to_string(i);
    memory_.put(id, to_json("s", id, all));
  }
  memory_.page = 500;
  const CycleReport report = cycle();
  EXPECT_TRUE(report.whole);
  EXPECT_EQ(report.conflicts, 25 * subjects);
  EXPECT_EQ(of(report, SyncState::conflicting), subjects);
  EXPECT_EQ(count("appointments WHERE state = 'refused'"), kRefusedOfCycle);
}

// Each subject is the new partner's or is not, wherever the change was interrupted.
TEST_F(CycleTest, AChangeOfPartnerThatIsInterruptedGoesOnAndMayBeTakenBack) {
  enrol(12);
  (void)cycle();
  const auto old = memory_.plans;
  const auto old_url = partner_.url;
  // The same versions mean other things at the new place.
  auto booked = memory_.of("S-12");
  booked[0].status = AppointmentStatus::booked;
  booked[0].start_ms = booked[0].end_ms = kFrom + 1;
  memory_.plans = {{"S-12", old.at("S-12")}};
  memory_.plans.at("S-12").text = to_json("s", "S-12", booked);
  partner_.url = "http://elsewhere/{study}";
  int puts = 0;
  const runtime::Cancel cancel;
  memory_.fault = [&](const base::OutboundRequest& request) {
    if (request.method == "PUT" && ++puts == 5) cancel.fire(runtime::CancelReason::requested);
    return std::optional<base::OutboundAnswer>();
  };
  CycleReport report = cycle(false, cancel);
  EXPECT_EQ(report.error, "it was stopped");
  EXPECT_LT(memory_.plans.size(), 12u);
  memory_.fault = nullptr;
  report = cycle();
  EXPECT_EQ(memory_.plans.size(), 12u) << "whom the first cycle did not come to, too";
  EXPECT_EQ(count("appointments WHERE state = 'booked'"), 1);
  EXPECT_EQ(of(cycle(), SyncState::in_step), 12);
  // Back again, after another interruption: what some have agreed on elsewhere says nothing here.
  memory_.plans = old;
  memory_.plans.erase("S-2");
  memory_.plans.erase("S-12");
  partner_.url = old_url;
  report = cycle();
  EXPECT_EQ(memory_.plans.size(), 12u);
  for (const store::SyncSubject& one : rows()) {
    EXPECT_EQ(one.row.version, std::to_string(memory_.plans.at(one.subject).version));
  }
}

// The bar: cancel while 256 calls hang in recv, and everything is back within a second.
TEST_F(CycleTest, P5ACancelEndsAllThatHangsAtOnce) {
  constexpr std::size_t kCalls = kInFlightMax;
  enrol(2 * static_cast<int>(kCalls));
  auto client = http::OutboundClient::start(
      {.in_flight_max = kCalls, .per_remote_max = kCalls}, tasks_);
  ASSERT_TRUE(client.ok());
  outbound_ = client->get();
  const std::size_t before = tasks_.count();
  http::Remote remote([](http::Line& line) {
    const std::string request = line.read_through("\r\n\r\n");
    if (request.find("CarePlan?") == std::string::npos) return line.until_closed();
    const std::string body = R"({"resourceType":"Bundle"})";
    line.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  });
  partner_.url = remote.url();
  partner_.in_flight_max = kCalls;
  const runtime::Cancel cancel;
  std::optional<base::TimePoint> cancelled;
  runtime::Scope scope("test", 1, tasks_);
  ASSERT_TRUE(scope.spawn("cancel", [&](const runtime::Cancel&) {
    if (!http::eventually([&] { return remote.open() == static_cast<int>(kCalls); })) {
      ADD_FAILURE() << remote.open() << " calls are out";
    }
    cancelled = clock_.now();
    cancel.fire(runtime::CancelReason::requested);
    return base::Status();
  }).ok());
  const CycleReport report = cycle(false, cancel);
  ASSERT_TRUE(scope.join().ok());
  EXPECT_LT(clock_.now() - *cancelled, std::chrono::seconds(1));
  EXPECT_TRUE(http::eventually([&] { return remote.open() == 0; }));
  EXPECT_EQ(report.error, "it was stopped");
  EXPECT_EQ(tasks_.count(), before);
  for (const store::SyncSubject& one : rows()) {
    EXPECT_EQ(one.row, store::SyncRow()) << "nothing is known of it, as before";
  }
  (*client)->stop();
}

TEST_F(CycleTest, P5AStopDoesNotWaitForAStoreThatHangs) {
  enrol(9);
  holds_ = true;
  const runtime::Cancel cancel;
  std::optional<base::TimePoint> cancelled;
  runtime::Scope scope("test", 1, tasks_);
  ASSERT_TRUE(scope.spawn("cancel", [&](const runtime::Cancel&) {
    EXPECT_TRUE(http::eventually([&] { return held_count_ > 0; }));
    cancelled = clock_.now();
    cancel.fire(runtime::CancelReason::requested);
    return base::Status();
  }).ok());
  const CycleReport report = cycle(false, cancel);
  const auto ended = clock_.now();
  ASSERT_TRUE(scope.join().ok());
  EXPECT_LT(ended - *cancelled, 2 * kStoreWait);
  EXPECT_EQ(report.error, "it was stopped");
  // What it does later is told to nobody.
  for (const auto& done : held_) done(true);
  holds_ = false;
  EXPECT_EQ(cycle().error, "");
}

}  // namespace
}  // namespace trialward::schedule
