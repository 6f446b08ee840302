#include "model/wall_clock.h"

#include <gtest/gtest.h>

#include "model/effective_time.h"

namespace trialward::model {
namespace {

std::int64_t utc(const char* text) { return *parse_instant(text); }
// A time of the wall clock, as its calendar counts it.
std::int64_t wall(const char* text) { return resolve_effective(text, "UTC")->from_ms; }

TEST(WallClock, IsExactWhereItIsSetForwardAndBack) {
  const struct {
    const char* zone;
    const char* shown;
    const char* first;
    const char* end;
  } cases[] = {
      {"America/New_York", "2024-01-16T13:17", "2024-01-16T18:17Z", "2024-01-16T18:17Z"},
      // Skipped: 02:00 to 03:00 on 10 March 2024.
      {"America/New_York", "2024-03-10T02:30", "2024-03-10T07:00Z", "2024-03-10T07:00Z"},
      {"America/New_York", "2024-03-10T03:00", "2024-03-10T07:00Z", "2024-03-10T07:00Z"},
      // Twice: 01:00 to 02:00 on 3 November 2024.
      {"America/New_York", "2024-11-03T01:30", "2024-11-03T05:30Z", "2024-11-03T06:30Z"},
      {"America/New_York", "2024-11-03T02:00", "2024-11-03T07:00Z", "2024-11-03T07:00Z"},
      // Midnight itself is skipped.
      {"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00Z", "2018-11-04T03:00Z"},
      // A whole day is skipped: 30 December 2011.
      {"Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00Z", "2011-12-30T10:00Z"},
      // Half an hour.
      {"Australia/Lord_Howe", "2024-04-07T01:45", "2024-04-06T14:45Z", "2024-04-06T15:15Z"},
      {"UTC", "1960-02-29T00:00", "1960-02-29T00:00Z", "1960-02-29T00:00Z"},
  };
  for (const auto& one : cases) {
    const auto clock = WallClock::of(one.zone);
    ASSERT_TRUE(clock.ok()) << one.zone;
    EXPECT_EQ(format_utc(clock->first_ms(wall(one.shown))), format_utc(utc(one.first)))
        << one.zone << " " << one.shown;
    EXPECT_EQ(format_utc(clock->end_ms(wall(one.shown))), format_utc(utc(one.end)))
        << one.zone << " " << one.shown;
  }
}

TEST(WallClock, ShowsTheLocalDay) {
  const auto sydney = WallClock::of("Australia/Sydney");
  EXPECT_EQ(sydney->local_ms(utc("2024-01-15T13:30Z")), wall("2024-01-16T00:30"));
  EXPECT_EQ(sydney->local_day(utc("2024-01-15T13:30Z")), wall("2024-01-16") / 86'400'000);
  EXPECT_EQ(sydney->local_day(utc("1969-12-31T13:59:59.999Z")), -1);
  EXPECT_EQ(WallClock::day_of(-1), -1);
}

TEST(WallClock, KnowsNoOtherZones) {
  const auto clock = WallClock::of("Mars/Olympus");
  ASSERT_FALSE(clock.ok());
  EXPECT_EQ(clock.error().message, "unknown time zone Mars/Olympus");
}

}  // namespace
}  // namespace trialward::model
