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

TEST(WriteQueue, PiecesEndWhenTheirLastByteIsWritten) {
  WriteQueue queue;
  std::string told;
  queue.push("ab", 0);
  queue.push("cde", 3, [&](bool ok) { told += ok ? "c" : "!"; });
  queue.push("f", 1, [&](bool ok) { told += ok ? "f" : "!"; });
  ASSERT_EQ(queue.front().size(), 3U);

  EXPECT_EQ(consume(queue, 1), 0U);
  EXPECT_EQ(queue.front()[0], "b");
  EXPECT_EQ(consume(queue, 3), 0U);
  EXPECT_EQ(told, "");
  EXPECT_EQ(queue.front()[0], "e");
  EXPECT_EQ(consume(queue, 1), 3U);
  EXPECT_EQ(told, "c");
  EXPECT_FALSE(queue.empty());
  queue.fail();
  EXPECT_EQ(told, "c!");
  EXPECT_TRUE(queue.empty());
}

TEST(WriteQueue, OneWriteTakesSixteenPieces) {
  WriteQueue queue;
  for (int i = 0; i < 20; ++i) queue.push("x", 1);
  EXPECT_EQ(queue.front().size(), 16U);
  EXPECT_EQ(consume(queue, 16), 16U);
  EXPECT_EQ(queue.front().size(), 4U);
}

}  // namespace
}  // namespace trialward::http
