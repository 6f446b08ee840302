// How a cycle learns what has changed, and what it does when it cannot.
#include "schedule/cycle.h"
#include "tests/schedule/cycle_bench.h"

namespace trialward::schedule {
namespace {

using store::SyncState;

class CycleListTest : public CycleBench {};

TEST_F(CycleListTest, WithoutTheListEachIsAskedFor) {
  enrol(6);
  (void)cycle();
  memory_.book("S-5", kFrom + 5);
  memory_.fault = [](const base::OutboundRequest& request) {
    const bool list = request.url.find("/CarePlan?") != std::string::npos;
    return list ? std::optional(base::OutboundAnswer{.status = 500}) : std::nullopt;
  };
  memory_.calls.clear();
  const CycleReport report = cycle();
  EXPECT_TRUE(report.whole);
  EXPECT_FALSE(report.listed);
  EXPECT_EQ(calls_of("GET /CarePlan/"), 6u);
  EXPECT_EQ(report.accepted, 1);
  EXPECT_EQ(of(report, SyncState::in_step), 5);
}

TEST_F(CycleListTest, WhatAPartnerLostIsFoundByAWholeList) {
  enrol(5);
  (void)cycle();
  (void)cycle();  // until now there was nothing to list
  // As a backup has it: older, under a version that nobody agreed on, and one is not there at all.
  memory_.plans.erase("S-2");
  memory_.plans.at("S-4").version = 7;
  memory_.plans.at("S-4").updated_ms -= kDay;
  CycleReport report = cycle();
  EXPECT_FALSE(report.listed_whole);
  EXPECT_EQ(of(report, SyncState::in_step), 5) << "the list does not say";
  list_whole_ = true;
  memory_.calls.clear();
  report = cycle();
  EXPECT_TRUE(report.listed_whole);
  EXPECT_EQ(calls_of("GET /CarePlan/"), 2u) << "only who is not as the list says";
  EXPECT_EQ(memory_.plans.size(), 5u);
  for (const store::SyncSubject& one : rows()) {
    EXPECT_EQ(one.row.version, std::to_string(memory_.plans.at(one.subject).version));
  }
}

TEST_F(CycleListTest, EachIsLookedAtOnceADayInItsTurn) {
  constexpr auto kTurns = static_cast<int>(kLookWithin / std::chrono::minutes(15));
  enrol(2 * kTurns);
  (void)cycle();
  EXPECT_EQ(cycle().looked, 0);
  // Another content under the version that was agreed on: no list can tell.
  auto booked = memory_.of("S-7");
  booked[0].status = AppointmentStatus::booked;
  booked[0].start_ms = booked[0].end_ms = kFrom + 1;
  memory_.plans.at("S-7").text = to_json("s", "S-7", booked);
  const auto age = [this] {
    commit([this] {
      ASSERT_TRUE(connection().execute("UPDATE schedule_sync SET in_step_ms = in_step_ms - $1",
                                       {std::int64_t{kLookAfter / std::chrono::milliseconds(1)}})
                      .ok());
    });
  };
  age();
  std::int64_t accepted = 0;
  for (number_ = 0; number_ < kTurns; ++number_) {
    const CycleReport report = cycle();
    EXPECT_EQ(report.looked, 2);
    EXPECT_EQ(report.pushed, 0);
    accepted += report.accepted;
  }
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(cycle().looked, 0) << "everybody was";
  // What a look finds that the list had not named says that lists are to be read from the start.
  age();
  memory_.plans.at("S-3").version = 9;
  memory_.plans.at("S-3").updated_ms -= kDay;
  bool unlisted = false;
  for (number_ = 0; number_ < kTurns; ++number_) unlisted = cycle().unlisted || unlisted;
  EXPECT_TRUE(unlisted);
}

TEST_F(CycleListTest, WhatIsDatedInTheFutureHidesNothing) {
  enrol(3);
  memory_.date = "Sun, 13 Sep 2020 12:27:00 GMT";  // 20 s after its beginning
  (void)cycle();
  memory_.plans["S-99"] = {.updated_ms = memory_.now_ms + 30 * kDay, .text = "{}"};
  EXPECT_EQ(cycle().strangers, 1);
  memory_.now_ms += 3'600'000;
  memory_.date = "Sun, 13 Sep 2020 13:27:00 GMT";
  memory_.book("S-2", kFrom + 1);
  const CycleReport report = cycle();
  EXPECT_EQ(report.accepted, 1);
  EXPECT_FALSE(report.listed_whole) << "the mark was not ahead of its clock";
  // A partner without a Date is not taken to be further than we are.
  memory_.date = "";
  memory_.plans.at("S-99").updated_ms = clock_.utc_ms() + 30 * kDay;
  (void)cycle();
  memory_.now_ms = clock_.utc_ms();
  memory_.book("S-3", kFrom + 1);
  EXPECT_EQ(cycle().accepted, 1);
}

TEST_F(CycleListTest, AClockThatWasPutBackHasAllListed) {
  enrol(3);
  memory_.date = "Sun, 13 Sep 2020 12:27:00 GMT";
  (void)cycle();
  (void)cycle();
  EXPECT_FALSE(cycle().listed_whole);
  memory_.now_ms -= 30 * kDay;
  memory_.date = "Fri, 14 Aug 2020 12:27:00 GMT";
  memory_.book("S-2", kFrom + 1);
  CycleReport report = cycle();
  EXPECT_TRUE(report.listed_whole);
  EXPECT_EQ(report.accepted, 1);
  memory_.book("S-3", kFrom + 1);
  EXPECT_EQ(cycle().accepted, 1);
}

TEST_F(CycleListTest, APageThatLeadsElsewhereIsNotFollowed) {
  enrol(2);
  memory_.fault = [](const base::OutboundRequest& request) {
    EXPECT_TRUE(request.url.starts_with("http://partner/s/")) << request.url;
    if (request.url.find("/CarePlan?") == std::string::npos) {
      return std::optional<base::OutboundAnswer>();
    }
    return std::optional(base::OutboundAnswer{
        .status = 200,
        .body = R"({"resourceType":"Bundle","link":[{"relation":"next","url":"http://evil/"}]})"});
  };
  EXPECT_FALSE(cycle().listed);
}

TEST_F(CycleListTest, PagesThatLeadRoundAndRoundAreNotFollowed) {
  enrol(2);
  memory_.fault = [](const base::OutboundRequest& request) {
    if (request.url.find("/CarePlan?") == std::string::npos) {
      return std::optional<base::OutboundAnswer>();
    }
    const char* next = request.url.ends_with("A") ? "B" : "A";
    return std::optional(list_page(std::string("http://partner/s/CarePlan?") + next));
  };
  const CycleReport report = cycle();
  EXPECT_TRUE(report.whole);
  EXPECT_FALSE(report.listed);
  EXPECT_LT(calls_of("GET /CarePlan?"), 10u);
}

TEST_F(CycleListTest, AListIsReadForSoLongAndForSoManyPages) {
  enrol(2);
  bool slow = false;
  memory_.fault = [&](const base::OutboundRequest& request) {
    if (request.url.find("/CarePlan?") == std::string::npos) {
      return std::optional<base::OutboundAnswer>();
    }
    if (slow) {
      (void)runtime::Cancel().wait_until(clock_, clock_.now() + std::chrono::milliseconds(1));
    }
    return std::optional(
        list_page("http://partner/s/CarePlan?" + std::to_string(memory_.calls.size())));
  };
  CycleReport report = cycle();
  EXPECT_TRUE(report.whole);
  EXPECT_FALSE(report.listed);
  EXPECT_EQ(calls_of("GET /CarePlan?"), static_cast<std::size_t>(kPagesMax));
  slow = true;
  list_time_ = std::chrono::milliseconds(20);
  memory_.calls.clear();
  report = cycle();
  EXPECT_TRUE(report.whole);
  EXPECT_FALSE(report.listed);
  EXPECT_LE(calls_of("GET /CarePlan?"), 21u);
  EXPECT_EQ(calls_of("GET /CarePlan/"), 2u) << "each is asked for by itself";
}

TEST_F(CycleListTest, AListNamesSoManyCarePlans) {
  enrol(1);
  constexpr std::size_t kPages = kListedMax / kEntriesMax;
  std::size_t pages = kPages, page = 0;
  memory_.fault = [&](const base::OutboundRequest& request) {
    if (request.url.find("/CarePlan?") == std::string::npos) {
      return std::optional<base::OutboundAnswer>();
    }
    std::string entries;
    for (std::size_t i = 0; i < kEntriesMax; ++i) {
      entries += (i == 0 ? "" : ",") +
                 (R"({"resource":{"resourceType":"CarePlan","id":"X-)" +
                  std::to_string(page * kEntriesMax + i) +
                  R"(","meta":{"versionId":"1","lastUpdated":"2020-09-13T12:26:40Z"}}})");
    }
    if (page < pages) ++page;
    return std::optional(list_page(
        page < pages ? "http://partner/s/CarePlan?" + std::to_string(page) : "", entries));
  };
  CycleReport report = cycle();
  EXPECT_TRUE(report.listed);
  EXPECT_EQ(report.listed_changes, static_cast<std::int64_t>(kListedMax));
  EXPECT_EQ(report.strangers, static_cast<std::int64_t>(kListedMax));
  pages = kPages + 1;
  page = 0;
  report = cycle();
  EXPECT_FALSE(report.listed);
  EXPECT_TRUE(report.whole);
}

}  // namespace
}  // namespace trialward::schedule
