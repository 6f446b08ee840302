#include "fhir/search_text.h"

#include <gtest/gtest.h>

namespace trialward::fhir {
namespace {

TEST(SearchText, APatientIsNamedByItsReference) {
  const std::pair<std::string_view, std::optional<std::string_view>> kCases[] = {
      {"Patient/S1", "S1"},
      {"http://x.example/fhir/Patient/S1", "S1"},
      {"Patient/S1/_history/2", "S1"},
      {"Patient/", ""},
      {"S1", std::nullopt},
      {"", std::nullopt},
      {"OutPatient/S1", std::nullopt},
      {"Group/S1", std::nullopt}};
  for (const auto& [text, id] : kCases) EXPECT_EQ(patient_named(text), id) << text;
  EXPECT_EQ(subject_sought("S1"), "S1");
  EXPECT_EQ(subject_sought("https://x/Patient/S-1"), "S-1");
}

TEST(SearchText, ValuesStandBetweenCommas) {
  using Parts = std::vector<std::string>;
  EXPECT_EQ(split_commas("a,b"), (Parts{"a", "b"}));
  EXPECT_EQ(split_commas(""), Parts{""});
  EXPECT_EQ(split_commas(",a,"), (Parts{"", "a", ""}));
}

}  // namespace
}  // namespace trialward::fhir
