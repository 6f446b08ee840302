#include "api/line_cutter.h"

#include <gtest/gtest.h>

#include <vector>

namespace trialward::api {
namespace {

// The lines of pieces, each "NUMBER:TEXT", or "NUMBER!" for one that is too long; at most 5 bytes.
std::vector<std::string> cut(const std::vector<std::string>& pieces) {
  LineCutter cutter(5);
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    cutter.add(pieces[i], i + 1 == pieces.size());
    std::string_view line;
    for (auto one = cutter.next(line); one != LineCutter::Cut::none; one = cutter.next(line)) {
      lines.push_back(std::to_string(cutter.number()) +
                      (one == LineCutter::Cut::line ? ":" + std::string(line) : "!"));
    }
  }
  return lines;
}

struct CutCase {
  std::string_view name;
  std::string text;
  std::vector<std::string> lines;
};

class LineCutterCase : public testing::TestWithParam<CutCase> {};

TEST_P(LineCutterCase, IsCutTheSameInWhateverPieces) {
  const auto& [name, text, lines] = GetParam();
  EXPECT_EQ(cut({text}), lines);
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      EXPECT_EQ(cut({text.substr(0, first), text.substr(first, second - first),
                     text.substr(second)}),
                lines)
          << first << ", " << second;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, LineCutterCase,
    testing::Values(CutCase{"nothing", "", {}}, CutCase{"one_without_an_end", "ab", {"1:ab"}},
                    CutCase{"one_with_an_end", "ab\n", {"1:ab"}},
                    CutCase{"of_windows", "ab\r\nc\r\n", {"1:ab", "2:c"}},
                    CutCase{"blank_ones_count", "\n\na\n", {"1:", "2:", "3:a"}},
                    CutCase{"as_long_as_may_be", "12345\n6", {"1:12345", "2:6"}},
                    CutCase{"too_long", "123456\na\n", {"1!", "2:a"}},
                    CutCase{"much_too_long", "1234567890123\na", {"1!", "2:a"}},
                    CutCase{"too_long_at_the_end", "a\n1234567", {"1:a", "2!"}},
                    CutCase{"two_too_long", "123456\n1234567\n\n", {"1!", "2!", "3:"}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(LineCutter, NothingComesAfterClear) {
  LineCutter cutter(5);
  cutter.add("a\nb\nc", false);
  std::string_view line;
  EXPECT_EQ(cutter.next(line), LineCutter::Cut::line);
  cutter.clear();
  EXPECT_EQ(cutter.next(line), LineCutter::Cut::none);
  EXPECT_EQ(cutter.number(), 1);
}

}  // namespace
}  // namespace trialward::api
