#include "store/token_rows.h"

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class TokenRowsTest : public StoreBench {
 protected:
  base::Status try_append(TokenRow& row) {
    TW_CHECK(writer().begin().ok());
    auto done = written(
        append_token(writer(), row, {.actor = "admin", .action = "token.created"}), "tokens");
    if (!done && on_postgres()) {
      writer().rollback();
      return done;
    }
    TW_CHECK(writer().commit().ok());
    return done;
  }
  base::Status revoke(std::int64_t token) {
    TW_CHECK(writer().begin().ok());
    auto done =
        revoke_token(writer(), token, {.actor = "admin", .action = "token.revoked", .at_ms = 7});
    TW_CHECK(writer().commit().ok());
    return done;
  }
};

TEST_F(TokenRowsTest, EveryFieldComesBack) {
  TokenRow full{.hash = base::sha256("full"),
                .name = "Ward 7",
                .role = "patient",
                .study = 3,
                .site = "A",
                .subject = "P-1",
                .source = "lab",
                .unblinded = true,
                .created_ms = 5,
                .expires_ms = 0};
  TokenRow plain{.hash = base::sha256("plain"), .name = "n", .role = "feed", .study = 1};
  ASSERT_TRUE(try_append(full).ok());
  ASSERT_TRUE(try_append(plain).ok());
  EXPECT_EQ(full.id, 1);
  EXPECT_EQ(plain.id, 2);
  auto rows = read_tokens(connection(), 0);
  ASSERT_TRUE(rows.ok()) << why(rows);
  ASSERT_EQ(rows->size(), 2u);
  for (const TokenRow& expected : {full, plain}) {
    const TokenRow& row = rows->at(static_cast<std::size_t>(expected.id - 1));
    EXPECT_EQ(row.id, expected.id);
    EXPECT_EQ(row.hash, expected.hash);
    EXPECT_EQ(row.name, expected.name);
    EXPECT_EQ(row.role, expected.role);
    EXPECT_EQ(row.study, expected.study);
    EXPECT_EQ(row.site, expected.site);
    EXPECT_EQ(row.subject, expected.subject);
    EXPECT_EQ(row.source, expected.source);
    EXPECT_EQ(row.unblinded, expected.unblinded);
    EXPECT_EQ(row.created_ms, expected.created_ms);
    EXPECT_EQ(row.expires_ms, expected.expires_ms);
    EXPECT_FALSE(row.revoked);
  }
  EXPECT_EQ(read_tokens(connection(), 1)->size(), 1u);
}

TEST_F(TokenRowsTest, AHashIsTakenOnce) {
  TokenRow row{.hash = base::sha256("x"), .name = "n", .role = "feed"};
  ASSERT_TRUE(try_append(row).ok());
  EXPECT_EQ(try_append(row).error().code, Errc::conflict);
}

TEST_F(TokenRowsTest, ATokenIsRevokedOnceAndItsRowStays) {
  TokenRow row{.hash = base::sha256("x"), .name = "n", .role = "feed"};
  ASSERT_TRUE(try_append(row).ok());
  ASSERT_TRUE(revoke(1).ok());
  EXPECT_TRUE(read_tokens(connection(), 0)->front().revoked);
  EXPECT_EQ(revoke(1).error().code, Errc::conflict);
  EXPECT_EQ(revoke(2).error().code, Errc::not_found);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE object_table = 'token_revocations'"), 1);
}

TEST_F(TokenRowsTest, PagesOfAStudy) {
  const struct {
    std::int64_t study;
    const char* site;
  } tokens[] = {{1, ""}, {2, "A"}, {1, "A"}, {1, "B"}, {1, "A"}};
  for (const auto& [study, site] : tokens) {
    TokenRow row{.hash = base::sha256(std::to_string(count("SELECT count(*) FROM tokens"))),
                 .role = "feed",
                 .study = study,
                 .site = site};
    ASSERT_TRUE(try_append(row).ok());
  }
  const auto ids = [&](const TokenPage& page) {
    std::string list;
    const auto rows = read_tokens(connection(), page);
    for (const TokenRow& row : rows.value()) list += std::to_string(row.id) + " ";
    return list;
  };
  EXPECT_EQ(ids({.study = 1, .limit = 10}), "1 3 4 5 ");
  EXPECT_EQ(ids({.study = 1, .limit = 2}), "1 3 ");
  EXPECT_EQ(ids({.study = 1, .after = 3, .limit = 2}), "4 5 ");
  EXPECT_EQ(ids({.study = 1, .site = "A", .limit = 10}), "3 5 ");
  EXPECT_EQ(ids({.study = 2, .site = "B", .limit = 10}), "");
}

TEST_F(TokenRowsTest, ADamagedHashIsSaid) {
  TokenRow row{.hash = base::sha256("x"), .name = "n", .role = "feed"};
  ASSERT_TRUE(try_append(row).ok());
  ASSERT_TRUE(connection().execute("UPDATE tokens SET hash = $1", {Blob{"0"}}).ok());
  const auto rows = read_tokens(connection(), 0);
  ASSERT_FALSE(rows.ok());
  EXPECT_EQ(rows.error().code, Errc::corrupt);
}

}  // namespace
}  // namespace trialward::store
