#include "schedule/care_plan.h"

#include <gtest/gtest.h>

namespace trialward::schedule {
namespace {

std::vector<Appointment> some() {
  return {{.key = {"WK2", 1, 0},
           .status = AppointmentStatus::booked,
           .start_ms = 1'700'000'000'000,
           .end_ms = 1'700'000'600'000,
           .from_ms = 1'699'900'000'000,
           .until_ms = 1'700'100'000'000,
           .title = "Week \"2\""},
          {.key = {"a/b", 12, 345}, .status = AppointmentStatus::proposed}};
}

std::string plan_of(const std::string& appointment) {
  return R"({"resourceType":"CarePlan","id":"S-1","meta":{"versionId":"7"},"contained":[)" +
         appointment + "]}";
}
std::string appointment(const std::string& more, const std::string& key = "WK2/1/0") {
  return R"({"resourceType":"Appointment","identifier":[{"system":"urn:trialward:occurrence",)"
         R"("value":")" + key + R"("}])" + more + "}";
}

TEST(CarePlan, WhatIsWrittenIsReadBack) {
  const std::string text = to_json("demo", "S-1", some());
  auto plan = parse_care_plan(text, "S-1");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  ASSERT_EQ(plan->appointments.size(), 2u);
  EXPECT_EQ(digest_of(plan->appointments), digest_of(some()));
  EXPECT_EQ(plan->appointments[0].start_ms, 1'700'000'000'000);
  EXPECT_EQ(to_string(plan->appointments[1].key), "a/b/12/345");
  EXPECT_EQ(text.find("[]"), std::string::npos) << "FHIR has no empty arrays";
  EXPECT_TRUE(parse_care_plan(to_json("demo", "S-1", {}), "S-1").ok());
  EXPECT_EQ(parse_care_plan(text, "S-2").error().message, "it is another subject's CarePlan");
}

TEST(CarePlan, InstantsAreTheSameWhateverTheirOffset) {
  const auto start_of = [](const std::string& start) {
    auto plan = parse_care_plan(
        plan_of(appointment(R"(,"status":"booked","start":")" + start + '"')), "S-1");
    return plan ? plan->appointments[0].start_ms.value_or(0) : -1;
  };
  const auto utc = start_of("2026-01-31T09:00:00Z");
  EXPECT_GT(utc, 0);
  EXPECT_EQ(start_of("2026-01-31T10:00:00+01:00"), utc);
  EXPECT_EQ(start_of("2026-01-31T04:00:00.000-05:00"), utc);
  EXPECT_EQ(start_of("2026-01-31T09:00:00"), -1) << "without an offset it is no instant";
}

TEST(CarePlan, WhatIsWrongIsNamed) {
  const std::pair<std::string, const char*> cases[] = {
      {"thanks", "it is not a JSON object"},
      {R"({"resourceType":"Bundle"})", "it is not a CarePlan"},
      {plan_of(appointment(R"(,"status":"lost")")), "appointment WK2/1/0: its status is not known"},
      {plan_of(appointment(R"(,"status":"booked","start":"soon")")),
       "appointment WK2/1/0: start is no instant with an offset"},
      {plan_of(appointment(R"(,"status":"proposed")") + "," +
               appointment(R"(,"status":"proposed")")),
       "an occurrence has two appointments"},
      {std::string(100, '['), "it is nested too deep"},
      {std::string(kCarePlanBytesMax + 1, ' '), "it is too large"},
  };
  for (const auto& [text, why] : cases) {
    auto plan = parse_care_plan(text, "S-1");
    ASSERT_FALSE(plan.ok()) << text.substr(0, 80);
    EXPECT_EQ(plan.error().message, why);
  }
  auto other = parse_care_plan(plan_of(appointment(R"(,"status":"booked")", "mine")), "S-1");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(other->unknown, 1u);
  std::string many;
  for (std::size_t i = 0; i <= kAppointmentsMax; ++i) {
    many += (i > 0 ? "," : "") +
            appointment(R"(,"status":"proposed")", "A/" + std::to_string(i) + "/0");
  }
  EXPECT_EQ(parse_care_plan(plan_of(many), "S-1").error().message, "it has too many appointments");
}

TEST(CarePlan, IdsThatFhirDoesNotAllowAreHashed) {
  EXPECT_EQ(care_plan_id("SUBJ-1.a"), "SUBJ-1.a");
  EXPECT_EQ(care_plan_id("Zoë 1").size(), 41u);
  EXPECT_NE(care_plan_id("Zoë 1"), care_plan_id("Zoë 2"));
  EXPECT_EQ(care_plan_id(std::string(65, 'a')).size(), 41u);
}

TEST(CarePlan, APageOfChanges) {
  const std::string entry =
      R"({"resource":{"resourceType":"CarePlan","id":"S-1","meta":{"versionId":"7",)"
      R"("lastUpdated":"2026-01-31T09:00:00Z"}}})";
  const std::string bundle = R"({"resourceType":"Bundle","entry":[)";
  auto page = parse_changes(bundle + entry +
                            R"(],"link":[{"relation":"self","url":"a"},)"
                            R"({"relation":"next","url":"b"}]})");
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->changed.size(), 1u);
  EXPECT_EQ(page->changed[0].version, "7");
  EXPECT_EQ(page->next, "b");
  EXPECT_TRUE(parse_changes(R"({"resourceType":"Bundle"})")->next.empty());
  EXPECT_FALSE(parse_changes(bundle + R"({"resource":{"resourceType":"CarePlan","id":"S"}}]})"));
  std::string many = entry;
  for (std::size_t i = 0; i < kEntriesMax; ++i) many += "," + entry;
  EXPECT_FALSE(parse_changes(bundle + many + "]}"));
}

TEST(CarePlan, EntityTags) {
  EXPECT_EQ(version_of_etag("W/\"3\"").value_or(""), "3");
  EXPECT_EQ(version_of_etag("\"a-b\"").value_or(""), "a-b");
  for (const char* wrong : {"", "3", "W/3", "\"\"", "W/\"\"", "\"a b\"", "\"a\nb\""}) {
    EXPECT_FALSE(version_of_etag(wrong).has_value()) << wrong;
  }
  EXPECT_FALSE(version_of_etag("\"" + std::string(kVersionCharsMax + 1, 'v') + "\"").has_value());
  EXPECT_EQ(etag_of_version("3"), "W/\"3\"");
}

TEST(CarePlan, AKeyIsOneThatAStudyMayHave) {
  EXPECT_EQ(parse_occurrence_key("a/b/2/7"), (OccurrenceKey{"a/b", 2, 7}));
  for (const std::string& text :
       {std::string("WK2"), std::string("WK2/1"), std::string("/1/0"), std::string("WK2/x/0"),
        std::string("WK2/1/0x"), std::string("W\0K/1/0", 8), std::string("W\nK/1/0"),
        std::string(129, 'x') + "/1/0"}) {
    EXPECT_FALSE(parse_occurrence_key(text)) << text;
  }
}

}  // namespace
}  // namespace trialward::schedule
