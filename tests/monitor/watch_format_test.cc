#include "monitor/watch_format.h"

#include <gtest/gtest.h>

#include "base/sha256.h"
#include "monitor/evaluate.h"

namespace trialward::monitor {
namespace {

Point point_at(std::int64_t at_ms, std::string name) {
  Point point;
  point.at_ms = at_ms;
  point.name = std::move(name);
  point.record = 5;
  return point;
}

std::vector<Series> example() {
  std::vector<Series> all(4);
  Point point = point_at(-86'400'000, std::string("lab\0A-1", 7));
  point.marked = true;
  point.number = -0.1;
  point.low = 0;
  point.high = 7.5;
  (void)all[1].insert(point);
  point = point_at(1'577'880'000'123, std::string("lab\0A-2", 7));
  point.record = 1'000'000'000'000;
  point.bits = ~std::uint64_t{0};
  point.superseded = true;
  (void)all[1].insert(point);
  (void)all[3].insert(point_at(0, std::string("lab\0A-20", 8)));
  return all;
}

std::string sealed(const std::string& bytes) {
  return bytes + std::string(base::as_bytes(base::sha256(bytes)).substr(0, 8));
}

TEST(WatchFormat, KeepsEverything) {
  const auto all = example();
  const std::string saved = save_series(all);
  const auto loaded = load_series(saved, all.size());
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ((*loaded)[i].seen(), all[i].seen());
    ASSERT_EQ((*loaded)[i].size(), all[i].size());
    const auto read = (*loaded)[i].points(), written = all[i].points();
    for (std::size_t j = 0; j < written.size(); ++j) {
      const Point &a = read[j], &b = written[j];
      EXPECT_EQ(a.at_ms, b.at_ms);
      EXPECT_EQ(a.name, b.name);
      EXPECT_EQ(a.record, b.record);
      EXPECT_EQ(a.superseded, b.superseded);
      EXPECT_EQ(a.marked, b.marked);
      EXPECT_EQ(a.number, b.number);
      EXPECT_EQ(a.of_uln, b.of_uln);
      EXPECT_EQ(a.low, b.low);
      EXPECT_EQ(a.high, b.high);
      EXPECT_EQ(a.bits, b.bits);
    }
  }
}

// What was written by an earlier build must be read by a later one, or have another hash.
TEST(WatchFormat, StaysAsItIs) {
  std::vector<Series> all(2);
  Point point = point_at(1, std::string("s\0i", 3));
  point.number = 1;
  point.of_uln = 2;
  point.bits = 3;
  (void)all[1].insert(point);
  const std::string bytes(
      "\x02\x02\x01\x01\x02\x00\x03s\0i\x0a\x0c\x03\0\0\0\0\0\0\xf0\x3f\0\0\0\0\0\0\0\x40", 29);
  EXPECT_EQ(base::to_hex(save_series(all)), base::to_hex(sealed(bytes)));
}

TEST(WatchFormat, NothingIsNoBytes) {
  EXPECT_EQ(save_series({}), "");
  EXPECT_EQ(save_series(std::vector<Series>(3)), "");
  const auto loaded = load_series("", 3);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->size(), 3u);
}

TEST(WatchFormat, EveryChangedByteIsFound) {
  const std::string saved = save_series(example());
  for (std::size_t i = 0; i < saved.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = saved;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      const auto loaded = load_series(changed, 4);
      ASSERT_FALSE(loaded.ok()) << i << ", bit " << bit;
      EXPECT_EQ(loaded.error().code, base::Errc::corrupt);
    }
    EXPECT_EQ(load_series(saved.substr(0, i), 4).ok(), i == 0) << i;
  }
  EXPECT_FALSE(load_series(saved + '\0', 4).ok());
  EXPECT_FALSE(load_series(saved, 3).ok());  // of other rules
}

// With a right checksum: what no series writes is refused all the same.
TEST(WatchFormat, RefusesWhatItWouldNotWrite) {
  using namespace std::string_literals;
  const std::string right = "\x02\x02\x01\x01\x02\x00\x03s\0i\x0a\x00\x03"s;
  ASSERT_TRUE(load_series(sealed(right), 2).ok());
  const std::pair<const char*, std::string> wrong[] = {
      {"no series", "\x02"s},
      {"another version", "\x01\x02\x01\x01\x02\x00\x03s\0i\x0a\x00\x03"s},
      {"a series of distance 0", "\x02\x00\x01\x01\x02\x00\x03s\0i\x0a\x00\x03"s},
      {"a series beyond the rules'", "\x02\x03\x01\x01\x02\x00\x03s\0i\x0a\x00\x03"s},
      {"an empty series", "\x02\x02\x00\x00"s},
      {"more points than may be", "\x02\x02\xff\xff\x03\xff\xff\x03"s},
      {"points that were never seen", "\x02\x02\x00\x01\x02\x00\x03s\0i\x0a\x00\x03"s},
      {"a longer integer than needed", "\x02\x82\x00\x01\x01\x02\x00\x03s\0i\x0a\x00\x03"s},
      {"an integer without end", "\x02\x02\x01\x01"s + std::string(12, '\xff')},
      {"an unknown flag", "\x02\x02\x01\x01\x02\x00\x03s\0i\x0a\x40\x03"s},
      {"shared bytes with nothing before", "\x02\x02\x01\x01\x02\x01\x03s\0i\x0a\x00\x03"s},
      {"a name that does not end", "\x02\x02\x01\x01\x02\x00\x7fs\0i\x0a\x00\x03"s},
      {"a record id below 1", "\x02\x02\x01\x01\x02\x00\x03s\0i\x00\x00\x03"s},
      {"a number that is none",
       "\x02\x02\x01\x01\x02\x00\x03s\0i\x0a\x04\x03\0\0\0\0\0\0\xf8\x7f"s},
      {"a multiple that is none",
       "\x02\x02\x01\x01\x02\x00\x03s\0i\x0a\x08\x03\0\0\0\0\0\0\xf8\x7f"s},
      {"a limit that is none",
       "\x02\x02\x01\x01\x02\x00\x03s\0i\x0a\x20\x03\0\0\0\0\0\0\xf8\x7f"s},
      {"an instant beyond all",
       "\x02\x02\x01\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00\x03s\0i\x0a\x00\x03"s},
      {"bytes after the last series", right + "\x00"s},
  };
  for (const auto& [what, bytes] : wrong) {
    EXPECT_FALSE(load_series(sealed(bytes), 2).ok()) << what;
  }
}

// What the limit of all watches is computed from.
TEST(WatchFormat, APointTakesNoMoreThanItMay) {
  std::vector<Series> all(1);
  Point point =
      point_at(kInstantMsMax - 1, std::string(512, '\xf4') + '\0' + std::string(512, 'i'));
  point.record = INT64_MAX;
  point.number = 0.1;
  point.of_uln = 0.1;
  point.low = point.high = 0.1;
  point.bits = ~std::uint64_t{0};
  (void)all[0].insert(point);
  EXPECT_LE(save_series(all).size(), kPointBytesMax);
  EXPECT_TRUE(load_series(save_series(all), 1).ok());
}

}  // namespace
}  // namespace trialward::monitor
