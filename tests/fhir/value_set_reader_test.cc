#include "fhir/value_set_reader.h"

#include <gtest/gtest.h>

#include "fhir/known_value_sets.h"

namespace trialward::fhir {
namespace {

using model::Membership;

Membership of(const model::ValueSets& sets, const char* url, const model::Coding& coding) {
  const auto found = sets.find(url);
  return found == sets.end() ? Membership::unknown : membership(found->second, coding);
}

TEST(ValueSetReader, ReadsExpansionsAndLists) {
  ValueSetCollection collection;
  EXPECT_TRUE(collection.add(R"({"resourceType":"ValueSet","url":"http://e","expansion":{
    "contains":[{"system":"s","code":"top","abstract":true,"contains":[
      {"system":"s","code":"a","display":"A","designation":[{"value":"Alpha"}]}]}]}})").empty());
  EXPECT_TRUE(collection.add(R"({"resourceType":"ValueSet","url":"http://c","compose":{
    "include":[{"system":"s","concept":[{"code":"a"},{"code":"b"}]}],
    "exclude":[{"system":"s","concept":[{"code":"b"}]}]}})").empty());
  EXPECT_TRUE(collection.add(R"({"resourceType":"ValueSet","url":"http://p","expansion":{
    "total":2,"contains":[{"system":"s","code":"a"}]}})").empty());
  const model::ValueSets sets = collection.sets();
  EXPECT_EQ(of(sets, "http://e", {"s", "a", "alpha "}), Membership::member);
  EXPECT_EQ(of(sets, "http://e", {"s", "a", "B"}), Membership::other_display);
  EXPECT_EQ(of(sets, "http://e", {"s", "top", ""}), Membership::no_member);
  EXPECT_EQ(of(sets, "http://e", {"t", "a", ""}), Membership::no_member);
  EXPECT_EQ(of(sets, "http://c", {"s", "a", ""}), Membership::member);
  EXPECT_EQ(of(sets, "http://c", {"s", "b", ""}), Membership::no_member);
  EXPECT_EQ(of(sets, "http://p", {"s", "a", ""}), Membership::member);
  EXPECT_EQ(of(sets, "http://p", {"s", "b", ""}), Membership::unknown);
}

TEST(ValueSetReader, FillsWholeSystemsFromTheirCodeSystem) {
  ValueSetCollection collection;
  EXPECT_TRUE(collection.add(R"({"resourceType":"Bundle","entry":[
    {"resource":{"resourceType":"ValueSet","url":"http://all","compose":{"include":[
      {"system":"http://s"},{"system":"http://t"}]}}},
    {"resource":{"resourceType":"CodeSystem","url":"http://s","valueSet":"http://own",
      "content":"complete","concept":[{"code":"a","concept":[{"code":"b"}]}]}}]})").empty());
  const model::ValueSets sets = collection.sets();
  EXPECT_EQ(of(sets, "http://all", {"http://s", "b", ""}), Membership::member);
  EXPECT_EQ(of(sets, "http://all", {"http://s", "c", ""}), Membership::no_member);
  EXPECT_EQ(of(sets, "http://all", {"http://t", "c", ""}), Membership::unknown);
  EXPECT_EQ(of(sets, "http://own", {"http://s", "a", ""}), Membership::member);
}

TEST(ValueSetReader, RefusesOthers) {
  ValueSetCollection collection;
  for (const char* text : {"", "{}", R"({"resourceType":"Patient","url":"http://x"})",
                           R"({"resourceType":"ValueSet","compose":{}})",
                           R"({"resourceType":"Bundle","entry":[{}]})"}) {
    EXPECT_TRUE(model::has_fault(collection.add(text))) << text;
  }
}

TEST(KnownValueSets, HaveThoseOfFhir) {
  const model::ValueSets& sets = known_value_sets();
  const char* jurisdiction = "http://hl7.org/fhir/ValueSet/jurisdiction";
  for (const char* code : {"BD", "BGD", "050"}) {
    EXPECT_EQ(of(sets, jurisdiction, {"urn:iso:std:iso:3166", code, "Bangladesh"}),
              Membership::member);
  }
  EXPECT_EQ(of(sets, jurisdiction, {"urn:iso:std:iso:3166", "XX", ""}), Membership::no_member);
  EXPECT_EQ(of(sets, "http://hl7.org/fhir/ValueSet/item-type",
               {"http://hl7.org/fhir/item-type", "dateTime", "Date Time"}),
            Membership::member);
}

}  // namespace
}  // namespace trialward::fhir
