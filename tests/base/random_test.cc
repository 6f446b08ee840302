#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace trialward::base {
namespace {

std::vector<std::byte> bytes_of(Random& random, std::size_t size) {
  std::vector<std::byte> bytes(size);
  random.fill(bytes);
  return bytes;
}

TEST(SeededRandom, ReplaysItsSeed) {
  SeededRandom first(7);
  SeededRandom second(7);
  SeededRandom other(8);
  const auto bytes = bytes_of(first, 100);
  EXPECT_EQ(bytes, bytes_of(second, 100));
  EXPECT_NE(bytes, bytes_of(other, 100));
  EXPECT_NE(bytes, bytes_of(first, 100)) << "the stream goes on, it does not repeat";
}

TEST(SeededRandom, FillsExactlyWhatItIsGiven) {
  for (const std::size_t size : {0u, 1u, 7u, 8u, 9u, 31u}) {
    SeededRandom random(1);
    std::vector<std::byte> bytes(size + 1, std::byte{0});
    random.fill(std::span(bytes).first(size));
    EXPECT_EQ(bytes[size], std::byte{0}) << size;
    if (size >= 8) {
      EXPECT_NE(std::count(bytes.begin(), bytes.end(), std::byte{0}),
                static_cast<std::ptrdiff_t>(size + 1));
    }
  }
}

TEST(Random, BelowReachesEveryValueAboutEquallyOften) {
  SeededRandom random(42);
  std::array<int, 6> counts{};
  for (int i = 0; i < 6'000; ++i) ++counts.at(random.below(counts.size()));
  for (const int count : counts) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1'150);
  }
}

// Answers the numbers it is given, one after the other.
class Scripted final : public Random {
 public:
  explicit Scripted(std::vector<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  void fill(std::span<std::byte> out) override {
    const auto bytes = std::as_bytes(std::span(&numbers_.at(next_++), 1));
    std::copy_n(bytes.begin(), out.size(), out.begin());
  }

 private:
  std::vector<std::uint64_t> numbers_;
  std::size_t next_ = 0;
};

TEST(Random, BelowDrawsAgainWhatWouldFavourTheSmallNumbers) {
  // 2^64 - 1 is past the last whole multiple of 10.
  Scripted random({~std::uint64_t{0}, 27});
  EXPECT_EQ(random.below(10), 7u);
}

TEST(Random, BelowOneIsZero) {
  SeededRandom random(3);
  EXPECT_EQ(random.below(1), 0u);
}

TEST(RandomDeathTest, BelowZeroIsTheCallersBug) {
  SeededRandom random(3);
  EXPECT_DEATH(random.below(0), "bound > 0");
}

TEST(SystemRandom, FillsAndDiffers) {
  SystemRandom random;
  const auto bytes = bytes_of(random, 64);
  EXPECT_NE(bytes, std::vector<std::byte>(64));
  EXPECT_NE(bytes, bytes_of(random, 64));
}

}  // namespace
}  // namespace trialward::base
