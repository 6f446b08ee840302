#include "fhir/json.h"

#include <gtest/gtest.h>

#include <string>

namespace trialward::fhir {
namespace {

std::string refusal(std::string_view text) {
  JsonTree tree;
  const auto root = tree.parse(text);
  return root ? "" : root.error().front().words;
}

TEST(Json, IsWalkedAnyNumberOfTimes) {
  JsonTree tree;
  const auto root =
      tree.parse(R"( {"a":[1.50, "x\u00e4", true, null, {}], "b":{"c":"d"}, "e":""} )");
  ASSERT_TRUE(root.ok());
  for (int i = 0; i < 2; ++i) {
    std::string seen;
    for (const Json element : (*root)["a"]) {
      seen += std::to_string(static_cast<int>(element.type())) + std::string(element.text()) + ' ';
    }
    EXPECT_EQ(seen, "21.50 3xä 1 0 5 ");
    EXPECT_EQ((*root)["b"].string("c"), "d");
  }
  EXPECT_TRUE((*root)["e"].is(Json::Type::string));
  EXPECT_FALSE((*root)["f"]);
  EXPECT_FALSE((*root)["f"]["g"]);
  EXPECT_EQ(root->string("a"), "");
}

TEST(Json, KeepsTheBytesOfEachNode) {
  JsonTree tree;
  const std::string text = " {\"a\" : [ 1.50 , \"x\\u00e4\" ,true, null,{ } , [ ] ] ,\n"
                           "\"b\":{ \"c\":\"}]\" } }  ";
  const auto root = tree.parse("\xef\xbb\xbf" + text);
  ASSERT_TRUE(root.ok());
  EXPECT_EQ(root->raw(), text.substr(1, text.size() - 3));
  std::string elements;
  for (const Json element : (*root)["a"]) elements.append(element.raw()).append("|");
  EXPECT_EQ(elements, "1.50|\"x\\u00e4\"|true|null|{ }|[ ]|");
  EXPECT_EQ((*root)["a"].raw(), "[ 1.50 , \"x\\u00e4\" ,true, null,{ } , [ ] ]");
  EXPECT_EQ((*root)["b"].raw(), "{ \"c\":\"}]\" }");
}

TEST(Json, RefusesWhatItCannotKeep) {
  EXPECT_EQ(refusal("{}"), "");
  EXPECT_EQ(refusal("\xef\xbb\xbf{}"), "");
  for (const char* text : {"", "[]", "1", "{", "{\"a\":}", "{\"a\":01}", "{\"a\":nul}",
                           "{\"a\":tru}", "{\"a\":\"\\x\"}", "{\"a\":\"\xff\"}", "{} {}", "{}x",
                           "{\"a\" 1}", "{\"a\":[1,]}", "{\"a\":[1 2]}",
                           "\xef\xbb\xbf", "{}\xef\xbb\xbf"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
  EXPECT_EQ(refusal(R"({"a":{"b":1,"c":2,"b":3}})"), R"(has the member "b" twice in one object)");
  std::string many = "{";
  for (int i = 0; i < 40; ++i) many += "\"m" + std::to_string(i) + "\":1,";
  EXPECT_EQ(refusal(many + "\"x\":1}"), "");
  EXPECT_EQ(refusal(many + "\"m17\":1}"), R"(has the member "m17" twice in one object)");
}

TEST(Json, KeepsItsLimits) {
  const auto nested = [](std::size_t arrays) {
    return "{\"a\":" + std::string(arrays, '[') + std::string(arrays, ']') + "}";
  };
  EXPECT_EQ(refusal(nested(kResourceDepthMax - 1)), "");
  EXPECT_EQ(refusal(nested(kResourceDepthMax)), "is nested deeper than 64 levels");
  EXPECT_NE(refusal(std::string(100000, '[')), "");
  const auto padded = [](std::size_t bytes) { return "{}" + std::string(bytes - 2, ' '); };
  EXPECT_EQ(refusal(padded(kResourceBytesMax)), "");
  EXPECT_EQ(refusal(padded(kResourceBytesMax + 1)), "is larger than 4194304 bytes");
}

}  // namespace
}  // namespace trialward::fhir
