#include "schedule/patient_sync.h"

#include <gtest/gtest.h>

#include "model/effective_time.h"

namespace trialward::schedule {
namespace {

using Step = PatientSync::Step;
using Fate = PlannedOccurrence::Fate;
using store::SyncState;

constexpr std::int64_t kNow = 1'700'000'000'000, kDay = 86'400'000;
constexpr std::int64_t kFrom = kNow + kDay, kUntil = kNow + 8 * kDay;

base::OutboundAnswer answered(int status, std::string version = "", std::string body = "") {
  base::OutboundAnswer answer{.status = status, .body = std::move(body)};
  if (!version.empty()) answer.headers = {{"etag", etag_of_version(version)}};
  return answer;
}
base::OutboundAnswer broken() {
  return {.failure = base::OutboundFailure::deadline, .error = "it did not answer"};
}

// Its partner is a CarePlan and a version: what a call does to it is what the contract says.
class PatientSyncTest : public ::testing::Test {
 protected:
  PatientSyncTest() {
    plan_.occurrences = {{.key = {"WK2", 1, 0},
                          .from_ms = kFrom,
                          .until_ms = kUntil,
                          .target_ms = kFrom + kDay,
                          .title = "Week 2"}};
    plan_.check_after_ms = kNow + kDay;
  }

  PatientSync make(std::string listed = "", bool unchanged = false, bool dry = false) {
    return {subject_, plan_,
            {.study = "demo",
             .listed = std::move(listed),
             .unchanged = unchanged,
             .dry = dry,
             .now_ms = kNow,
             .definition = 3}};
  }

  base::OutboundAnswer partner(const PatientCall& call) {
    calls_ += call.method + " ";
    const auto header = [&call](std::string_view name) {
      for (const auto& [key, value] : call.headers) {
        if (key == name) return value;
      }
      return std::string();
    };
    if (call.method == "GET") {
      if (theirs_.empty()) return answered(404);
      if (header("If-None-Match") == etag_of_version(version())) return answered(304, version());
      return answered(200, version(), theirs_);
    }
    if (header("If-None-Match") == "*" && !theirs_.empty()) return answered(412);
    if (header("If-None-Match") != "*" && theirs_.empty()) return answered(404);
    if (!theirs_.empty() && header("If-Match") != etag_of_version(version())) return answered(412);
    put(call.body);
    return answered(200, version());
  }
  std::string version() const { return std::to_string(number_); }
  void put(std::string body) {
    theirs_ = std::move(body);
    ++number_;
  }
  // As a person at the partner's would.
  void book(std::int64_t ms) {
    auto plan = parse_care_plan(theirs_, "S-1");
    ASSERT_TRUE(plan.ok()) << plan.error().message;
    plan->appointments[0].status = AppointmentStatus::booked;
    plan->appointments[0].start_ms = plan->appointments[0].end_ms = ms;
    put(to_json("demo", "S-1", plan->appointments));
  }

  // Drives it to its end, and keeps what it leaves.
  void drive(PatientSync sync) {
    for (int i = 0; i < 20 && sync.step() != Step::ended; ++i) {
      if (sync.step() == Step::commit) {
        ++commits_;
        for (const Accepted& one : sync.accepted()) plan_.occurrences[0].booking = one.after;
        conflicts_ += sync.conflicts().size();
        sync.committed(true);
      } else {
        (void)sync.answer(partner(sync.call()));
      }
    }
    ASSERT_EQ(sync.step(), Step::ended);
    subject_.row = sync.row();
  }

