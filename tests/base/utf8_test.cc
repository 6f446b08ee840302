#include "base/utf8.h"

#include <gtest/gtest.h>

namespace trialward::base {
namespace {

using namespace std::string_view_literals;

TEST(Utf8Test, ALineIsCleanAndEndsWithAWholeCharacter) {
  struct Case {
    std::string_view text;
    std::size_t bytes_max;
    std::string_view line;
  };
  for (const Case& one : {Case{"plain", 9, "plain"}, Case{"plain", 3, "pla"}, Case{"", 3, ""},
                          Case{"aé", 2, "a"}, Case{"aé", 3, "aé"}, Case{"€€", 5, "€"},
                          Case{"a\0b\nc\x7f"sv, 9, "a b c "}, Case{"\xff\xc3", 9, "\uFFFD\uFFFD"},
                          Case{"\xff", 2, ""}, Case{"a\xed\xa0\x80", 4, "a\uFFFD"},
                          Case{"\xf0\x9f\x98\x80", 4, "\xf0\x9f\x98\x80"},
                          Case{"\xf0\x9f\x98\x80", 3, ""}}) {
    EXPECT_EQ(clean_line(one.text, one.bytes_max), one.line) << one.text;
  }
}

}  // namespace
}  // namespace trialward::base
