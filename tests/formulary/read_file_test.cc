#include "formulary/read_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

class ReadFileTest : public FormularyFiles {
 protected:
  std::string fault_of(const std::string& bytes) const {
    const auto read = read_text(bytes);
    if (read) return "sound";
    std::string reason = read.error().reason;
    const std::string place = folder_.file("file.json: ");
    return reason.starts_with(place) ? reason.substr(place.size()) : reason;
  }
};

TEST_F(ReadFileTest, FaultsHaveTheirPlace) {
  const std::string plan = in_plan("P");
  const struct {
    std::string json, fault;
  } cases[] = {
      {"", "must be an array of plans or drugs, or an index"},
      {"7", "must be an array of plans or drugs, or an index"},
      {"[7]", "/0 must be an object"},
      {"[[]]", "/0 must be an object"},
      {"[", "/0 must be an object"},
      {"[{", "/0: ends in the middle of a value"},
      {"[" + drug("1", "A"), "/0 is the last one, and the array has no end"},
      {"[" + drug("1", "A") + drug("2", "B") + "]",
       "/0 must be followed by a comma or the array's end"},
      {"[" + drug("1", "A") + ",]", "/0 is followed by a comma too many"},
      {"[" + drug("1", "A") + "] []", "something follows its end"},
      {"[" + drug("1", "A") + ",{\"a\":nul}]",
       "/1 is not JSON: Problem while parsing an atom starting with the letter 'n'"},
      {"[" + drug("", "A") + "]", "/0/rxnorm_id: must be a code of RxNorm, of 1 to 8 digits"},
      {"[" + drug("12x", "A") + "]", "/0/rxnorm_id: must be a code of RxNorm, of 1 to 8 digits"},
      {R"([{"rxnorm_id":[],"drug_name":"A","plans":[]}])",
       "/0/rxnorm_id: must be a code of RxNorm, of 1 to 8 digits"},
      {"[" + drug("1", "") + "]", "/0/drug_name: must not be empty"},
      {R"([{"rxnorm_id":"1","plans":[]}])", "/0/drug_name: is missing"},
      {R"([{"rxnorm_id":"1","drug_name":"A"}])", "/0/plans: must be an array of objects"},
      {R"([{"rxnorm_id":"1","drug_name":"A","plans":{}}])",
       "/0/plans: must be an array of objects"},
      {"[" + drug("1", "A", plan + ",7") + "]", "/0/plans/1: must be an object"},
      {"[" + drug("1", "A", in_plan("P", "")) + "]", "/0/plans/0/drug_tier: must not be empty"},
      {"[" + drug("1", "A", in_plan("")) + "]", "/0/plans/0/plan_id: must not be empty"},
      {"[" + drug("1", "A", in_plan("P", "T", "")) + "]", "/0/plans/0/years: must name a year"},
      {"[" + drug("1", "A", in_plan("P", "T", "20")) + "]",
       "/0/plans/0/years/0: must be a year from 2000 to 2199"},
      {R"([{"rxnorm_id":"1","drug_name":"A","plans":[{"plan_id":"P","drug_tier":"T","years":[2020],
          "prior_authorization":"no"}]}])",
       "/0/plans/0/prior_authorization: must be true or false"},
      {R"([{"rxnorm_id":"1","drug_name":"A","plans":[{"plan_id":"P","drug_tier":7,
          "years":[2020]}]}])",
       "/0/plans/0/drug_tier: must be a text"},
      {"[" + drug("1", std::string(TextPool::kTextBytesMax + 1, 'x')) + "]",
       "/0/drug_name: is longer than 4096 bytes"},
      {"[" + drug("1", "\xff") + "]", "/0 is not JSON: The input is not valid UTF-8"},
      {R"([{"plan_id":"P"}])", "/0/years: must be an array of years"},
      {R"([{"plan_id":"P","years":[2020],"formulary":7}])",
       "/0/formulary: must be an array of objects"},
      {R"([{"plan_id":"P","years":[2020],"formulary":[{}]}])",
       "/0/formulary/0/drug_tier: is missing"},
      {R"({"plan_urls":[]})", "/formulary_urls: must be an array of texts"},
      {R"({"plan_urls":[7],"formulary_urls":[]})", "/plan_urls/0: must be a URL"},
      {R"({"plan_urls":["ftp://x/y"],"formulary_urls":[]})",
       "/plan_urls: names 'ftp://x/y', which may not be had by it"},
      {"[]", "the list has no drugs"},
      {"[" + drug("1", "A", plan) + "]", "sound"},
      {" \n[ " + drug("1", "A", plan) + " , " + drug("2", "B") + " ] \n", "sound"},
      {R"([{"plan_id":"P","years":[2020],"formulary":[]},)" + drug("1", "A", plan) + "]", "sound"},
  };
  for (const auto& one : cases) EXPECT_EQ(fault_of(one.json), one.fault) << one.json.substr(0, 200);
}

