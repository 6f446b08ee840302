#include "records/key_file.h"

#include <sys/stat.h>

#include <fstream>

#include "tests/store/store_bench.h"

namespace trialward::records {
namespace {

using base::Errc;

class KeyFileTest : public ::testing::Test {
 protected:
  std::string store() const { return folder_.file("s.db"); }
  static std::string contents(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static unsigned mode(const std::string& path) {
    struct stat status {};
    TW_CHECK(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 0777;
  }
  Errc error(bool make) const {
    const auto key = open_secret_key(store(), make);
    TW_CHECK(!key.ok());
    return key.error().code;
  }

  TemporaryFolder folder_;
};

TEST_F(KeyFileTest, IsMadeOnceAndForItsOwnerAlone) {
  EXPECT_EQ(error(false), Errc::not_found);
  const auto made = open_secret_key(store(), true);
  ASSERT_TRUE(made.ok()) << made.error().message;
  EXPECT_EQ(mode(secret_key_path(store())), 0600u);
  EXPECT_EQ(contents(secret_key_path(store())).size(), 65u);
  const auto again = open_secret_key(store(), true);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *made);
}

TEST_F(KeyFileTest, NoTwoStoresHaveTheSameKey) {
  const auto one = open_secret_key(store(), true);
  const auto other = open_secret_key(folder_.file("t.db"), true);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_NE(*one, *other);
}

TEST_F(KeyFileTest, ThePublicHalfIsWrittenBesideItAndMadeAgain) {
  const auto key = open_secret_key(store(), true);
  ASSERT_TRUE(key.ok());
  const auto known = read_public_key(public_key_path(store()));
  ASSERT_TRUE(known.ok());
  EXPECT_TRUE(std::equal(known->begin(), known->end(), key->begin() + 32));
  std::filesystem::remove(public_key_path(store()));
  EXPECT_TRUE(open_secret_key(store(), false).ok());
  EXPECT_EQ(read_public_key(public_key_path(store())).value(), *known);
}

TEST_F(KeyFileTest, AKeyThatOthersMayReadIsRefused) {
  ASSERT_TRUE(open_secret_key(store(), true).ok());
  for (const mode_t open_to : {0640, 0604, 0660, 0644}) {
    ASSERT_EQ(::chmod(secret_key_path(store()).c_str(), open_to), 0);
    EXPECT_EQ(error(true), Errc::refused);
  }
  ASSERT_EQ(::chmod(secret_key_path(store()).c_str(), 0400), 0);
  EXPECT_TRUE(open_secret_key(store(), true).ok());
}

TEST_F(KeyFileTest, APublicKeyOfAnotherIsCorrupt) {
  ASSERT_TRUE(open_secret_key(store(), true).ok());
  std::ofstream(public_key_path(store())) << std::string(64, 'a') << '\n';
  EXPECT_EQ(error(true), Errc::corrupt);
}

TEST_F(KeyFileTest, WhatIsNoKeyIsInvalidAndIsLeftAlone) {
  const std::string good(64, '0');
  for (const std::string& text : {std::string(), std::string("\n"), good.substr(1), good + "0",
                                  good + "\n\n", good.substr(2) + "xy", "\n" + good, good + " "}) {
    std::ofstream(secret_key_path(store())) << text;
    ASSERT_EQ(::chmod(secret_key_path(store()).c_str(), 0600), 0);
    EXPECT_EQ(error(true), Errc::invalid) << text;
    EXPECT_EQ(contents(secret_key_path(store())), text);
  }
}

TEST_F(KeyFileTest, ARemainderOfACrashIsInNobodysWay) {
  std::ofstream(secret_key_path(store()) + ".new") << "half";
  EXPECT_TRUE(open_secret_key(store(), true).ok());
  EXPECT_FALSE(std::filesystem::exists(secret_key_path(store()) + ".new"));
}

TEST_F(KeyFileTest, AFolderThatIsNotThereIsSaid) {
  const auto key = open_secret_key(folder_.file("none/s.db"), true);
  ASSERT_FALSE(key.ok());
  EXPECT_NE(key.error().message.find("none/s.db.key"), std::string::npos) << key.error().message;
}

}  // namespace
}  // namespace trialward::records