  store::SyncSubject subject_{.id = 1, .subject = "S-1", .site = "A", .last_record = 9};
  PatientPlan plan_;
  std::string theirs_, calls_;
  int number_ = 0, commits_ = 0;
  std::size_t conflicts_ = 0;
};

TEST_F(PatientSyncTest, TheFirstTimeItIsMade) {
  drive(make());
  EXPECT_EQ(calls_, "PUT ");
  EXPECT_EQ(subject_.row.state, SyncState::changed);
  EXPECT_EQ(subject_.row.version, "1");
  EXPECT_EQ(subject_.row.out_since_ms, 0);
  EXPECT_EQ(subject_.row.last_record, 9);
  EXPECT_EQ(subject_.row.definition, 3);
  // And then there is nothing to do, and nobody is asked.
  calls_.clear();
  drive(make("", true));
  EXPECT_EQ(calls_, "");
  EXPECT_EQ(subject_.row.state, SyncState::in_step);
}

TEST_F(PatientSyncTest, WhereThePartnerHasItAlreadyItIsMerged) {
  drive(make());
  book(kFrom);
  subject_.row = {};  // it is not known any more
  calls_.clear();
  drive(make());
  EXPECT_EQ(calls_, "PUT GET ");
  EXPECT_EQ(commits_, 1);
  EXPECT_EQ(plan_.occurrences[0].booking.start_ms, kFrom);
  EXPECT_EQ(subject_.row.state, SyncState::changed);
}

TEST_F(PatientSyncTest, ATimeInTheWindowIsTakenAndOneOutsideIsSentBack) {
  drive(make());
  calls_.clear();
  book(kUntil - 1);
  drive(make(version()));
  EXPECT_EQ(calls_, "GET ");
  EXPECT_EQ(plan_.occurrences[0].booking.start_ms, kUntil - 1);
  calls_.clear();
  book(kUntil);
  drive(make(version()));
  EXPECT_EQ(calls_, "GET PUT ");
  EXPECT_EQ(conflicts_, 1u);
  EXPECT_EQ(subject_.row.state, SyncState::conflicting);
  EXPECT_EQ(subject_.row.conflicts, 1);
  EXPECT_EQ(subject_.row.note, "WK2/1/0 booked: the time is outside the window");
  EXPECT_EQ(parse_care_plan(theirs_, "S-1")->appointments[0].start_ms, kUntil - 1);
  // It is no conflict any more.
  drive(make(version()));
  EXPECT_EQ(subject_.row.state, SyncState::in_step);
}

TEST_F(PatientSyncTest, WhatWasDoneIsNeverIssuedAgain) {
  drive(make());
  book(kFrom);
  drive(make(version()));
  plan_.occurrences[0].fate = Fate::done;
  calls_.clear();
  drive(make("", true));
  EXPECT_EQ(calls_, "PUT ");
  for (const std::int64_t ms : {kFrom + 1, kFrom + 2, kUntil}) {
    book(ms);
    drive(make(version()));
    EXPECT_EQ(subject_.row.state, SyncState::conflicting);
    EXPECT_EQ(parse_care_plan(theirs_, "S-1")->appointments[0].status,
              AppointmentStatus::fulfilled);
  }
}

TEST_F(PatientSyncTest, WhenTheirsChangedMeanwhileItLooksAgain) {
  drive(make());
  plan_.occurrences[0].until_ms += kDay;  // ours changes
  book(kFrom);                            // and so does theirs, after the list was read
  calls_.clear();
  drive(make("", true));
  EXPECT_EQ(calls_, "PUT GET PUT ");
  EXPECT_EQ(plan_.occurrences[0].booking.start_ms, kFrom);
  EXPECT_EQ(parse_care_plan(theirs_, "S-1")->appointments[0].until_ms, kUntil + kDay);
}

TEST_F(PatientSyncTest, APutWhoseAnswerWasLostIsNotDoneTwice) {
  auto sync = make();
  (void)partner(sync.call());  // it was taken
  EXPECT_FALSE(sync.answer(broken()));
  drive(std::move(sync));
  EXPECT_EQ(calls_, "PUT PUT GET ");
  EXPECT_EQ(number_, 1);
  EXPECT_EQ(subject_.row.version, "1");
  EXPECT_EQ(subject_.row.out_since_ms, 0);
}

TEST_F(PatientSyncTest, AVersionThatIsNeverTheSameEndsIt) {
  drive(make());
  const auto before = subject_.row;
  plan_.occurrences[0].until_ms += kDay;
  auto sync = make("", true);
  int calls = 0;
  while (sync.step() == Step::call && ++calls < 20) {
    const bool get = sync.call().method == "GET";
    (void)sync.answer(get ? answered(200, "v" + std::to_string(calls), theirs_) : answered(412));
  }
  EXPECT_EQ(sync.step(), Step::ended);
  EXPECT_LE(calls, 2 * kRoundsMax);
  EXPECT_EQ(sync.row().state, SyncState::unreachable);
  EXPECT_EQ(sync.row().note, "the partner's version changes with every call");
  EXPECT_EQ(sync.row().out_since_ms, kNow);
  // What both agreed on is still known.
  EXPECT_EQ(sync.row().version, before.version);
  EXPECT_EQ(sync.row().digest, before.digest);
}

TEST_F(PatientSyncTest, FailuresAreRepeatedSoOftenAndSinceWhenItIsOutOfStepIsKept) {
  subject_.row.out_since_ms = 77;
  auto sync = make();
  for (int i = 1; i < kCallAttemptsMax; ++i) EXPECT_FALSE(sync.answer(answered(503)));
  EXPECT_TRUE(sync.answer(answered(503)));
  EXPECT_EQ(sync.step(), Step::ended);
  EXPECT_EQ(sync.row().note, "the partner answered 503");
  EXPECT_EQ(sync.row().out_since_ms, 77);
}

TEST_F(PatientSyncTest, WhatAnotherTryDoesNotChangeIsNotTried) {
  for (const int status : {302, 400, 401, 403, 422}) {
    auto sync = make();
    EXPECT_TRUE(sync.answer(answered(status)));
    EXPECT_EQ(sync.step(), Step::ended);
    EXPECT_EQ(sync.row().state, SyncState::unreachable);
  }
}

TEST_F(PatientSyncTest, GarbageIsAFailureAndChangesNothing) {
  drive(make());
  const auto before = subject_.row;
  for (const base::OutboundAnswer& garbage :
       {answered(200, "2", "thanks"), answered(200, "", theirs_), answered(206, "2", "{}"),
        answered(200, "2", R"({"resourceType":"CarePlan","id":"S-2"})")}) {
    auto sync = make("2");
    for (int i = 1; i < kCallAttemptsMax; ++i) EXPECT_FALSE(sync.answer(garbage));
    EXPECT_TRUE(sync.answer(garbage));
    EXPECT_EQ(sync.row().version, before.version);
    EXPECT_TRUE(sync.accepted().empty());
  }
}

TEST_F(PatientSyncTest, WhatIsGoneThereIsMadeAgain) {
  drive(make());
  theirs_.clear();
  plan_.occurrences[0].until_ms += kDay;
  calls_.clear();
  drive(make("", true));
  EXPECT_EQ(calls_, "PUT PUT ");
  EXPECT_FALSE(theirs_.empty());
}

TEST_F(PatientSyncTest, WithoutAListTheyAreAskedForAndAnUnchangedOneCostsLittle) {
  drive(make());
  calls_.clear();
  drive(make());
  EXPECT_EQ(calls_, "GET ");
  EXPECT_EQ(subject_.row.state, SyncState::in_step);
}

TEST_F(PatientSyncTest, ALookSeesAnotherContentUnderTheSameVersion) {
  drive(make());
  const auto look = [this] {
    return PatientSync(
        subject_, plan_,
        {.study = "demo", .unchanged = true, .look = true, .now_ms = kNow + 5, .definition = 3});
  };
  calls_.clear();
  drive(make("", true));
  EXPECT_EQ(subject_.row.in_step_ms, kNow) << "nobody was asked";
  drive(look());
  EXPECT_EQ(calls_, "GET ");
  EXPECT_EQ(subject_.row.in_step_ms, kNow + 5);
  EXPECT_EQ(subject_.row.state, SyncState::in_step);
  book(kFrom);
  --number_;  // the version as before
  const auto looked = [&] {
    PatientSync sync = look();
    EXPECT_TRUE(sync.answer(partner(sync.call())));
    return sync;
  };
  EXPECT_EQ(looked().accepted().size(), 1u);
  EXPECT_FALSE(looked().unlisted());
  // Whoever has another version, or none, although the list said nothing, has lost something.
  ++number_;
  EXPECT_TRUE(looked().unlisted());
  theirs_.clear();
  EXPECT_TRUE(looked().unlisted());
  EXPECT_FALSE(look().answer(answered(304, "1"))) << "no version was named";
}

TEST_F(PatientSyncTest, ADryRunSendsNothingAndSaysWhatWouldChange) {
  drive(make("", false, true));
  EXPECT_EQ(calls_, "GET ");
  EXPECT_TRUE(theirs_.empty());
  subject_.row = {};
  drive(make());
  book(kFrom);
  calls_.clear();
  auto sync = make(version(), false, true);
  EXPECT_TRUE(sync.answer(partner(sync.call())));
  EXPECT_EQ(sync.step(), Step::ended);
  EXPECT_EQ(sync.accepted().size(), 1u);
  EXPECT_FALSE(sync.pushes());
}

}  // namespace
}  // namespace trialward::schedule
