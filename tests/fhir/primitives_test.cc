#include "fhir/primitives.h"

#include <gtest/gtest.h>

namespace trialward::fhir {
namespace {

TEST(Primitives, Dates) {
  for (const char* text : {"2024", "2024-12", "2024-02-29", "0001-01-01", "9999-12-31"}) {
    EXPECT_TRUE(is_date(text) && is_date_time(text)) << text;
  }
  for (const char* text : {"", "24", "0000", "2024-13", "2024-00", "2023-02-29", "1900-02-29",
                           "2024-04-31", "2024-1-1", "2024-01-01T", "2024-", "2024-01-01 "}) {
    EXPECT_FALSE(is_date(text) || is_date_time(text)) << text;
  }
}

TEST(Primitives, InstantsAndTimes) {
  for (const char* text : {"2024-01-31T08:30:00Z", "2024-01-31T08:30:00.123456789+14:00",
                           "2024-12-31T23:59:60-05:30"}) {
    EXPECT_TRUE(is_date_time(text)) << text;
  }
  for (const char* text : {"2024-01-31T08:30Z", "2024-01-31T08:30:00", "2024-01T08:30:00Z",
                           "2024-01-31T24:00:00Z", "2024-01-31T08:30:00.Z",
                           "2024-01-31T08:30:00+15:00", "2024-01-31t08:30:00Z",
                           "2024-01-31T08:30:00Zx"}) {
    EXPECT_FALSE(is_date_time(text)) << text;
  }
  EXPECT_TRUE(is_time("00:00:00") && is_time("23:59:59.001"));
  EXPECT_FALSE(is_time("08:30") || is_time("08:60:00") || is_time("08:30:00Z") || is_time(""));
}

TEST(Primitives, Integers) {
  EXPECT_EQ(parse_integer("-2147483648"), -2147483648LL);
  EXPECT_EQ(parse_integer("0"), 0);
  for (const char* text : {"", "1.0", "1e3", "2147483648", "-", "+1"}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
}

TEST(Primitives, Base64) {
  EXPECT_EQ(base64_bytes(""), 0u);
  EXPECT_EQ(base64_bytes("YQ=="), 1u);
  EXPECT_EQ(base64_bytes("YWI="), 2u);
  EXPECT_EQ(base64_bytes("YW\nJj "), 3u);
  for (const char* text : {"Y", "YQ", "YQ=", "Y===", "YQ==YQ==", "Y-Q=", "===="}) {
    EXPECT_FALSE(base64_bytes(text)) << text;
  }
}

}  // namespace
}  // namespace trialward::fhir
