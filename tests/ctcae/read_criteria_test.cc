#include "ctcae/read_criteria.h"

#include <gtest/gtest.h>

#include "ctcae/tables.h"

namespace trialward::ctcae {
namespace {

// A table of one term with these grades and further members.
std::string table_of(const std::string& grades, const std::string& members = "") {
  return "version = \"9\"\nfull_version = \"9.0\"\n[[terms]]\nterm = \"T\"\nsoc = \"S\"\n"
         "direction = \"high\"\n" +
         members + "grades = [\n" + grades + "]\n";
}

std::string faults_of(const std::string& text) {
  const auto read = read_criteria({"v9.toml", text});
  if (read) return "";
  std::string all;
  for (const auto& fault : read.error()) all += (all.empty() ? "" : "; ") + fault.reason;
  return all;
}

TEST(ReadCriteria, ReadsATerm) {
  const auto read = read_criteria(
      {"v9.toml",
       table_of("{ grade = 1, when = \"> ULN\", text = \"a\" },\n"
                "{ grade = 3, when = [\"> 80 g/L | 8 g/dL\", \"> 2 x ULN\"], text = \"b\", "
                "assumes = \"pain\", otherwise = 1 },\n"
                "{ grade = 4, judgement = true, text = \"c\" },\n",
                "si = \"g/L\"\nus = [\"g/dL\"]\nanalyte = \"K\"\nneeds = [\"ULN\"]\n")});
  ASSERT_TRUE(read.ok()) << to_string(read.error().front());
  const Term* term = read->term("t");
  ASSERT_NE(term, nullptr);
  ASSERT_EQ(term->lines.size(), 3u);
  EXPECT_EQ(term->lines.front().grade, 4);
  EXPECT_TRUE(term->lines.front().any.empty());
  EXPECT_EQ(term->lines[1].any.size(), 2u);
  EXPECT_EQ(term->lines[1].assumes, "pain");
  EXPECT_EQ(term->molar_mass.valence, 1);
  EXPECT_EQ(term->asks_for(), kValue | kUln);
  EXPECT_TRUE(term->of_system(1, UnitSystem::us_conventional));
  EXPECT_FALSE(term->of_system(0, UnitSystem::us_conventional));
  EXPECT_EQ(read->term("other"), nullptr);
}

TEST(ReadCriteria, NamesTermGradeAndReason) {
  struct Case {
    std::string grades, members, reason;
  };
  const std::string sound = "{ grade = 1, when = \"> ULN\", text = \"a\" },\n";
  const std::vector<Case> cases = {
      {"", "", "term \"T\": has no grades"},
      {"{ grade = 5, when = \"> ULN\", text = \"a\" },\n", "",
       "term \"T\": grade must be 1, 2, 3 or 4"},
      {"{ grade = 1, when = \"> UNL\", text = \"a\" },\n", "",
       "term \"T\", grade 1: \"> UNL\": expected a number at 'UNL'"},
      {"{ grade = 1, when = \"> ULN\" },\n", "", "term \"T\", grade 1: the NCI's text is missing"},
      {"{ grade = 1, text = \"a\" },\n", "",
       "term \"T\", grade 1: has either a `when` or judgement = true"},
      {"{ grade = 1, judgement = true, when = \"> ULN\", text = \"a\" },\n", "",
       "term \"T\", grade 1: has either a `when` or judgement = true"},
      {"{ grade = 1, when = [], text = \"a\" },\n", "",
       "term \"T\", grade 1: has from 1 to 8 conditions"},
      {"{ grade = 1, when = \"< ULN\", text = \"a\" },\n", "",
       "term \"T\", grade 1: a comparison goes the way of the term's direction"},
      {"{ grade = 2, when = \"> 2 x ULN\", text = \"a\" },\n" + sound, "",
       "term \"T\", grade 1: the lowest grade comes first"},
      {sound + "{ grade = 2, when = \"> ULN\", text = \"a\" },\n", "",
       "term \"T\", grade 2: does not ask for more than grade 1"},
      {sound + "{ grade = 2, when = \"> 0.5 x ULN\", text = \"a\" },\n", "",
       "term \"T\", grade 2: does not ask for more than grade 1"},
      {"{ grade = 1, when = \"> 80 g/L | 8 g/dL\", text = \"a\" },\n"
       "{ grade = 2, when = \"> 90 g/L | 7 g/dL\", text = \"a\" },\n",
       "si = \"g/L\"\nus = [\"g/dL\"]\n",
       "term \"T\", grade 2: does not ask for more than grade 1"},
      {"{ grade = 1, when = \"> ULN\", text = \"a\", assumes = \"pain\" },\n", "",
       "term \"T\", grade 1: assumes and otherwise belong together, beside a `when`"},
      {"{ grade = 1, when = \"> ULN\", text = \"a\", assumes = \"pain\", otherwise = 1 },\n", "",
       "term \"T\", grade 1: otherwise must be a lower grade"},
      {sound, "us = [\"g/dL\"]\n", "term \"T\": us needs si"},
      {sound, "also = [\"g/dL\"]\n", "term \"T\": also needs si"},
      {sound, "si = \"g/L\"\nus = [\"g/L\"]\nalso = [\"g/L\"]\n",
       "term \"T\": the unit g/L is given twice"},
      {"{ grade = 1, when = \"> 80 g/L | 8 g/dL\", text = \"a\" },\n",
       "si = \"g/L\"\nus = [\"g/dL\"]\nalso = [\"mmol/L\"]\n",
       "term \"T\", grade 1: \"> 80 g/L | 8 g/dL\": the limit in mmol/L is missing"},
      {sound, "si = \"g/L\"\nus = [\"g/dL\", \"G/DL\"]\n",
       "term \"T\": the unit G/DL is given twice"},
      {sound, "si = \"a\"\nus = [\"b\", \"c\", \"d\", \"e\"]\n", "term \"T\": more than 4 units"},
      {sound, "needs = [\"UNL\"]\n",
       "term \"T\": needs knows \"LLN\", \"ULN\" and \"baseline\""},
      {sound, "analyte = \"XYZ\"\n", "term \"T\": no molar mass is known of \"XYZ\""},
      {sound, "colour = 1\n", "[[terms]] has no member colour"},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(faults_of(table_of(one.grades, one.members)), one.reason)
        << one.grades << one.members;
  }
  EXPECT_EQ(faults_of(table_of(sound) + table_of(sound).substr(35)), "\"T\" is given twice");
  EXPECT_NE(faults_of("version = "), "");
  EXPECT_EQ(faults_of("version = \"9\"\nfull_version = \"9\"\n"),
            "a table of criteria has [[terms]]");
  EXPECT_EQ(faults_of(table_of(sound)), "");
}

// The program's own tables are read when they are asked for; a fault in one would stop it then.
TEST(Tables, EachIsSound) {
  int versions = 0;
  for (const NamedText& one : texts()) {
    const model::DefinitionFile file{std::string(one.name), std::string(one.text)};
    if (one.name == "codes.toml") {
      EXPECT_TRUE(read_code_names(file).ok());
      continue;
    }
    const auto read = read_criteria(file);
    ASSERT_TRUE(read.ok()) << to_string(read.error().front());
    EXPECT_EQ("v" + read->version + ".toml", one.name);
    ++versions;
  }
  EXPECT_EQ(versions, 3);
  EXPECT_EQ(known_versions(), "4, 5, 6");
  EXPECT_EQ(criteria_of("7"), nullptr);
}

TEST(Tables, EveryCodeNamesTermsOfSomeVersion) {
  for (const auto& [code, terms] : code_names().terms) {
    for (const std::string& term : terms) {
      const bool known = criteria_of("4")->term(term) || criteria_of("5")->term(term) ||
                         criteria_of("6")->term(term);
      EXPECT_TRUE(known) << code << ": " << term;
    }
  }
}

}  // namespace
}  // namespace trialward::ctcae
