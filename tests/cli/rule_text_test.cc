#include "cli/rule_text.h"

#include <gtest/gtest.h>

namespace trialward::cli {
namespace {

constexpr const char* kRules = R"(# All of them.

[[rules]]
id = "alt"
kind = "lab"
codes = ["ALT"]
above = 3

# About both.
[[rules]]
id = "both"
within = "14 d"
all = [
  { kind = "lab", codes = ["ALT"] },
  { kind = "vital" },
]
)";

TEST(RuleTextTest, IsThatOfTheRuleAlone) {
  EXPECT_EQ(rule_text(kRules, "alt"),
            "[[rules]]\nid = \"alt\"\nkind = \"lab\"\ncodes = [\"ALT\"]\nabove = 3\n");
  EXPECT_TRUE(rule_text(kRules, "both")->ends_with("  { kind = \"vital\" },\n]\n"));
  EXPECT_FALSE(rule_text(kRules, "none").has_value());
  EXPECT_FALSE(rule_text("=", "alt").has_value());
  EXPECT_FALSE(rule_text("", "alt").has_value());
}

TEST(RuleTextTest, RulesAreFoundByKindAndCode) {
  EXPECT_EQ(rules_about(kRules, "lab", "ALT").size(), 2u);
  EXPECT_EQ(rules_about(kRules, "lab", "AST").size(), 0u);
  EXPECT_EQ(rules_about(kRules, "vital", "any").size(), 1u);
}

}  // namespace
}  // namespace trialward::cli