TEST_F(ReadFileTest, EveryFaultIsToldUpToALimit) {
  std::string json = "[";
  for (int i = 0; i < 1000; ++i) json += (i == 0 ? "" : ",") + drug("x", "");
  const auto read = read_text(json + "]");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, RefusalKind::invalid);
  EXPECT_EQ(read.error().faults.told.size(), kTroublesMax);
  EXPECT_EQ(read.error().faults.told[3].path, "/1/drug_name");
}

TEST_F(ReadFileTest, WhatDepartsFromTheSchemaButIsPlainIsTakenAndNoted) {
  const auto read = read_text(
      R"([{"plan_id":"P","years":[2020],"formulary":{"drug_tier":"GENERIC","mail_order":true}},
          {"rxnorm_id":7,"drug_name":"A","plans":[)" +
      in_plan("P") + "]}]");
  ASSERT_TRUE(read) << read.error().reason;
  ASSERT_EQ(read->notes.told.size(), 2U);
  EXPECT_EQ(read->notes.told[0].path, "/0/formulary");
  EXPECT_EQ(read->notes.told[1].path, "/1/rxnorm_id");
  const Plan* plan = read->list->find_plan("P");
  ASSERT_NE(plan, nullptr);
  ASSERT_EQ(plan->tiers.size(), 1U);
  EXPECT_EQ(plan->tiers[0].name, "GENERIC");
  EXPECT_EQ(plan->tiers[0].mail_order, true);
  EXPECT_EQ(read->list->coverage(7, "P", 2020).status, CoverageStatus::covered);
}

TEST_F(ReadFileTest, AnIndexNamesItsFilesBesideIt) {
  write("d1.json", "[" + drug("1", "A", in_plan("P")) + "]");
  write("d2.json", "[" + drug("2", "B", in_plan("Q")) + "]");
  write("p.json", R"([{"plan_id":"R","years":[2020]}])");
  const auto read_index = read({write(
      "index.json",
      R"({"provider_urls":["x"],"formulary_urls":["d1.json","d2.json"],"plan_urls":["p.json"]})")});
  ASSERT_TRUE(read_index) << read_index.error().reason;
  EXPECT_EQ(read_index->sources.size(), 4U);
  EXPECT_EQ(read_index->list->codes(), 2U);
  EXPECT_EQ(read_index->list->coverage(1, "R", 0).status, CoverageStatus::not_covered);
  // A file of drugs where plans are due is one.
  const auto wrong = read(
      {write("wrong.json",
             R"({"provider_urls":["x"],"formulary_urls":["p.json"],"plan_urls":["p.json"]})")});
  ASSERT_FALSE(wrong);
}

// A file without an end, from a pipe, so that nothing depends on how fast it is read: of blanks, of
// one element, and of elements.
TEST_F(ReadFileTest, StopsSoonWhateverTheFileConsistsOf) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  constexpr std::size_t kStopAfter = 1 << 20, kWrittenMax = 12 << 20;
  const struct {
    const char *begin, *again;
  } cases[] = {
      {" ", "    "},
      {"[", "    "},
      {R"([{"rxnorm_id":"1","drug_name":"A","plans":[)", R"({"a":1},)"},
      {R"([{"rxnorm_id":"1","drug_name":"A","plans":[]})",
       R"(,{"rxnorm_id":"2","drug_name":"B","plans":[]})"},
  };
  for (const auto& one : cases) {
    const std::string path = folder_.file("pipe");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    runtime::Cancel cancel;
    std::thread writer([&] {
      std::ofstream pipe(path, std::ios::binary);
      pipe << one.begin;
      std::string piece;
      while (piece.size() < 64 << 10) piece += one.again;
      for (std::size_t written = 0; pipe && written < kWrittenMax; written += piece.size()) {
        pipe << piece << std::flush;
        if (written >= kStopAfter) cancel.fire(runtime::CancelReason::shutdown);
      }
    });
    ListBuilder list(1 << 30);
    Troubles faults, notes;
    FileReader reader(list, faults, notes);
    {
      auto file = base::InputFile::open(path);
      ASSERT_TRUE(file);
      const auto read = reader.read(std::move(*file), "pipe", FileKind::any, cancel);
      ASSERT_FALSE(read);
      EXPECT_EQ(read.error().code, base::Errc::cancelled) << one.begin << read.error().message;
    }
    writer.join();
    ::unlink(path.c_str());
  }
}

TEST_F(ReadFileTest, AnElementAndWhatAFileUnpacksToHaveLimits) {
  const std::string path = write("file.json", "[{\"a\":\"" + std::string(kElementBytesMax, 'x'));
  EXPECT_NE(read({path}).error().reason.find("has a value of more than"), std::string::npos);
  Fetcher fetcher({.spool = folder_.file("spool")}, nullptr);
  const auto blanks =
      gather({.places = {write("blank.json", std::string(5000, ' '))}, .unpacked_bytes_max = 1000},
             fetcher, {}, {});
  EXPECT_NE(blanks.error().reason.find("unpacks to more than 1000 bytes"), std::string::npos);
}

}  // namespace
}  // namespace trialward::formulary
