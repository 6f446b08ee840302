#include "http/write_queue.h"

#include <gtest/gtest.h>

namespace trialward::http {
namespace {

// What the queue says of n written bytes, after its callbacks were called.
std::size_t consume(WriteQueue& queue, std::size_t n) {
  const WriteQueue::Finished finished = queue.consume(n);
  for (const auto& on_written : finished.callbacks) on_written(true);
  return finished.payload;
}

// What one write would take.
std::string next(const WriteQueue& queue, std::size_t pieces_max = 16) {
  std::vector<std::string_view> room(pieces_max);
  std::string all;
  for (const std::string_view piece : queue.front(room)) all.append(piece).push_back('|');
  return all;
}

TEST(WriteQueue, PiecesEndWhenTheirLastByteIsWritten) {
  WriteQueue queue;
  std::string told;
  queue.push("ab", 0);
  queue.push("cde", 3, [&](bool ok) { told += ok ? "c" : "!"; });
  queue.push("f", 1, [&](bool ok) { told += ok ? "f" : "!"; });
  EXPECT_EQ(next(queue), "ab|cde|f|");

  EXPECT_EQ(consume(queue, 1), 0U);
  EXPECT_EQ(next(queue), "b|cde|f|");
  EXPECT_EQ(consume(queue, 3), 0U);
  EXPECT_EQ(told, "");
  EXPECT_EQ(next(queue), "e|f|");
  EXPECT_EQ(consume(queue, 1), 3U);
  EXPECT_EQ(told, "c");
  EXPECT_FALSE(queue.empty());
  queue.fail();
  EXPECT_EQ(told, "c!");
  EXPECT_TRUE(queue.empty());
}

TEST(WriteQueue, OneWriteTakesAsManyPiecesAsThereIsRoomFor) {
  WriteQueue queue;
  EXPECT_EQ(next(queue), "");
  for (int i = 0; i < 4; ++i) queue.push("x", 1);
  EXPECT_EQ(next(queue, 3), "x|x|x|");
  EXPECT_EQ(consume(queue, 3), 3U);
  EXPECT_EQ(next(queue, 3), "x|");
}

}  // namespace
}  // namespace trialward::http
