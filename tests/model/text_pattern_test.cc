#include "model/text_pattern.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

TEST(TextPattern, IsHeldAgainstTheWholeText) {
  struct Row {
    const char* pattern;
    const char* text;
    bool fits;
  };
  const Row rows[] = {
      {"[0-9]{3}", "123", true},   {"[0-9]{3}", "1234", false}, {"^a+$", "aaa", true},
      {".{3}", "äöü", true},       {"[ä-ü]+", "äöü", true},     {".{3}", "äöüß", false},
      {"\\d+|x", "x", true},       {"(?=.*[0-9])[a-z0-9]+", "ab1", true},
      {"(?=.*[0-9])[a-z0-9]+", "abc", false},                   {"", "", true},
  };
  for (const Row& row : rows) {
    const auto pattern = TextPattern::make(row.pattern);
    ASSERT_TRUE(pattern.ok()) << row.pattern;
    EXPECT_EQ(pattern->fits(row.text), row.fits) << row.pattern << ' ' << row.text;
    EXPECT_EQ(pattern->text(), row.pattern);
  }
}

TEST(TextPattern, RefusesWhatIsNone) {
  for (const char* pattern : {"(", "[a", "a{2,1}", "*", "(?<=a)b", "\\"}) {
    EXPECT_FALSE(TextPattern::make(pattern).ok()) << pattern;
  }
}

TEST(TextPattern, KeepsItsLimits) {
  EXPECT_TRUE(TextPattern::make(std::string(kPatternCharsMax, 'a')).ok());
  EXPECT_FALSE(TextPattern::make(std::string(kPatternCharsMax + 1, 'a')).ok());
  EXPECT_TRUE(TextPattern::make("[a-z]{1,64}@[a-z]{1,255}").ok());
  EXPECT_FALSE(TextPattern::make("a{2001}").ok());
  EXPECT_FALSE(TextPattern::make("((a{20}){20}){20}").ok());
  EXPECT_FALSE(TextPattern::make("(a{99999999999999999999})").ok());

  const auto any = TextPattern::make("a*");
  EXPECT_TRUE(any->fits(std::string(kPatternTextCharsMax, 'a')));
  EXPECT_FALSE(any->fits(std::string(kPatternTextCharsMax + 1, 'a')));
  EXPECT_EQ(TextPattern::make("(?!b)a*")->text_chars_max(), kPatternTextCharsMax / 10);
  // Which others take for ever.
  EXPECT_FALSE(TextPattern::make("(a|a|aa)*b")->fits(std::string(2000, 'a')));
}

TEST(TextPattern, CharactersOfBrokenTextAreItsBytes) {
  EXPECT_EQ(characters("a\xc3\xa4\xf0\x9f\x98\x80").size(), 3u);
  EXPECT_EQ(characters("\xc3").size(), 1u);
  EXPECT_EQ(characters("\xf0\x9f").size(), 2u);
}

}  // namespace
}  // namespace trialward::model
