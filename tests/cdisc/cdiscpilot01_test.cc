// studies/cdiscpilot01 and the SDTM mapping on the real data, which lie outside of the project.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "cdisc/sdtm.h"
#include "model/decode_record.h"
#include "model/study.h"

namespace trialward::cdisc {
namespace {

using model::Kind;

constexpr std::int64_t kNowMs = 1'700'000'000'000;

const model::Study& study() {
  static const model::Study loaded = [] {
    auto result = model::load_study(std::string(TRIALWARD_SOURCE "/studies/cdiscpilot01"));
    if (!result) {
      for (const auto& fault : result.error()) ADD_FAILURE() << to_string(fault);
    }
    return std::move(result).value();
  }();
  return loaded;
}

std::string sdtm_folder() {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  const std::string root = shared ? shared : TRIALWARD_SOURCE "/../shared";
  return root + "/data/cdiscpilot01/sdtm";
}

struct Tally {
  std::size_t records = 0, missing = 0, not_done = 0, serious = 0, no_effective = 0;
  std::size_t flags_compared = 0, flags_equal = 0, implausible = 0;
  std::set<std::string> ids;
};

// Adds what a record tells; says why the study refuses it.
std::string add(Tally& tally, const model::Record& record) {
  std::uint16_t flags = 0;
  const model::Faults faults = check_record(study(), record, kNowMs, flags);
  if (!faults.empty()) return record.source_id + " " + to_json(faults);
  ++tally.records;
  tally.missing += record.value.missing();
  tally.not_done += !record.value.not_done.empty();
  tally.serious += record.serious == true;
  tally.no_effective += record.effective.empty();
  tally.implausible += flags & model::kImplausible ? 1 : 0;
  tally.ids.insert(record.source_id);
  const std::string_view flag = reference_flag(record.value, record.range);
  if (record.kind == Kind::lab && !flag.empty()) {
    const std::string* published = record.attribute("lbnrind");
    ++tally.flags_compared;
    tally.flags_equal += published && *published == flag;
  }
  return "";
}

void read_domain(const std::string& domain, Tally& tally) {
  const std::string path = sdtm_folder() + "/" + domain + ".ndjson.gz";
  auto reader = DatasetReader::open(path);
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  const auto mapper = SdtmMapper::make(reader->metadata());
  ASSERT_TRUE(mapper.ok()) << mapper.error().message;
  Row row;
  for (;;) {
    const auto more = reader->next(row);
    ASSERT_TRUE(more.ok()) << more.error().message;
    if (!*more) return;
    const auto record = mapper->to_record(row);
    ASSERT_TRUE(record.ok()) << path << " row " << row.number << to_json(record.error());
    ASSERT_EQ(add(tally, *record), "") << path << " row " << row.number;
  }
}

TEST(CdiscPilot01, AcceptsEveryRowOfTheData) {
  if (!std::filesystem::exists(sdtm_folder())) {
    GTEST_SKIP() << "no data: TRIALWARD_SHARED or ../shared has no " << sdtm_folder();
  }
  const std::map<std::string, std::size_t> expected = {
      {"dm", 306}, {"ae", 1191}, {"lb", 59580}, {"vs", 29643}, {"qs", 121749},
      {"ex", 591}, {"ds", 596},  {"cm", 7510},  {"mh", 1818},  {"sv", 3559}};
  std::map<std::string, Tally> tallies;
  for (const auto& [domain, count] : expected) {
    Tally& tally = tallies[domain];
    ASSERT_NO_FATAL_FAILURE(read_domain(domain, tally)) << domain;
    EXPECT_EQ(tally.records, count) << domain;
    EXPECT_EQ(tally.ids.size(), count) << domain << ": ids are not unique";
    EXPECT_EQ(tally.implausible, 0u) << domain;
  }
  EXPECT_EQ(tallies["qs"].missing, 4951u);
  EXPECT_EQ(tallies["vs"].not_done, 8u);
  EXPECT_EQ(tallies["mh"].no_effective, 859u);
  EXPECT_EQ(tallies["ae"].serious, 3u);
  EXPECT_EQ(tallies["lb"].flags_compared, 56659u);
  EXPECT_EQ(tallies["lb"].flags_equal, 56659u);
}

model::Record measurement(Kind kind, const char* code, double number, const char* unit) {
  model::Record record;
  record.source = "test";
  record.source_id = "1";
  record.subject = "01-701-1015";
  record.kind = kind;
  record.code = code;
  record.unit = unit;
  record.value.number = number;
  return record;
}

// The bounds catch slips that real data have: a decimal point, a unit, two fields exchanged.
TEST(CdiscPilot01, RefusesAndFlagsWhatCannotBe) {
  enum Verdict { accepted, flagged, refused };
  const struct {
    Kind kind;
    const char* code;
    double number;
    const char* unit;
    Verdict verdict;
  } cases[] = {
      {Kind::vital, "TEMP", 98.6, "F", accepted},
      {Kind::vital, "TEMP", 98.6, "C", refused},
      {Kind::vital, "TEMP", 36.8, "C", accepted},
      {Kind::vital, "TEMP", 36.8, "F", refused},
      {Kind::vital, "TEMP", 43.5, "C", flagged},
      {Kind::vital, "SYSBP", 120, "mmHg", accepted},
      {Kind::vital, "SYSBP", 300, "mmHg", flagged},
      {Kind::vital, "SYSBP", 1200, "mmHg", refused},
      {Kind::vital, "HEIGHT", 65, "IN", accepted},
      {Kind::vital, "HEIGHT", 65, "cm", flagged},
      {Kind::vital, "WEIGHT", 140, "LB", accepted},
      {Kind::vital, "WEIGHT", 1500, "LB", refused},
      {Kind::lab, "K", 4.2, "mEq/L", accepted},
      {Kind::lab, "K", 42, "mEq/L", refused},
      {Kind::lab, "K", 4.2, "mmol/L", accepted},  // by its valence
      {Kind::lab, "CA", 9.4, "mg/dL", accepted},
      {Kind::lab, "CA", 2.35, "mmol/L", accepted},
      {Kind::lab, "CA", 2.35, "U/L", refused},
      {Kind::lab, "ALT", -1, "U/L", refused},
      {Kind::lab, "XYZ", 1, "", refused},
      {Kind::questionnaire, "MMITM01", 6, "", refused},
      {Kind::questionnaire, "ACITM10", 240, "sec", accepted},
      {Kind::questionnaire, "ACITM10", 10, "", refused},
      {Kind::questionnaire, "DAITM01", 96, "", refused},
  };
  for (const auto& [kind, code, number, unit, verdict] : cases) {
    std::uint16_t flags = 0;
    const auto faults = check_record(study(), measurement(kind, code, number, unit), kNowMs, flags);
    const Verdict found = !faults.empty() ? refused : flags ? flagged : accepted;
    EXPECT_EQ(found, verdict) << code << " " << number << " " << unit << " " << to_json(faults);
  }
}

TEST(CdiscPilot01, ConvertsUnits) {
  const struct {
    const char* code;
    double number;
    const char* unit;
    double expected;
  } cases[] = {
      {"TEMP", 98.6, "F", 37}, {"WEIGHT", 100, "LB", 45.359237}, {"HEIGHT", 10, "IN", 25.4}};
  for (const auto& [code, number, unit, expected] : cases) {
    const auto own = study().canonical_number(measurement(Kind::vital, code, number, unit));
    ASSERT_TRUE(own.has_value()) << code;
    EXPECT_NEAR(*own, expected, 1e-9) << code;
  }
}

TEST(CdiscPilot01, KnowsItsSubjectsSitesAndArms) {
  EXPECT_TRUE(study().subject_id_fits("01-701-1015"));
  for (const char* id : {"01-801-1015", "01-701-101", "01-701-10155", "701-1015", ""}) {
    EXPECT_FALSE(study().subject_id_fits(id)) << id;
  }
  EXPECT_EQ(study().sites.size(), 17u);
  EXPECT_EQ(study().site("712"), nullptr);
  EXPECT_FALSE(study().enrol_by_first_record);
  for (const char* arm : {"Pbo", "Xan_Hi", "Xan_Lo", "Scrnfail"}) EXPECT_TRUE(study().arm(arm));
}

}  // namespace
}  // namespace trialward::cdisc
