#include "cdisc/sdtm.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "model/decode_record.h"

namespace trialward::cdisc {
namespace {

using Cells = std::map<std::string, std::string>;  // by variable
using model::Kind;

// A dataset with these columns, and the row of these cells.
struct Dataset {
  Metadata metadata;
  Row row;

  Dataset(const std::string& domain, const Cells& cells) {
    metadata.name = domain;
    for (const auto& [variable, text] : cells) {
      metadata.columns.push_back({"IT." + variable, variable, "", "string"});
      row.cells.push_back(text);
    }
    row.number = 1;
    row.original = "[\"as read\"]";
  }
};

model::Record record_of(const std::string& domain, const Cells& cells) {
  const Dataset dataset(domain, cells);
  const auto mapper = SdtmMapper::make(dataset.metadata);
  EXPECT_TRUE(mapper.ok());
  if (!mapper) return {};
  auto record = mapper->to_record(dataset.row);
  EXPECT_TRUE(record.ok()) << to_json(record.ok() ? model::Faults() : record.error());
  return record ? std::move(record).value() : model::Record();
}

std::string faults_of(const std::string& domain, const Cells& cells) {
  const Dataset dataset(domain, cells);
  const auto mapper = SdtmMapper::make(dataset.metadata);
  EXPECT_TRUE(mapper.ok());
  if (!mapper) return "";
  const auto record = mapper->to_record(dataset.row);
  std::string all;
  if (record) return all;
  for (const auto& [path, reason] : record.error()) all += path + " " + reason + "\n";
  return all;
}

// A finding of LB with these cells in place of the usual ones.
Cells lab(const Cells& other) {
  Cells cells = {{"STUDYID", "STUDY"}, {"DOMAIN", "LB"},    {"USUBJID", "S-1"},
                 {"LBSEQ", "7"},       {"LBTESTCD", "ALT"}, {"LBORRES", "12"},
                 {"LBORRESU", "U/L"},  {"LBORNRLO", "6"},   {"LBORNRHI", "34.0"},
                 {"LBBLFL", ""},       {"VISIT", "WEEK 2"}, {"LBDTC", "2014-01"}};
  for (const auto& [variable, text] : other) cells[variable] = text;
  return cells;
}

Cells attributes_of(const model::Record& record) {
  return {record.attributes.begin(), record.attributes.end()};
}

TEST(Sdtm, MapsALabResult) {
  const model::Record record = record_of(
      "LB", lab({{"LBBLFL", "Y"}, {"LBNRIND", "NORMAL"}, {"LBSTRESN", "12"}, {"LBENDTC", ""}}));
  EXPECT_EQ(record.source, "sdtm.lb");
  EXPECT_EQ(record.source_id, "S-1/7");
  EXPECT_EQ(record.subject, "S-1");
  EXPECT_EQ(record.site, "");
  EXPECT_EQ(record.kind, Kind::lab);
  EXPECT_EQ(record.code, "ALT");
  EXPECT_EQ(record.value.number, 12);
  EXPECT_EQ(record.value.number_text, "12");
  EXPECT_EQ(record.value.text, "");
  EXPECT_EQ(record.unit, "U/L");
  EXPECT_EQ(record.range.low, 6);
  EXPECT_EQ(record.range.high, 34);
  EXPECT_EQ(record.range.high_text, "34.0");
  EXPECT_EQ(record.effective, "2014-01");
  EXPECT_EQ(record.visit, "WEEK 2");
  EXPECT_TRUE(record.baseline);
  EXPECT_FALSE(record.serious.has_value());
  EXPECT_EQ(record.original, "[\"as read\"]");
  EXPECT_EQ(attributes_of(record), (Cells{{"lbnrind", "NORMAL"}, {"lbstresn", "12"}}));
}

TEST(Sdtm, MapsTheIdsCodesAndTimesOfEachDomain) {
  const struct {
    const char* domain;
    Cells cells;
    const char *source, *source_id;
    Kind kind;
    const char *code, *effective;
    Cells attributes;
  } cases[] = {
      {"DM",
       {{"SITEID", "701"}, {"RFSTDTC", "2014-01-02"}, {"DMDTC", "2013-12-26"}},
       "sdtm.dm",
       "S-1",
       Kind::demographics,
       "DM",
       "2014-01-02",
       {{"dmdtc", "2013-12-26"}}},
      {"DM",
       {{"RFSTDTC", ""}, {"DMDTC", "2013-12-26"}, {"AGE", "63"}},
       "sdtm.dm",
       "S-1",
       Kind::demographics,
       "DM",
       "2013-12-26",
       {{"age", "63"}}},
      {"AE",
       {{"AESEQ", "1"},
        {"AEDECOD", "PRURITUS"},
        {"AETERM", "ITCHING"},
        {"AESTDTC", "2014"},
        {"AEDTC", "2014-02"}},
       "sdtm.ae",
       "S-1/1",
       Kind::adverse_event,
       "PRURITUS",
       "2014",
       {{"aedtc", "2014-02"}, {"aeterm", "ITCHING"}}},
      {"AE",
       {{"AESEQ", "1"}, {"AEDECOD", ""}, {"AETERM", "ITCHING"}},
       "sdtm.ae",
       "S-1/1",
       Kind::adverse_event,
       "ITCHING",
       "",
       {}},
      {"VS",
       {{"VSSEQ", "2.0"}, {"VSTESTCD", "TEMP"}, {"VSDTC", "2014-01-02T08:30"}},
       "sdtm.vs",
       "S-1/2",
       Kind::vital,
       "TEMP",
       "2014-01-02T08:30",
       {}},
      {"QS",
       {{"QSSEQ", "5001"}, {"QSTESTCD", "Q1"}, {"QSDTC", "2014-01-02"}},
       "sdtm.qs",
       "S-1/5001",
       Kind::questionnaire,
       "Q1",
       "2014-01-02",
       {}},
      {"EX",
       {{"EXSEQ", "1"}, {"EXTRT", "DRUG"}, {"EXSTDTC", "2014-01-02"}, {"EXDOSE", "54"}},
       "sdtm.ex",
       "S-1/1",
       Kind::exposure,
       "DRUG",
       "2014-01-02",
       {{"exdose", "54"}}},
      {"DS",
       {{"DSSEQ", "1"}, {"DSDECOD", "COMPLETED"}, {"DSTERM", "DONE"}, {"DSSTDTC", "2014-07"}},
       "sdtm.ds",
       "S-1/1",
       Kind::disposition,
       "COMPLETED",
       "2014-07",
       {{"dsterm", "DONE"}}},
      {"CM",
       {{"CMSEQ", "1"}, {"CMDECOD", "CALCIUM"}, {"CMTRT", "CALTRATE"}, {"CMSTDTC", ""}},
       "sdtm.cm",
       "S-1/1",
       Kind::medication,
       "CALCIUM",
       "",
       {{"cmtrt", "CALTRATE"}}},
      {"CM",
       {{"CMSEQ", "1"}, {"CMDECOD", "UNCODED"}, {"CMTRT", "VITAMIN E"}},
       "sdtm.cm",
       "S-1/1",
       Kind::medication,
       "VITAMIN E",
       "",
       {{"cmdecod", "UNCODED"}}},
      {"MH",
       {{"MHSEQ", "1"}, {"MHDECOD", ""}, {"MHTERM", "GOUT"}, {"MHSTDTC", "2001"}},
       "sdtm.mh",
       "S-1/1",
       Kind::medical_history,
       "GOUT",
       "2001",
       {}},
      {"SV",
       {{"VISITNUM", "1.10"}, {"VISIT", "UNSCHEDULED 1.1"}, {"SVSTDTC", "2014-01-05"}},
       "sdtm.sv",
       "S-1/1.1/2014-01-05",
       Kind::visit,
       "UNSCHEDULED 1.1",
       "2014-01-05",
       {{"visitnum", "1.10"}}},
      {"SV",
       {{"VISITNUM", "3.0"}, {"VISIT", ""}, {"SVSTDTC", ""}},
       "sdtm.sv",
       "S-1/3/",
       Kind::visit,
       "3.0",
       "",
       {}},
  };
  for (const auto& test : cases) {
    Cells cells = test.cells;
    cells["USUBJID"] = "S-1";
    const model::Record record = record_of(test.domain, cells);
    const std::string which = std::string(test.domain) + " " + test.code;
    EXPECT_EQ(record.source, test.source) << which;
    EXPECT_EQ(record.source_id, test.source_id) << which;
    EXPECT_EQ(record.kind, test.kind) << which;
    EXPECT_EQ(record.code, test.code) << which;
    EXPECT_EQ(record.effective, test.effective) << which;
    EXPECT_EQ(attributes_of(record), test.attributes) << which;
    EXPECT_EQ(record.site, test.cells.contains("SITEID") ? "701" : "") << which;
  }
}

TEST(Sdtm, TellsNumbersFromTexts) {
  const struct {
    const char* given;
    std::optional<double> number;
    const char *number_text, *text;
  } cases[] = {
      {"34.0", 34.0, "34.0", ""},
      {"070", 70.0, "070", ""},
      {"098.6", 98.6, "098.6", ""},
      {".5", 0.5, ".5", ""},
      {"-1.50", -1.5, "-1.50", ""},
      {"+2", 2.0, "2", ""},
      {" 5 ", 5.0, "5", ""},
      {"1E3", 1000.0, "1E3", ""},
      {"<0.2", {}, "", "<0.2"},
      {"N", {}, "", "N"},
      {"", {}, "", ""},
      {"1,5", {}, "", "1,5"},
      {"1/2", {}, "", "1/2"},
      {"inf", {}, "", "inf"},
      {"-nan", {}, "", "-nan"},
      {"+-5", {}, "", "+-5"},
      {".", {}, "", "."},
      {"0x10", {}, "", "0x10"},
      {"1e999", {}, "", "1e999"},
      {" ", {}, "", " "},
  };
  for (const auto& [given, number, number_text, text] : cases) {
    const model::Value value = record_of("LB", lab({{"LBORRES", given}})).value;
    EXPECT_EQ(value.number, number) << given;
    EXPECT_EQ(value.number_text, number_text) << given;
    EXPECT_EQ(value.text, text) << given;
    EXPECT_EQ(value.missing(), *given == '\0') << given;
  }
}

TEST(Sdtm, ASubjectCharacteristicIsDemographicsWithAValue) {
  const model::Record record = record_of("SC", {{"USUBJID", "S-1"},
                                                {"SCSEQ", "1"},
                                                {"SCTESTCD", "EDLEVEL"},
                                                {"SCORRES", "16"},
                                                {"SCORRESU", "YEARS"},
                                                {"SCDTC", "2013-12-26"}});
  EXPECT_EQ(record.kind, model::Kind::demographics);
  EXPECT_EQ(record.source + " " + record.source_id, "sdtm.sc S-1/1");
  EXPECT_EQ(record.code, "EDLEVEL");
  EXPECT_EQ(record.value.number, 16);
  EXPECT_EQ(record.unit, "YEARS");
  EXPECT_EQ(record.effective, "2013-12-26");
}

TEST(Sdtm, NoUnitsIsNoUnit) {
  EXPECT_EQ(record_of("LB", lab({{"LBORRESU", "NO UNITS"}})).unit, "");
  EXPECT_EQ(record_of("LB", lab({{"LBORRESU", ""}})).unit, "");
}

TEST(Sdtm, KeepsRangesThatAreNoNumbersAsAttributes) {
  const auto record = record_of("LB", lab({{"LBORNRLO", "NEGATIVE"}, {"LBORNRHI", ""}}));
  EXPECT_FALSE(record.range.given());
  EXPECT_EQ(attributes_of(record), (Cells{{"lbornrlo", "NEGATIVE"}}));
  const auto open = record_of("LB", lab({{"LBORNRLO", ""}}));
  EXPECT_FALSE(open.range.low.has_value());
  EXPECT_EQ(open.range.high, 34);
}

TEST(Sdtm, KnowsWhatWasNotDone) {
  const Cells none = {{"LBORRES", ""}, {"LBSTAT", "NOT DONE"}};
  auto record = record_of("LB", lab(none));
  EXPECT_EQ(record.value.not_done, "NOT DONE");
  EXPECT_EQ(record.unit, "") << "nothing was measured in it";
  EXPECT_EQ(attributes_of(record), (Cells{{"lborresu", "U/L"}}));

  Cells with_reason = lab(none);
  with_reason["LBREASND"] = "HEMOLYZED";
  EXPECT_EQ(record_of("LB", with_reason).value.not_done, "HEMOLYZED");
  EXPECT_TRUE(record_of("LB", lab({{"LBSTAT", ""}})).value.not_done.empty());
}

TEST(Sdtm, GivesAnAnswerInWordsItsScore) {
  Cells cells = {{"USUBJID", "S-1"}, {"QSSEQ", "1"},    {"QSTESTCD", "Q1"},
                 {"QSORRES", "Y"},   {"QSSTRESC", "1"}, {"QSSTRESN", "1"}};
  model::Record record = record_of("QS", cells);
  EXPECT_EQ(record.value.text, "Y");
  EXPECT_EQ(record.value.number, 1);
  EXPECT_EQ(record.value.number_text, "1");
  EXPECT_EQ(attributes_of(record), (Cells{{"qsstresc", "1"}}));

  cells["QSORRES"] = "2";  // an answer that is a number is its own
  record = record_of("QS", cells);
  EXPECT_EQ(record.value.number, 2);
  EXPECT_EQ(record.value.text, "");
  EXPECT_EQ(attributes_of(record), (Cells{{"qsstresc", "1"}, {"qsstresn", "1"}}));

  cells["QSORRES"] = "";  // what was not answered has no value, whatever was derived from it
  record = record_of("QS", cells);
  EXPECT_TRUE(record.value.missing());
  EXPECT_EQ(attributes_of(record), (Cells{{"qsstresc", "1"}, {"qsstresn", "1"}}));

  // In LB the standard result has another unit.
  record = record_of("LB", lab({{"LBORRES", "<3"}, {"LBSTRESN", "0.05"}}));
  EXPECT_FALSE(record.value.number.has_value());
}

TEST(Sdtm, MapsSeriousnessAndSeverity) {
  const struct {
    const char *ser, *sev, *grade;
    std::optional<bool> serious;
    const char* severity;
  } cases[] = {
      {"Y", "SEVERE", "", true, "SEVERE"}, {"N", "MILD", "", false, "MILD"},
      {"", "", "", std::nullopt, ""},      {"U", "", "3", std::nullopt, "3"},
      {"NA", "", "", std::nullopt, ""},
  };
  for (const auto& [ser, sev, grade, serious, severity] : cases) {
    const model::Record record = record_of("AE", {{"USUBJID", "S-1"},
                                                  {"AESEQ", "1"},
                                                  {"AETERM", "FALL"},
                                                  {"AESER", ser},
                                                  {"AESEV", sev},
                                                  {"AETOXGR", grade}});
    EXPECT_EQ(record.serious, serious) << ser;
    EXPECT_EQ(record.severity, severity) << sev;
  }
}

// What a reader without the permission sees must not tell the treatment.
TEST(Sdtm, NamesTheTreatmentOnlyWhereItIsBlinded) {
  const struct {
    Cells cells;
    Cells attributes;
  } cases[] = {
      {{{"ARMCD", "SECRET-A"},
        {"ARM", "SECRET-B"},
        {"ACTARMCD", "SECRET-C"},
        {"ACTARM", "SECRET-D"},
        {"ACTARMUD", "SECRET-E"},
        {"SEX", "F"}},
       {{"actual_arm", "SECRET-D"}, {"arm", "SECRET-B"}, {"sex", "F"}, {"treatment", "SECRET-E"}}},
      {{{"ARMCD", "SECRET-A"}, {"ARM", ""}, {"ACTARMCD", "SECRET-C"}, {"SEX", "F"}},
       {{"actual_arm", "SECRET-C"}, {"arm", "SECRET-A"}, {"sex", "F"}}},
  };
  for (const auto& [cells, attributes] : cases) {
    Cells with_subject = cells;
    with_subject["USUBJID"] = "S-1";
    model::StoredRecord stored;
    stored.record = record_of("DM", with_subject);
    EXPECT_EQ(attributes_of(stored.record), attributes);
    const std::string blinded = to_json(stored, false);
    EXPECT_EQ(blinded.find("SECRET"), std::string::npos) << blinded;
    EXPECT_NE(blinded.find("\"sex\":\"F\""), std::string::npos) << blinded;
    EXPECT_NE(to_json(stored, true).find("SECRET"), std::string::npos);
  }
  model::StoredRecord exposure;
  exposure.record = record_of("EX", {{"USUBJID", "S-1"},
                                     {"EXSEQ", "1"},
                                     {"EXTRT", "SECRET"},
                                     {"EXDOSE", "SECRET"},
                                     {"VISIT", "BASELINE"}});
  EXPECT_EQ(to_json(exposure, false).find("SECRET"), std::string::npos);
}

TEST(Sdtm, NamesTheVariablesOfFaults) {
  const struct {
    const char* domain;
    Cells cells;
    const char* faults;
  } cases[] = {
      {"LB", lab({{"USUBJID", ""}}), "/USUBJID is empty\n"},
      {"LB", lab({{"LBSEQ", ""}}), "/LBSEQ is empty\n"},
      {"LB", lab({{"LBTESTCD", ""}}), "/LBTESTCD is empty\n"},
      {"LB", lab({{"LBSEQ", ""}, {"LBTESTCD", ""}, {"LBORNRLO", "40"}}),
       "/LBSEQ is empty\n/LBTESTCD is empty\n"},
      {"LB", lab({{"LBSTAT", "NOT DONE"}}), "/LBORRES there is none when not done\n"},
      {"LB", lab({{"LBSTAT", "DONE"}}), "/LBSTAT must be NOT DONE or empty\n"},
      {"LB", lab({{"LBORRES", "\x01"}}), "/LBORRES has a control character\n"},
      {"LB", lab({{"LBNAM", "\x01"}}), "/LBNAM has a control character\n"},
      {"LB", lab({{"VISIT", "\x01"}}), "/VISIT has a control character\n"},
      {"AE",
       {{"USUBJID", "S-1"}, {"AESEQ", "1"}, {"AETERM", "FALL"}, {"AESER", "y"}},
       "/AESER must be Y, N, U, NA or empty\n"},
      {"AE",
       {{"USUBJID", "S-1"}, {"AESEQ", "1"}, {"AETERM", "FALL"}, {"AESEV", "BAD"}},
       "/AESEV expected MILD, MODERATE, SEVERE, LIFE THREATENING, FATAL, or a grade from 1 to 5\n"},
      {"SV", {{"USUBJID", "S-1"}, {"VISITNUM", ""}, {"VISIT", "V1"}}, "/VISITNUM is empty\n"},
      {"DM", {{"USUBJID", "S-1"}, {"ARM", "\x01"}}, "/ARM has a control character\n"},
  };
  for (const auto& [domain, cells, faults] : cases) EXPECT_EQ(faults_of(domain, cells), faults);

  const Dataset dataset("LB", lab({{"LBNAM", "X"}}));
  const auto mapper = SdtmMapper::make(dataset.metadata);
  ASSERT_TRUE(mapper.ok());
  const model::Faults named = mapper->name_variables({{"/value", "1"},
                                                      {"/unit", "2"},
                                                      {"/effective", "3"},
                                                      {"/code", "4"},
                                                      {"/subject", "5"},
                                                      {"/attributes/lbnam", "6"},
                                                      {"/kind", "7"},
                                                      {"", "8"}});
  std::string paths;
  for (const model::Fault& fault : named) paths += fault.path + fault.reason + " ";
  EXPECT_EQ(paths, "/LBORRES1 /LBORRESU2 /LBDTC3 /LBTESTCD4 /USUBJID5 /LBNAM6 /kind7 8 ");
}

TEST(Sdtm, RefusesMoreAttributesThanARecordHas) {
  Cells cells = lab({});
  for (std::size_t i = 0; i <= model::kAttributesMax; ++i) cells["X" + std::to_string(i)] = "x";
  EXPECT_EQ(faults_of("LB", cells), "/attributes has more than 64 members\n");
  cells["X0"] = "";
  EXPECT_EQ(faults_of("LB", cells), "");
}

TEST(Sdtm, RefusesDatasetsThatItCannotMap) {
  const struct {
    const char* domain;
    Cells columns;
    const char* fault;
  } cases[] = {
      {"XX",
       {{"USUBJID", ""}},
       "the dataset XX is none of the SDTM domains DM AE LB VS QS EX DS CM MH SV SC"},
      {"DM", {{"SUBJID", ""}}, "the dataset DM has no column USUBJID"},
      {"LB", {{"USUBJID", ""}, {"LBTESTCD", ""}}, "the dataset LB has no column LBSEQ"},
      {"LB", {{"USUBJID", ""}, {"LBSEQ", ""}}, "the dataset LB has no column LBTESTCD"},
      {"CM", {{"USUBJID", ""}, {"CMSEQ", ""}}, "the dataset CM has no column CMDECOD"},
      {"SV", {{"USUBJID", ""}, {"VISIT", ""}}, "the dataset SV has no column VISITNUM"},
  };
  for (const auto& [domain, columns, fault] : cases) {
    const auto mapper = SdtmMapper::make(Dataset(domain, columns).metadata);
    ASSERT_FALSE(mapper.ok()) << domain;
    EXPECT_EQ(mapper.error().message, fault);
    EXPECT_EQ(mapper.error().code, base::Errc::invalid);
  }
}

}  // namespace
}  // namespace trialward::cdisc
