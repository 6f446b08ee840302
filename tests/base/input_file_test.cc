#include "base/input_file.h"

#include <algorithm>

#include "tests/files.h"

namespace trialward::base {
namespace {

class InputFileTest : public Files {
 protected:
  struct Read {
    std::string bytes;
    std::string fault;  // empty: the file's end was reached
  };

  static Read read_all(const std::string& path, std::size_t step) {
    Read read;
    auto file = InputFile::open(path);
    if (!file) return {"", file.error().message};
    std::string piece(step, '\0');
    for (;;) {
      const auto count = file->read(piece.data(), step);
      if (!count) return {read.bytes, count.error().message};
      if (*count == 0) break;
      read.bytes.append(piece, 0, *count);
    }
    EXPECT_EQ(file->bytes_read(), file->bytes_total());
    return read;
  }
};

// Longer than every buffer, and not so regular that a shifted piece would go unnoticed.
std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 300'000; ++i) text += std::to_string(i) + " ";
  return text;
}

TEST_F(InputFileTest, GivesUpWhenItIsTold) {
  const std::string plain(1 << 20, ' ');
  // Packed it is one step of the file, and unpacked many of read().
  for (const std::string& path : {write("plain", plain), write("gzip", compressed(plain, kGzip))}) {
    auto file = InputFile::open(path);
    ASSERT_TRUE(file);
    int asked = 0;
    file->give_up_when([&] { return ++asked > 6; });
    std::string piece(64 << 10, '\0');
    std::size_t read = 0;
    for (;;) {
      const auto count = file->read(piece.data(), piece.size());
      if (!count) {
        EXPECT_EQ(count.error().code, Errc::cancelled);
        break;
      }
      ASSERT_NE(*count, 0U);
      read += *count;
    }
    EXPECT_EQ(asked, 7);
    EXPECT_GE(read, 3U << 16);
    EXPECT_LE(read, 7U << 16);
  }
}

TEST_F(InputFileTest, ReadsEveryFormWhateverTheName) {
  const std::string text = long_text();
  const std::string two = compressed(text, kGzip) + compressed("and more", kGzip);
  const struct {
    const char* name;
    std::string bytes, expected;
  } cases[] = {
      {"plain.gz", text, text},
      {"gzip.json", compressed(text, kGzip), text},
      {"zlib.json", compressed(text, kZlib), text},
      {"small-window.json", compressed("text", 9), "text"},
      {"two-streams.gz", two, text + "and more"},
      {"empty", "", ""},
      {"one-byte", "{", "{"},
      {"empty.gz", compressed("", kGzip), ""},
  };
  for (const auto& [name, bytes, expected] : cases) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{4096}, std::size_t{1} << 20}) {
      const Read read = read_all(write(name, bytes), step);
      EXPECT_EQ(read.fault, "") << name;
      EXPECT_TRUE(read.bytes == expected) << name << " in steps of " << step;
    }
  }
}

TEST_F(InputFileTest, WhatStandsAtTheBeginningIsStillToBeRead) {
  const std::string text = long_text();
  for (const std::string& bytes : {text, compressed(text, kGzip)}) {
    for (const std::size_t size : {std::size_t{4096}, text.size() + 1}) {
      auto file = InputFile::open(write("file", bytes));
      ASSERT_TRUE(file.ok());
      const auto beginning = file->beginning(size);
      ASSERT_TRUE(beginning.ok());
      EXPECT_EQ(*beginning, std::string_view(text).substr(0, size));
      std::string read(text.size() + 1, '\0');
      std::size_t had = 0;
      for (std::size_t count = 1; count > 0; had += count) {
        const std::size_t step = std::min<std::size_t>(1000, read.size() - had);
        const auto more = file->read(read.data() + had, step);
        ASSERT_TRUE(more.ok());
        count = *more;
      }
      EXPECT_EQ(read.substr(0, had), text);
    }
  }
}

TEST_F(InputFileTest, SaysWhatIsWrong) {
  const std::string gzip = compressed(long_text(), kGzip);
  std::string bad_sum = gzip;
  bad_sum[gzip.size() - 8] ^= 1;
  std::string bad_block = gzip;
  std::fill_n(bad_block.begin() + 1000, 64, '\xff');
  const std::string cut = "ends in the middle of its compressed data";
  const struct {
    const char* name;
    std::string bytes, fault;
  } cases[] = {
      {"cut", gzip.substr(0, gzip.size() / 2), cut},
      {"cut-in-sum", gzip.substr(0, gzip.size() - 1), cut},
      {"header-alone", gzip.substr(0, 2), cut},
      {"bad-sum", bad_sum, "is damaged: incorrect data check"},
      {"tail", gzip + "tail", "is damaged: incorrect header check"},
  };
  for (const auto& [name, bytes, fault] : cases) {
    EXPECT_EQ(read_all(write(name, bytes), 4096).fault, fault) << name;
  }
  EXPECT_TRUE(read_all(write("bad-block", bad_block), 4096).fault.starts_with("is damaged: "));
}

TEST_F(InputFileTest, SaysThatItCannotBeOpenedOrRead) {
  const auto missing = InputFile::open(path("missing"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, Errc::not_found);
  EXPECT_EQ(missing.error().message, "cannot be opened: No such file or directory");

  std::filesystem::create_directory(path("folder"));
  const auto folder = InputFile::open(path("folder"));
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().code, Errc::invalid);
  EXPECT_EQ(folder.error().message, "cannot be read: Is a directory");
}

TEST_F(InputFileTest, TellsHowFarItIsInTheFileOnTheDisk) {
  const std::string gzip = compressed(std::string(1 << 20, 'a'), kGzip);
  auto file = InputFile::open(write("a.gz", gzip));
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->bytes_total(), gzip.size());
  char one = '\0';
  ASSERT_TRUE(file->read(&one, 1).ok());
  EXPECT_EQ(one, 'a');
  EXPECT_GT(file->bytes_read(), 0u);
  EXPECT_LE(file->bytes_read(), gzip.size());
}

TEST(At, PutsThePlaceBefore) {
  const Error error = at("a.json", at("row 3", {Errc::corrupt, "is no array"}));
  EXPECT_EQ(error.message, "a.json: row 3: is no array");
  EXPECT_EQ(error.code, Errc::corrupt);
}

}  // namespace
}  // namespace trialward::base
