#include "api/url.h"

#include <gtest/gtest.h>

namespace trialward::api {
namespace {

using Segments = std::vector<std::string>;

TEST(SplitPath, DecodesSegments) {
  EXPECT_EQ(split_path("/"), Segments{});
  EXPECT_EQ(split_path("/v1/studies/a%2Fb/x+y"), (Segments{"v1", "studies", "a/b", "x+y"}));
}

TEST(SplitPath, RefusesWhatIsMalformed) {
  for (const char* path :
       {"", "v1", "//", "/v1/", "/a//b", "/%", "/%2", "/%zz", "/..", "/%2e%2e"}) {
    EXPECT_FALSE(split_path(path).has_value()) << path;
  }
}

TEST(QueryMembers, AreDecodedAndFound) {
  const auto query = QueryMembers::parse("source=lab+one&after=%2B1&flag&&empty=");
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->get("source"), "lab one");
  EXPECT_EQ(query->get("after"), "+1");
  EXPECT_EQ(query->get("flag"), "");
  EXPECT_EQ(query->get("missing"), "");
  EXPECT_EQ(query->unknown({"source", "after", "flag", "empty"}), "");
  EXPECT_EQ(query->unknown({"source", "after", "empty"}), "flag");
}

TEST(QueryMembers, RefusesWhatIsMalformed) {
  for (const char* query : {"a=%", "%zz=1"}) {
    EXPECT_FALSE(QueryMembers::parse(query).has_value()) << query;
  }
}

TEST(QueryMembers, TellsWhatIsThereTwice) {
  for (const char* query : {"a=1&a=2", "a=1&b=2&%61=3"}) {
    EXPECT_TRUE(QueryMembers::parse(query)->repeats()) << query;
  }
  EXPECT_FALSE(QueryMembers::parse("a=1&b=1")->repeats());
}

TEST(PercentEncode, IsUndoneBySplitPath) {
  std::string all;
  for (int c = 1; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(split_path("/" + percent_encode(all)), Segments{all});
}

}  // namespace
}  // namespace trialward::api
