#include "cdisc/line_reader.h"

#include <vector>

#include "tests/files.h"

namespace trialward::cdisc {
namespace {

struct Seen {
  std::string text;
  bool too_long = false;
  bool operator==(const Seen&) const = default;
};

void PrintTo(const Seen& seen, std::ostream* out) {
  *out << '"' << seen.text.substr(0, 40) << '"' << (seen.too_long ? " (too long)" : "");
}

class LineReaderTest : public Files {
 protected:
  static std::vector<Seen> read_all(const std::string& path, std::size_t line_bytes_max) {
    std::vector<Seen> all;
    auto reader = LineReader::open(path, line_bytes_max);
    EXPECT_TRUE(reader.ok());
    Line line;
    while (reader.ok()) {
      const auto more = reader->next(line);
      EXPECT_TRUE(more.ok());
      if (!more.ok() || !*more) break;
      all.push_back({std::string(line.text), line.too_long});
      EXPECT_EQ(line.number, all.size());
    }
    return all;
  }
};

TEST_F(LineReaderTest, SplitsLines) {
  const struct {
    std::string bytes;
    std::vector<Seen> expected;
  } cases[] = {
      {"", {}},
      {"\n", {{""}}},
      {"a\nb\n", {{"a"}, {"b"}}},
      {"a\nb", {{"a"}, {"b"}}},
      {"a\r\nb\r\n", {{"a"}, {"b"}}},
      {"a\n\n\nb\n", {{"a"}, {""}, {""}, {"b"}}},
      {"a\rb\r", {{"a\rb\r"}}},
      {"\r\n\r\n", {{""}, {""}}},
      {"12345\n123456\n1234567\n", {{"12345"}, {"12345", true}, {"12345", true}}},
      {"12345\r\n123456\r\nnext\n", {{"12345"}, {"12345", true}, {"next"}}},
  };
  for (const auto& [bytes, expected] : cases) {
    EXPECT_EQ(read_all(write("plain", bytes), 5), expected) << bytes;
    EXPECT_EQ(read_all(write("gzip", compressed(bytes, kGzip)), 5), expected) << bytes;
  }
}

// Lines that begin, end and are cut in every place of the buffer.
TEST_F(LineReaderTest, SplitsLinesAcrossBuffers) {
  constexpr std::size_t kMax = 70'000;
  std::string bytes;
  std::vector<Seen> expected;
  for (const std::size_t size : {65'535, 0, 65'536, 65'537, 1, 70'000, 70'001, 200'000, 3}) {
    const std::string line(size, static_cast<char>('a' + expected.size()));
    bytes += line + "\r\n";
    expected.push_back({line.substr(0, kMax), size > kMax});
  }
  EXPECT_EQ(read_all(write("plain", bytes), kMax), expected);
}

TEST_F(LineReaderTest, NamesTheFile) {
  const auto missing = LineReader::open(path("missing"), 10);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message,
            path("missing") + ": cannot be opened: No such file or directory");

  const std::string cut = write("cut", compressed("a\nb\n", kGzip).substr(0, 12));
  auto reader = LineReader::open(cut, 10);
  ASSERT_TRUE(reader.ok());
  Line line;
  auto more = reader->next(line);
  while (more.ok() && *more) more = reader->next(line);
  ASSERT_FALSE(more.ok());
  EXPECT_EQ(more.error().message, cut + ": ends in the middle of its compressed data");
}

}  // namespace
}  // namespace trialward::cdisc
