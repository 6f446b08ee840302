#include "cli/token_list.h"

#include <gtest/gtest.h>

namespace trialward::cli {
namespace {

constexpr std::int64_t kListedMs = 1'736'150'400'000;  // 2025-01-06T08:00:00Z

TEST(TokenTable, HasALineATokenWithItsState) {
  const auto table = token_table(
      R"({"id":1,"role":"feed","name":"lab 3","unblinded":false,"revoked":false}
{"id":2,"role":"safety","subject":"P","source":"x","expires":"2025-01-06T08:00:00Z","revoked":false}
{"id":13,"role":"admin","site":"A","expires":"2025-01-06T08:00:00.001Z","revoked":false}
{"id":14,"role":"admin","expires":"2025-01-06T08:00:01Z","revoked":true}
)",
      kListedMs);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(*table,
            "ID  ROLE    NAME   SITE  SUBJECT  SOURCE  EXPIRES                   STATE\n"
            "1   feed    lab 3  -     -        -       -                         valid\n"
            "2   safety  -      -     P        x       2025-01-06T08:00:00Z      expired\n"
            "13  admin   -      A     -        -       2025-01-06T08:00:00.001Z  valid\n"
            "14  admin   -      -     -        -       2025-01-06T08:00:01Z      revoked\n");
}

TEST(TokenTable, LetsNoNameSteerTheTerminal) {
  const auto table =
      token_table(R"({"id":1,"role":"feed","name":"\u001b[2Jx\ny","revoked":false})", kListedMs);
  ASSERT_TRUE(table.ok());
  EXPECT_NE(table->find("?[2Jx?y"), std::string::npos) << *table;
}

TEST(TokenTable, IsItsTitlesWhenThereAreNone) {
  EXPECT_TRUE(token_table("", kListedMs)->starts_with("ID  ROLE"));
  EXPECT_FALSE(token_table("{}\n", kListedMs).ok());
  EXPECT_FALSE(token_table("no list\n", kListedMs).ok());
}

}  // namespace
}  // namespace trialward::cli
