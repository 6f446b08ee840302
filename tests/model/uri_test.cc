#include "model/uri.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

TEST(Uri, IsToldFromWhatIsNone) {
  for (const char* text :
       {"https://example.org/a?b=c#d", "Patient/1", "/path", "#part", "a%20b", "mailto:a@b.org",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:oid:1.2.840.0", "http://x/ä",
        "urn:iso:std:iso:3166", "http://x/y|1.0"}) {
    EXPECT_TRUE(is_uri(text)) << text;
  }
  for (const char* text :
       {"", "a b", "c:\\temp\\a.txt", "c:/temp", "a%2", "a%zz", "<a>", "urn:uuid:1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520a", "urn:oid:3.1", "urn:oid:1.02",
        "urn:oid:1.", "http:", ":a", "1a:b", "a\nb"}) {
    EXPECT_FALSE(is_uri(text)) << text;
  }
}

TEST(Uri, ReferencesNameTheirType) {
  for (const auto& [text, type] :
       {std::pair("Patient/1", "Patient"), {"Patient/1/_history/2", "Patient"},
        {"https://x.org/fhir/Observation/a-b", "Observation"}, {"#a", ""}, {"#", ""},
        {"urn:uuid:c757873d-ec9a-4326-a141-556f43239520", ""}, {"https://x.org/other", ""}}) {
    EXPECT_TRUE(is_reference(text)) << text;
    EXPECT_EQ(referenced_type(text), type) << text;
  }
  for (const char* text : {"", "patient/1", "Patient", "Patient/", "Patient/a b", "a/Patient/1",
                           "Patient/1/2", "#a b", "Patient/1/_history/"}) {
    EXPECT_FALSE(is_reference(text)) << text;
  }
}

}  // namespace
}  // namespace trialward::model
