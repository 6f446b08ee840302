#include "model/iso_duration.h"

#include <gtest/gtest.h>

#include "model/effective_time.h"

namespace trialward::model {
namespace {

std::int64_t day(const char* text) { return resolve_effective(text, "UTC")->from_ms / 86'400'000; }

TEST(IsoDuration, ReadsWhatTheStandardWrites) {
  const struct {
    const char* text;
    IsoDuration duration;
    const char* again;
  } cases[] = {
      {"P2W", {.days = 14}, "P14D"},
      {"P1Y2M3DT4H5M6S", {14, 3, 14'706'000}, "P14M3DT4H5M6S"},
      {"P3D", {.days = 3}, "P3D"},
      {"P1M", {.months = 1}, "P1M"},
      {"PT1M", {.exact_ms = 60'000}, "PT1M"},
      {"PT36H", {.exact_ms = 129'600'000}, "PT36H"},
      {"P0D", {}, "P0D"},
      {"PT0H", {}, "P0D"},
      {"-P2W", {.days = -14}, "-P14D"},
      {"-PT4H", {.exact_ms = -14'400'000}, "-PT4H"},
  };
  for (const auto& one : cases) {
    const auto read = parse_iso_duration(one.text, Sign::allowed);
    ASSERT_TRUE(read.ok()) << one.text << ": " << read.error().message;
    EXPECT_EQ(*read, one.duration) << one.text;
    EXPECT_EQ(to_string(*read), one.again);
    EXPECT_EQ(*parse_iso_duration(one.again, Sign::allowed), one.duration);
  }
}

TEST(IsoDuration, RefusesOthersAndSaysWhy) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "it must begin with P"},
      {"2W", "it must begin with P"},
      {"p2w", "it must begin with P"},
      {"-P2W", "it must not be negative"},
      {"P", "it says nothing"},
      {"PT", "after T hours, minutes or seconds must come"},
      {"P1DT", "after T hours, minutes or seconds must come"},
      {"P1", "a number has no letter behind it"},
      {"PD", "expected such as"},
      {"P1H", "expected such as"},
      {"PT1D", "expected such as"},
      {"P1D2M", "expected such as"},
      {"P1D1D", "expected such as"},
      {"PT1HT1M", "it has more than one T"},
      {"P1W2D", "weeks stand alone"},
      {"P1WT1H", "weeks stand alone"},
      {"P1.5D", "fractions are not taken"},
      {"PT0,5H", "fractions are not taken"},
      {"P 1D", "expected such as"},
      {"P-1D", "expected such as"},
      {"P100000D", "a number has more than five digits"},
      {"P7321D", "it is longer than 20 years"},
      {"P237M", "it is longer than 20 years"},
  };
  for (const auto& [text, reason] : cases) {
    const auto read = parse_iso_duration(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_NE(read.error().message.find(reason), std::string::npos)
        << text << ": " << read.error().message;
  }
  EXPECT_TRUE(parse_iso_duration("P7320D").ok());
  EXPECT_TRUE(parse_iso_duration("P236M").ok());
}

TEST(IsoDuration, MonthsEndWhereTheCalendarHasNoSuchDay) {
  const struct {
    const char* from;
    IsoDuration after;
    const char* day;
  } cases[] = {
      {"2023-01-31", {.months = 1}, "2023-02-28"},
      {"2024-01-31", {.months = 1}, "2024-02-29"},
      {"2024-02-29", {.months = 12}, "2025-02-28"},
      {"2024-01-31", {.months = 1, .days = 1}, "2024-03-01"},
      {"2024-03-31", {.months = -1}, "2024-02-29"},
      {"2024-11-15", {.months = 3}, "2025-02-15"},
      {"2024-12-31", {.days = 1}, "2025-01-01"},
      {"1960-01-01", {.days = -1}, "1959-12-31"},
      {"2024-01-31", times({.months = 1}, 2), "2024-03-31"},  // not a month after 29 February
  };
  for (const auto& one : cases) {
    EXPECT_EQ(day_text(day_after(day(one.from), one.after)), one.day)
        << one.from << " " << to_string(one.after);
  }
}

}  // namespace
}  // namespace trialward::model
