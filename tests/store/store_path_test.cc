#include "store/store_path.h"

#include <fstream>

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

namespace fs = std::filesystem;

TEST(ParseStoreUrl, TakesThePathOfSqlite) {
  EXPECT_EQ(parse_store_url("sqlite:/var/lib/s.db").value(), "/var/lib/s.db");
  EXPECT_EQ(parse_store_url("sqlite:a:b").value(), "a:b");
  for (const char* url : {"", "sqlite:", "sqlite", "/var/lib/s.db", "mysql://x", "Sqlite:x"}) {
    const auto path = parse_store_url(url);
    ASSERT_FALSE(path.ok()) << url;
    EXPECT_EQ(path.error().code, Errc::invalid);
    EXPECT_EQ(path.error().message,
              "'" + std::string(url) + "' is not a store; expected sqlite:PATH or postgresql://…");
  }
}

class RealStorePath : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.file(name); }
  TemporaryFolder folder_;
};

TEST_F(RealStorePath, IsTheSameByEveryWayToTheFile) {
  fs::create_directories(file("a/b"));
  fs::create_directory_symlink("a", file("to-a"));
  fs::create_symlink("../b/s.db", file("a/b/link.db"));
  fs::create_symlink(file("to-a/b/link.db"), file("far.db"));
  const std::string real = fs::canonical(file("a/b")).string() + "/s.db";
  // Before the store is there, and after.
  for (int i = 0; i < 2; ++i) {
    for (const char* way :
         {"a/b/s.db", "to-a/b/s.db", "a/./b/../b/s.db", "a/b/link.db", "far.db"}) {
      const auto path = real_store_path(file(way));
      ASSERT_TRUE(path.ok()) << why(path);
      EXPECT_EQ(*path, real) << way;
    }
    std::ofstream(real) << "x";
  }
}

TEST_F(RealStorePath, SaysWhatCanBeNoStore) {
  fs::create_directory(file("folder"));
  fs::create_symlink("loop.db", file("loop.db"));
  std::ofstream(file("one.db")) << "x";
  fs::create_hard_link(file("one.db"), file("two.db"));
  struct {
    const char* name;
    Errc code;
    const char* words;
  } const wrong[] = {
      {"none/s.db", Errc::not_found, "none/s.db: No such file"},
      {"folder", Errc::invalid, "is not a plain file"},
      {"loop.db", Errc::invalid, "too many symbolic links"},
      {"one.db", Errc::invalid, "has 2 names (hard links)"},
      {"two.db", Errc::invalid, "has 2 names (hard links)"},
  };
  for (const auto& one : wrong) {
    const auto path = real_store_path(file(one.name));
    ASSERT_FALSE(path.ok()) << one.name;
    EXPECT_EQ(path.error().code, one.code) << one.name;
    EXPECT_NE(path.error().message.find(one.words), std::string::npos) << why(path);
  }
}

}  // namespace
}  // namespace trialward::store
