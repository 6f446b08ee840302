#include "api/token_table.h"

#include <gtest/gtest.h>

#include <set>

namespace trialward::api {
namespace {

TEST(MakeToken, Has256RandomBits) {
  base::SeededRandom random(1);
  std::set<std::string> tokens;
  for (int i = 0; i < 100; ++i) {
    store::TokenRow row;
    const std::string token = make_token(random, row);
    EXPECT_EQ(token.size(), 3u + 43u);
    EXPECT_TRUE(token.starts_with("tw_"));
    EXPECT_EQ(row.hash, base::sha256(token));
    tokens.insert(token);
  }
  EXPECT_EQ(tokens.size(), 100u);
}

TEST(TokenTable, FindsUntilRevokedOrExpired) {
  base::SeededRandom random(1);
  TokenTable table;
  store::TokenRow lasting{.id = 1, .name = "lab", .role = "feed", .study = 4};
  store::TokenRow ending{.id = 2, .role = "safety", .study = 4, .expires_ms = 1000};
  const std::string first = make_token(random, lasting);
  const std::string second = make_token(random, ending);
  ASSERT_TRUE(table.add(lasting).ok());
  ASSERT_TRUE(table.add(ending).ok());

  ASSERT_NE(table.find(first, 0), nullptr);
  EXPECT_EQ(table.find(first, 0)->name, "feed:lab");
  EXPECT_EQ(table.find(second, 999)->name, "safety:2");
  EXPECT_EQ(table.find(second, 1000), nullptr);
  EXPECT_EQ(table.find("tw_other", 0), nullptr);
  const auto holder = table.holder(1);
  ASSERT_NE(holder, nullptr);
  EXPECT_EQ(holder->study, 4);
  EXPECT_TRUE(table.admits(*holder, 0));
  EXPECT_TRUE(table.admits(*table.holder(2), 999));
  EXPECT_FALSE(table.admits(*table.holder(2), 1000));
  EXPECT_FALSE(table.revoked(1));
  table.revoke(1);
  table.revoke(7);
  EXPECT_TRUE(table.revoked(1));
  EXPECT_FALSE(table.revoked(9)) << "it was never heard of";
  EXPECT_EQ(table.find(first, 0), nullptr);
  EXPECT_EQ(table.holder(1), nullptr);
  EXPECT_FALSE(table.admits(*holder, 0));
  EXPECT_TRUE(table.admits({}, 0)) << "whoever may open the control socket";
}

TEST(TokenTable, ARoleThatIsNotKnownIsAnError) {
  TokenTable table;
  EXPECT_FALSE(table.add({.id = 1, .role = "king"}).ok());
}

TEST(Principal, RolesAllowWhatIsListedAndNoMore) {
  struct Case {
    Role role;
    Permission permission;
    bool allowed;
  };
  const Case cases[] = {
      {Role::patient, Permission::write_records, true},
      {Role::patient, Permission::read_alerts, false},
      {Role::patient, Permission::read_figures, false},
      {Role::monitor, Permission::write_records, false},
      {Role::monitor, Permission::acknowledge_alerts, false},
      {Role::coordinator, Permission::acknowledge_alerts, false},
      {Role::investigator, Permission::acknowledge_alerts, true},
      {Role::safety, Permission::acknowledge_alerts, true},
      {Role::safety, Permission::write_records, false},
      {Role::feed, Permission::read_alerts, false},
      {Role::feed, Permission::manage_tokens, false},
      {Role::admin, Permission::manage_tokens, true},
      {Role::investigator, Permission::manage_deliveries, false},
      {Role::monitor, Permission::manage_deliveries, false},
      {Role::safety, Permission::manage_deliveries, true},
      {Role::admin, Permission::manage_deliveries, true},
  };
  for (const Case& one : cases) {
    const Principal principal{.role = one.role};
    EXPECT_EQ(principal.allows(one.permission), one.allowed)
        << to_string(one.role) << ' ' << to_string(one.permission);
  }
  // What is told of all sources' records is not for who has those of one.
  const Principal monitor{.role = Role::monitor, .source = "lab"};
  for (const Permission one : {Permission::read_alerts, Permission::read_reports,
                               Permission::read_figures}) {
    EXPECT_FALSE(monitor.allows(one)) << to_string(one);
  }
  EXPECT_TRUE(monitor.allows(Permission::read_records));
  for (const Role role : {Role::patient, Role::feed}) {
    EXPECT_EQ(parse_role(to_string(role)), role);
  }
  EXPECT_FALSE(parse_role("Feed").has_value());
}

}  // namespace
}  // namespace trialward::api
