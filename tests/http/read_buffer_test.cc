#include "http/read_buffer.h"

#include <gtest/gtest.h>

#include <string>

namespace trialward::http {
namespace {

constexpr std::size_t kFirst = ReadBuffer::kFirstBytes;

// As a read that brings n bytes, or as many as there is room for.
void fill(ReadBuffer& buffer, std::size_t n, char with) {
  const std::span<char> room = buffer.room();
  n = std::min(n, room.size());
  std::fill_n(room.begin(), n, with);
  buffer.filled(n);
}

TEST(ReadBuffer, GrowsWhileReadsFillItAndKeepsWhatItHolds) {
  ReadBuffer buffer(6 * kFirst);
  EXPECT_EQ(buffer.room().size(), kFirst);
  fill(buffer, 10, 'a');
  EXPECT_EQ(buffer.room().size(), kFirst - 10);
  buffer.consume(4);
  fill(buffer, 10 * kFirst, 'b');
  EXPECT_EQ(buffer.view().size(), kFirst);
  fill(buffer, 10 * kFirst, 'c');
  EXPECT_EQ(buffer.view().size(), 4 * kFirst);
  fill(buffer, 10 * kFirst, 'd');
  EXPECT_TRUE(buffer.room().empty());  // at its limit, and full
  EXPECT_EQ(buffer.view(), std::string(6, 'a') + std::string(kFirst - 6, 'b') +
                               std::string(3 * kFirst, 'c') + std::string(2 * kFirst, 'd'));
}

TEST(ReadBuffer, GrowsForAStreamThatIsUsedAsItComes) {
  ReadBuffer buffer(64 * 1024);
  for (int i = 0; i < 4; ++i) {
    fill(buffer, 64 * 1024, 'x');
    buffer.consume(buffer.view().size());
  }
  EXPECT_EQ(buffer.room().size(), 64U * 1024);
}

TEST(ReadBuffer, GivesBackWhatItHasGrownBy) {
  ReadBuffer buffer(64 * 1024);
  fill(buffer, kFirst, 'x');
  fill(buffer, kFirst, 'y');
  buffer.consume(2 * kFirst);
  buffer.shrink();
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(buffer.room().size(), kFirst);
}

}  // namespace
}  // namespace trialward::http
