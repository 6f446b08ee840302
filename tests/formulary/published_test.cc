#include "formulary/published.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace trialward::formulary {
namespace {

// Two numbers that always agree, and a mark that it has been freed.
struct Pair {
  explicit Pair(int value) : a(value), b(value) {}
  ~Pair() { a = b = -1; }
  int a, b;
};

TEST(Published, GivesWhatIsThereAndTheOldOneBack) {
  Published<int> published;
  EXPECT_FALSE(published.read());
  EXPECT_EQ(published.replace(std::make_unique<int>(1), [] {}), nullptr);
  EXPECT_EQ(*published.read().get(), 1);
  const auto old = published.replace(std::make_unique<int>(2), [] {});
  EXPECT_EQ(*old, 1);
  EXPECT_EQ(*published.read().get(), 2);
}

TEST(Published, WhoReplacesWaitsForThoseWhoReadTheOldOne) {
  Published<int> published;
  (void)published.replace(std::make_unique<int>(1), [] {});
  using Reading = Published<int>::Reading;
  std::unique_ptr<Reading> reading(new Reading(published.read()));
  int pauses = 0;
  const auto old = published.replace(std::make_unique<int>(2), [&] {
    EXPECT_EQ(*reading->get(), 1);
    EXPECT_EQ(*published.read().get(), 2);  // newcomers do not wait
    if (++pauses == 3) reading.reset();
  });
  EXPECT_EQ(pauses, 3);
  EXPECT_EQ(*old, 1);
}

TEST(Published, NobodyReadsWhatIsFreedOrAHalf) {
  Published<Pair> published;
  (void)published.replace(std::make_unique<Pair>(0), [] {});
  std::atomic<bool> over = false;
  std::vector<std::thread> readers;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      int last = 0;
      while (!over) {
        const auto now = published.read();
        if (now->a != now->b || now->a < last) ++wrong;
        last = now->a;
      }
    });
  }
  for (int i = 1; i <= 5000; ++i) {
    (void)published.replace(std::make_unique<Pair>(i), [] { std::this_thread::yield(); });
  }
  over = true;
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace trialward::formulary
