#include "schedule/merge.h"

#include <gtest/gtest.h>

namespace trialward::schedule {
namespace {

using Fate = PlannedOccurrence::Fate;
using Status = AppointmentStatus;

constexpr std::int64_t kBegin = 1'000'000, kEnd = 2'000'000, kTime = 1'500'000;

PlannedOccurrence planned(Fate fate = Fate::open, Booking booking = {}) {
  return {.key = {"WK2", 1, 0},
          .fate = fate,
          .from_ms = kBegin,
          .until_ms = kEnd,
          .target_ms = kTime,
          .booking = booking};
}

Appointment theirs(Status status, std::optional<std::int64_t> start = std::nullopt) {
  return {.key = {"WK2", 1, 0},
          .status = status,
          .start_ms = start,
          .end_ms = start,
          .from_ms = kBegin,
          .until_ms = kEnd};
}

const Booking kBooked{Status::booked, kTime, kTime};
const Booking kCancelled{Status::cancelled, 0, 0};

// Each case: ours, theirs, how many changes are accepted, how many conflicts there are, what ours
// says afterwards, and whether it is sent.
struct Case {
  const char* name;
  PlannedOccurrence ours;
  Appointment theirs;
  std::size_t accepted, conflicts;
  Status agreed;
  bool push;
};

TEST(Merge, WhoWinsIsAsStated) {
  const Case cases[] = {
      {"nothing new", planned(), theirs(Status::proposed), 0, 0, Status::proposed, false},
      {"booked in the window", planned(), theirs(Status::booked, kTime), 1, 0, Status::booked,
       false},
      {"booked at the window's first instant", planned(), theirs(Status::booked, kBegin), 1, 0,
       Status::booked, false},
      {"booked at the window's end", planned(), theirs(Status::booked, kEnd), 0, 1,
       Status::proposed, true},
      {"booked before the window", planned(), theirs(Status::booked, kBegin - 1), 0, 1,
       Status::proposed, true},
      {"booked without a time", planned(), theirs(Status::booked), 0, 1, Status::proposed, true},
      {"moved in the window", planned(Fate::open, kBooked), theirs(Status::booked, kTime + 1), 1, 0,
       Status::booked, false},
      {"moved out of the window", planned(Fate::open, kBooked), theirs(Status::booked, kEnd), 0,
       1, Status::booked, true},
      {"booked as before", planned(Fate::open, kBooked), theirs(Status::booked, kTime), 0, 0,
       Status::booked, false},
      {"cancelled", planned(Fate::open, kBooked), theirs(Status::cancelled), 1, 0,
       Status::cancelled, false},
      {"cancelled as before", planned(Fate::open, kCancelled), theirs(Status::cancelled), 0, 0,
       Status::cancelled, false},
      {"booked again", planned(Fate::open, kCancelled), theirs(Status::booked, kTime), 1, 0,
       Status::booked, false},
      {"its time taken away", planned(Fate::open, kBooked), theirs(Status::proposed), 1, 0,
       Status::proposed, false},
      {"said to be done", planned(), theirs(Status::fulfilled, kTime), 0, 1, Status::proposed,
       true},
      {"said to be missed", planned(), theirs(Status::noshow, kTime), 0, 1, Status::proposed, true},
      {"done here, not known there", planned(Fate::done), theirs(Status::proposed), 0, 0,
       Status::fulfilled, true},
      {"done here, booked there as before", planned(Fate::done, kBooked),
       theirs(Status::booked, kTime), 0, 0, Status::fulfilled, true},
      {"done here, moved there", planned(Fate::done, kBooked), theirs(Status::booked, kTime + 1), 0,
       1, Status::fulfilled, true},
      {"done here, cancelled there", planned(Fate::done), theirs(Status::cancelled), 0, 1,
       Status::fulfilled, true},
      {"done on both sides", planned(Fate::done), theirs(Status::fulfilled, 7), 0, 0,
       Status::fulfilled, false},
      {"missed here, booked there", planned(Fate::missed), theirs(Status::booked, kTime), 0, 1,
       Status::noshow, true},
      {"not for them any more, booked there", planned(Fate::not_applicable),
       theirs(Status::booked, kTime), 0, 1, Status::cancelled, true},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.name);
    CarePlan plan{.version = "1", .appointments = {one.theirs}};
    const Merged merged = merge({one.ours}, plan);
    EXPECT_EQ(merged.accepted.size(), one.accepted);
    EXPECT_EQ(merged.conflicts.size(), one.conflicts);
    ASSERT_EQ(merged.agreed.size(), 1u);
    EXPECT_EQ(to_string(merged.agreed[0].status), to_string(one.agreed));
    EXPECT_EQ(merged.push, one.push);
    // What was sent again is no news, and nothing is left to send.
    auto ours = one.ours;
    if (!merged.accepted.empty()) ours.booking = merged.accepted[0].after;
    const Merged again = merge({ours}, {.version = "2", .appointments = merged.agreed});
    EXPECT_TRUE(again.conflicts.empty());
    EXPECT_FALSE(again.push);
  }
}

TEST(Merge, AWindowThatMovedIsSentAndItsOldTimeIsNoConflict) {
  PlannedOccurrence ours = planned(Fate::open, kBooked);
  ours.from_ms = kTime + 1;
  const Merged merged = merge({ours}, {.appointments = {theirs(Status::booked, kTime)}});
  EXPECT_TRUE(merged.accepted.empty());
  EXPECT_TRUE(merged.conflicts.empty());
  EXPECT_TRUE(merged.push);
  EXPECT_EQ(merged.agreed[0].status, Status::proposed);
  EXPECT_FALSE(merged.agreed[0].start_ms.has_value());
}

TEST(Merge, WhatIsMissingThereIsSentAndWhatIsUnknownHereIsAConflict) {
  Appointment other = theirs(Status::booked, kTime);
  other.key.number = 2;
  const Merged missing = merge({planned()}, {});
  EXPECT_TRUE(missing.push);
  EXPECT_TRUE(missing.conflicts.empty());
  const Merged unknown = merge({planned()}, {.appointments = {theirs(Status::proposed), other}});
  ASSERT_EQ(unknown.conflicts.size(), 1u);
  EXPECT_EQ(unknown.conflicts[0].key.number, 2);
  EXPECT_TRUE(unknown.push);
  EXPECT_EQ(unknown.agreed.size(), 1u);
  EXPECT_TRUE(merge({planned()}, {.appointments = {theirs(Status::proposed)}, .unknown = 1}).push);
}

TEST(Merge, OfManyConflictsTheFirstAreKeptAndAllAreCounted) {
  CarePlan plan;
  for (int i = 2; i < 1000; ++i) {
    plan.appointments.push_back(theirs(Status::booked, kTime));
    plan.appointments.back().key.number = i;
  }
  const Merged merged = merge({planned()}, plan);
  EXPECT_EQ(merged.conflicts.size(), kConflictsKept);
  EXPECT_EQ(merged.conflict_count, 998);
}

TEST(Merge, AnotherEndIsAnotherTime) {
  Appointment longer = theirs(Status::booked, kTime);
  longer.end_ms = kTime + 60;
  const Merged merged = merge({planned(Fate::open, kBooked)}, {.appointments = {longer}});
  ASSERT_EQ(merged.accepted.size(), 1u);
  EXPECT_EQ(merged.accepted[0].after.end_ms, kTime + 60);
  EXPECT_FALSE(merged.push);
  EXPECT_NE(digest_of({longer}), digest_of({theirs(Status::booked, kTime)}));
  // An end that is not given is the start.
  longer.end_ms.reset();
  EXPECT_TRUE(merge({planned(Fate::open, kBooked)}, {.appointments = {longer}}).accepted.empty());
  longer.end_ms = kTime - 1;
  const Merged backwards = merge({planned()}, {.appointments = {longer}});
  ASSERT_EQ(backwards.conflicts.size(), 1u);
  EXPECT_EQ(backwards.conflicts[0].why, "it ends before it begins");
  // What was done keeps its time, whatever its end is said to be.
  longer.end_ms = kTime + 60;
  EXPECT_EQ(merge({planned(Fate::done, kBooked)}, {.appointments = {longer}}).conflict_count, 1);
}

}  // namespace
}  // namespace trialward::schedule
