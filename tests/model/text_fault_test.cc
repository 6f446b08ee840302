#include "model/text_fault.h"

#include <gtest/gtest.h>

#include "model/decode_record.h"

namespace trialward::model {
namespace {

std::string repeated(const std::string& part, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += part;
  return text;
}

TEST(TextFault, IdsAreShortAndVisible) {
  const struct {
    std::string id, reason;
  } cases[] = {
      {"A-1", ""},
      {"Å/µ 1", ""},
      {"", "is empty"},
      {"a\nb", "has a control character"},
      {"a\tb", "has a control character"},
      {std::string("a\0b", 3), "has a control character"},
      {"a\x7f", "has a control character"},
      {std::string(kIdCharsMax, 'x'), ""},
      {std::string(kIdCharsMax + 1, 'x'), "has 129 characters, more than 128"},
      {repeated("µ", kIdCharsMax), ""},  // two bytes each: characters count, not bytes
      {repeated("µ", kIdCharsMax + 1), "has 129 characters, more than 128"},
  };
  for (const auto& [id, reason] : cases) EXPECT_EQ(id_fault(id).value_or(""), reason) << id;
}

TEST(TextFault, TextsMayHaveLinesAndTabs) {
  const struct {
    std::string text, reason;
  } cases[] = {
      {"", ""},
      {"a\r\n\tb", ""},
      {"12345", ""},
      {"µµµµµ", ""},
      {"123456", "has 6 characters, more than 5"},
      {"\x1b[0m", "has a control character"},
      {std::string("\0", 1), "has a control character"},
  };
  for (const auto& [text, reason] : cases) {
    EXPECT_EQ(text_fault(text, 5).value_or(""), reason) << text;
  }
}

}  // namespace
}  // namespace trialward::model
