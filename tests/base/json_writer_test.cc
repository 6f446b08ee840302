#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace trialward::base {
namespace {

std::string written(std::string_view text) { return JsonWriter().value(text).take(); }

TEST(JsonWriter, PutsTheCommasWhereTheyBelong) {
  JsonWriter json;
  json.begin_object();
  json.member("a", 1).key("b").begin_array().value(1).value("x").begin_object().end_object();
  json.begin_array().end_array().null().end_array();
  json.raw_member("c", "[2]").member("d", true);
  json.end_object();
  EXPECT_EQ(json.text(), R"({"a":1,"b":[1,"x",{},[],null],"c":[2],"d":true})");
}

TEST(JsonWriter, WritesEachTypeAsItself) {
  JsonWriter json;
  json.begin_array();
  json.value(std::numeric_limits<std::int64_t>::min());
  json.value(std::numeric_limits<std::uint64_t>::max());
  json.value(-7).value(false).value("text").value(std::string_view("view"));
  json.end_array();
  EXPECT_EQ(json.take(), R"([-9223372036854775808,18446744073709551615,-7,false,"text","view"])");
}

TEST(JsonWriter, NumbersReadBackAsTheSameDouble) {
  const struct {
    double number;
    const char* text;
  } cases[] = {
      {0.1, "0.1"},
      {34, "34"},
      {-0.0, "-0"},
      {1e300, "1e+300"},
      {5e-324, "5e-324"},
      {0.1 + 0.2, "0.30000000000000004"},
      {std::numeric_limits<double>::max(), "1.7976931348623157e+308"},
      {std::numeric_limits<double>::infinity(), "null"},
      {-std::numeric_limits<double>::infinity(), "null"},
      {std::numeric_limits<double>::quiet_NaN(), "null"},
  };
  for (const auto& [number, text] : cases) {
    EXPECT_EQ(JsonWriter().value(number).take(), text) << number;
  }
}

TEST(JsonWriter, EscapesWhatJsonDoesNotAllow) {
  EXPECT_EQ(written("a\"b\\c/d"), R"("a\"b\\c/d")");
  EXPECT_EQ(written("\n\r\t\x1f\x7f"), "\"\\n\\u000d\\u0009\\u001f\x7f\"");
  EXPECT_EQ(written(std::string_view("\0", 1)), R"("\u0000")");
}

TEST(JsonWriter, EscapesKeys) {
  EXPECT_EQ(JsonWriter().begin_object().member("a\"\n", 1).end_object().take(), R"({"a\"\n":1})");
}

TEST(JsonWriter, KeepsUtf8) {
  // The least and the greatest of each length, and the neighbours of the surrogates.
  for (const std::string text : {"\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff",
                                 "\U00010000", "\U0010ffff", "µmol/L €"}) {
    EXPECT_EQ(written(text), '"' + text + '"');
  }
}

TEST(JsonWriter, ReplacesEachByteThatIsNotUtf8) {
  const std::string replaced = "\xEF\xBF\xBD";
  const struct {
    const char* name;
    std::string bytes;
    int replacements;
  } cases[] = {
      {"a lone continuation", "\x80", 1},
      {"a lead alone", "\xC3", 1},
      {"three of four", "\xF0\x9F\x98", 3},
      {"overlong slash, two bytes", "\xC0\xAF", 2},
      {"overlong slash, three bytes", "\xE0\x80\xAF", 3},
      {"overlong slash, four bytes", "\xF0\x80\x80\xAF", 4},
      {"a surrogate", "\xED\xA0\x80", 3},
      {"above U+10FFFF", "\xF4\x90\x80\x80", 4},
      {"never in UTF-8", "\xFF\xFE", 2},
  };
  for (const auto& [name, bytes, replacements] : cases) {
    std::string expected = "\"a";
    for (int i = 0; i < replacements; ++i) expected += replaced;
    EXPECT_EQ(written("a" + bytes + "b"), expected + "b\"") << name;
    EXPECT_EQ(written("a" + bytes), expected + '"') << name << ", at the end";
  }
}

TEST(JsonWriter, MemberIfLeavesEmptyTextOut) {
  JsonWriter json;
  json.begin_object().member_if("a", "").member_if("b", "x").member_if("c", "").end_object();
  EXPECT_EQ(json.text(), R"({"b":"x"})");
}

TEST(JsonWriter, GoesOnInABuffer) { EXPECT_EQ(JsonWriter("data: ").value(1).take(), "data: 1"); }

}  // namespace
}  // namespace trialward::base
