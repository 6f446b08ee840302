#include "model/effective_time.h"

#include <gtest/gtest.h>

#include <limits>

namespace trialward::model {
namespace {

constexpr const char* kNewYork = "America/New_York";

TEST(EffectiveTime, AcceptsTheFormsThatSdtmUses) {
  for (const char* given :
       {"2014", "2014-01", "2014-01-16", "2014-01-16T13:17", "2014-01-16T13:17:05",
        "2014-01-16T13:17:05.250", "2014-01-16T13:17:05.1", "2014-01-16T13:17:05.123456789",
        "2014-01-16T13:17Z", "2014-01-16T13:17+02:00", "2014-01-16T13:17:05-05:30",
        "2014-01-16T13:17:05.250Z", "2014-01-16T13:17+14:00", "2012-02-29", "2000-02-29",
        "1800-01-01", "2200-12-31T23:59:59.999"}) {
    EXPECT_TRUE(check_effective(given).ok()) << given;
  }
}

TEST(EffectiveTime, RefusalsSayWhichPartIsWrong) {
  const struct {
    const char* given;
    const char* reason;  // how it begins
  } cases[] = {
      {"", "expected YYYY"},
      {"14", "expected YYYY"},
      {"20140116", "expected YYYY"},
      {"2014-1-16", "expected YYYY"},
      {"2014-01-16 13:17", "expected YYYY"},
      {"2014-01-16T13", "expected YYYY"},
      {"2014-01-16T13:17:", "expected YYYY"},
      {"2014-01-16T13:17:05.", "expected YYYY"},
      {"2014-01-16T13:17:05.1234567890", "expected YYYY"},
      {"2014-01-16T13:17z", "expected YYYY"},
      {"2014-01-16T13:17Z ", "expected YYYY"},
      {"2014-01-16T13:17+0200", "expected YYYY"},
      {"2014-01-16T13:17+02", "expected YYYY"},
      {"2014-01-16Z", "expected YYYY"},
      {"2014-01Z", "expected YYYY"},
      {"-014-01-16", "expected YYYY"},
      {"2014-01-16T+3:17", "expected YYYY"},
      {"UNKNOWN", "expected YYYY"},
      {"1799-12-31", "year 1799 is not from 1800 to 2200"},
      {"2201", "year 2201 is not from 1800 to 2200"},
      {"2014-00", "month 00 is not from 1 to 12"},
      {"2014-13-01", "month 13 is not from 1 to 12"},
      {"2014-01-00", "day 00 is not from 1 to 31"},
      {"2014-04-31", "day 31 is not from 1 to 30"},
      {"2013-02-29", "day 29 is not from 1 to 28"},
      {"1900-02-29", "day 29 is not from 1 to 28"},
      {"2014-01-16T24:00", "hour 24 is not from 0 to 23"},
      {"2014-01-16T13:60", "minute 60 is not from 0 to 59"},
      {"2014-01-16T13:17:60", "second 60 is not from 0 to 59"},
      {"2014-01-16T13:17+15:00", "offset hour 15 is not from 0 to 14"},
      {"2014-01-16T13:17+14:01", "offset minute 01 is not from 0 to 0"},
      {"2014-01-16T13:17+02:60", "offset minute 60 is not from 0 to 59"},
  };
  for (const auto& [given, reason] : cases) {
    const auto checked = check_effective(given);
    ASSERT_FALSE(checked.ok()) << given;
    EXPECT_EQ(checked.error().message.rfind(reason, 0), 0u)
        << given << ": " << checked.error().message;
    EXPECT_FALSE(resolve_effective(given, kNewYork).ok()) << given;
  }
}

TEST(EffectiveTime, MeansTheInstantsOfTheSitesWallClock) {
  const struct {
    const char* given;
    const char* zone;
    const char* from;
    const char* until;
  } cases[] = {
      {"2014", kNewYork, "2014-01-01T05:00:00.000Z", "2015-01-01T05:00:00.000Z"},
      {"2014-12", kNewYork, "2014-12-01T05:00:00.000Z", "2015-01-01T05:00:00.000Z"},
      {"2014-02", "UTC", "2014-02-01T00:00:00.000Z", "2014-03-01T00:00:00.000Z"},
      {"2014-01-16", kNewYork, "2014-01-16T05:00:00.000Z", "2014-01-17T05:00:00.000Z"},
      {"2014-07-16", kNewYork, "2014-07-16T04:00:00.000Z", "2014-07-17T04:00:00.000Z"},
      {"2014-01-16T13:17", kNewYork, "2014-01-16T18:17:00.000Z", "2014-01-16T18:18:00.000Z"},
      {"2014-01-16T13:17:05", kNewYork, "2014-01-16T18:17:05.000Z", "2014-01-16T18:17:06.000Z"},
      {"2014-01-16T13:17:05.250", kNewYork, "2014-01-16T18:17:05.250Z", "2014-01-16T18:17:05.251Z"},
      {"2014-01-16T13:17:05.2", kNewYork, "2014-01-16T18:17:05.200Z", "2014-01-16T18:17:05.300Z"},
      {"2014-01-16T13:17:05.2509", kNewYork, "2014-01-16T18:17:05.250Z",
       "2014-01-16T18:17:05.251Z"},
      // With an offset the zone does not matter.
      {"2014-01-16T13:17Z", kNewYork, "2014-01-16T13:17:00.000Z", "2014-01-16T13:18:00.000Z"},
      {"2014-01-16T13:17-08:00", kNewYork, "2014-01-16T21:17:00.000Z", "2014-01-16T21:18:00.000Z"},
      {"2014-01-16T01:17+05:30", "nowhere", "2014-01-15T19:47:00.000Z", "2014-01-15T19:48:00.000Z"},
      // The clock goes from 2:00 to 3:00: a day of 23 hours, and times that do not exist.
      {"2014-03-09", kNewYork, "2014-03-09T05:00:00.000Z", "2014-03-10T04:00:00.000Z"},
      {"2014-03-09T01:59", kNewYork, "2014-03-09T06:59:00.000Z", "2014-03-09T07:00:00.000Z"},
      {"2014-03-09T02:30", kNewYork, "2014-03-09T07:00:00.000Z", "2014-03-09T07:00:00.001Z"},
      {"2014-03-09T03:00", kNewYork, "2014-03-09T07:00:00.000Z", "2014-03-09T07:01:00.000Z"},
      // From 2:00 back to 1:00: a day of 25 hours, and times that occur twice.
      {"2014-11-02", kNewYork, "2014-11-02T04:00:00.000Z", "2014-11-03T05:00:00.000Z"},
      {"2014-11-02T00:59", kNewYork, "2014-11-02T04:59:00.000Z", "2014-11-02T05:00:00.000Z"},
      {"2014-11-02T01:00", kNewYork, "2014-11-02T05:00:00.000Z", "2014-11-02T06:01:00.000Z"},
      {"2014-11-02T01:30", kNewYork, "2014-11-02T05:30:00.000Z", "2014-11-02T06:31:00.000Z"},
      {"2014-11-02T01:59", kNewYork, "2014-11-02T05:59:00.000Z", "2014-11-02T07:00:00.000Z"},
      {"2014-11-02T02:00", kNewYork, "2014-11-02T07:00:00.000Z", "2014-11-02T07:01:00.000Z"},
      // The day begins at 1:00, because midnight is skipped; the hour after midnight twice.
      {"2018-11-04", "America/Sao_Paulo", "2018-11-04T03:00:00.000Z", "2018-11-05T02:00:00.000Z"},
      {"2014-11-01", "America/Havana", "2014-11-01T04:00:00.000Z", "2014-11-02T04:00:00.000Z"},
      {"2014-11-02", "America/Havana", "2014-11-02T04:00:00.000Z", "2014-11-03T05:00:00.000Z"},
      // Samoa skipped a whole day when it crossed the date line.
      {"2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00.000Z", "2011-12-30T10:00:00.001Z"},
      {"2014-07-16T12:00", "Australia/Lord_Howe", "2014-07-16T01:30:00.000Z",
       "2014-07-16T01:31:00.000Z"},
  };
  for (const auto& [given, zone, from, until] : cases) {
    const auto interval = resolve_effective(given, zone);
    ASSERT_TRUE(interval.ok()) << given << " " << zone << ": " << interval.error().message;
    EXPECT_EQ(format_utc(interval->from_ms), from) << given << " " << zone;
    EXPECT_EQ(format_utc(interval->until_ms), until) << given << " " << zone;
  }
}

TEST(EffectiveTime, IntervalsAreNeverEmptyAndFollowEachOther) {
  // Each day of three years, in zones that change their clocks by different amounts and hours.
  for (const char* zone : {kNewYork, "Europe/Berlin", "America/Havana", "America/Sao_Paulo",
                           "Australia/Lord_Howe", "Africa/Cairo", "UTC"}) {
    std::int64_t end_ms = 0;
    for (std::int64_t day = 15706; day < 15706 + 3 * 365; ++day) {  // from 2013-01-01
      const std::string given = format_utc(day * 86'400'000).substr(0, 10);
      const auto interval = resolve_effective(given, zone);
      ASSERT_TRUE(interval.ok()) << given;
      EXPECT_LT(interval->from_ms, interval->until_ms) << given << " " << zone;
      if (end_ms != 0) {
        EXPECT_EQ(interval->from_ms, end_ms) << given << " " << zone;
      }
      end_ms = interval->until_ms;
    }
  }
}

TEST(EffectiveTime, UnknownZonesAreFaults) {
  const auto interval = resolve_effective("2014-01-16", "Mars/Olympus");
  ASSERT_FALSE(interval.ok());
  EXPECT_EQ(interval.error().message, "unknown time zone Mars/Olympus");
  EXPECT_TRUE(known_time_zone(kNewYork));
  EXPECT_TRUE(known_time_zone("UTC"));
  EXPECT_FALSE(known_time_zone(""));
  EXPECT_FALSE(known_time_zone("../../etc/passwd"));
}

TEST(EffectiveTime, InstantsNeedAnOffset) {
  EXPECT_EQ(parse_instant("1970-01-01T00:00Z"), 0);
  EXPECT_EQ(parse_instant("1970-01-01T01:00:01+01:00"), 1000);
  EXPECT_EQ(parse_instant("1969-12-31T23:59:59.999Z"), -1);
  EXPECT_EQ(parse_instant("2014-01-16T13:17:00"), std::nullopt);
  EXPECT_EQ(parse_instant("2014-01-16"), std::nullopt);
  EXPECT_EQ(parse_instant("nonsense"), std::nullopt);
}

TEST(EffectiveTime, InstantsAreWrittenAndReadBack) {
  for (const char* text : {"2014-01-16T13:17:00.000Z", "1969-12-31T23:59:59.999Z",
                           "1800-01-01T00:00:00.000Z", "2000-02-29T12:34:56.789Z"}) {
    const auto instant = parse_instant(text);
    ASSERT_TRUE(instant) << text;
    EXPECT_EQ(format_utc(*instant), text);
  }
  EXPECT_EQ(format_utc(std::numeric_limits<std::int64_t>::max()), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(format_utc(std::numeric_limits<std::int64_t>::min()), "0000-01-01T00:00:00.000Z");
}

}  // namespace
}  // namespace trialward::model
