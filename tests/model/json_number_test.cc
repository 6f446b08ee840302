#include "model/json_number.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <string>

namespace trialward::model {
namespace {

TEST(JsonNumber, IsSpelledAsRfc8259Says) {
  for (const char* text : {"0", "-0", "7", "34.0", "0.5", "-12.25", "1e1", "1E+10", "2.5e-3",
                           "123456789012345678901234567890"}) {
    EXPECT_TRUE(is_json_number(text)) << text;
    EXPECT_EQ(parse_json_number(text), std::strtod(text, nullptr)) << text;
  }
  for (const char* text :
       {"",    "-",  "+5", "005", "00",   "-01", ".5",  "5.",       "5.e1",  "5e",
        "5e+", "e5", "5 ", " 5",  "0x10", "1,5", "NaN", "Infinity", "1e1.5", "--1"}) {
    EXPECT_FALSE(is_json_number(text)) << text;
    EXPECT_FALSE(parse_json_number(text)) << text;
  }
}

TEST(JsonNumber, WhatNoDoubleCanHoldIsNone) {
  EXPECT_TRUE(is_json_number("1e400"));
  EXPECT_FALSE(parse_json_number("1e400"));
  EXPECT_FALSE(parse_json_number("-1e400"));
  EXPECT_TRUE(parse_json_number("1.7976931348623157e308"));
}

TEST(JsonNumber, IsTheNearestDoubleHoweverManyDigitsItHas) {
  std::mt19937_64 random(20240131);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 2 ? "-0." : "0.";
    for (std::uint64_t zeros = random() % 4; zeros > 0; --zeros) text += '0';
    for (std::uint64_t digits = 1 + random() % 40; digits > 0; --digits) {
      text += static_cast<char>('0' + random() % 10);
    }
    ASSERT_EQ(parse_json_number(text), std::strtod(text.c_str(), nullptr)) << text;
  }
}

}  // namespace
}  // namespace trialward::model
