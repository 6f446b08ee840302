// Records of one submission whose originals refer to each other.
#include "intake/linked_original.h"

#include "store/record_rows.h"
#include "tests/intake/committer_bench.h"

namespace trialward::intake {
namespace {

class LinkedOriginalTest : public CommitterBench {
 protected:
  // A lab value whose original names the results of these commands.
  AppendRecord linked(const std::string& source_id, const std::vector<std::size_t>& commands,
                      double value = 50) {
    AppendRecord command = alt(source_id, value);
    command.record.original = "<";
    for (const std::size_t one : commands) {
      command.links.push_back({command.record.original.size(), 3, one, "Observation"});
      command.record.original += "...,";
    }
    command.record.original += ">";
    return command;
  }
  std::string original(std::int64_t id) {
    auto record = store::read_record(store_->writer().connection(), id);
    EXPECT_TRUE(record.ok() && *record) << id;
    return record && *record ? (*record)->stored.record.original : "";
  }
};

TEST_F(LinkedOriginalTest, ItHasTheIdsOfWhatIsStoredWithItBeforeBehindAndItself) {
  one({alt("0", 1)});
  const auto done = one({linked("a", {2, 1}), linked("b", {0, 1}), linked("c", {})});
  ASSERT_EQ(done.verdict, Verdict::stored);
  EXPECT_EQ(done.results[0].id, 2);
  EXPECT_EQ(original(2), "<Observation/4,Observation/3,>");
  EXPECT_EQ(original(3), "<Observation/2,Observation/3,>");
  EXPECT_EQ(original(4), "<>");
  EXPECT_EQ(one({linked("self", {0})}).results[0].id, 5);
  EXPECT_EQ(original(5), "<Observation/5,>");
}

TEST_F(LinkedOriginalTest, WhatIsStoredASecondTimeForItsIdsIsThereOnce) {
  std::vector<Submission> batch = {submission({alt("0", 1)}),
                                   submission({linked("a", {1}, 150), linked("b", {0}, 160)}),
                                   submission({alt("1", 170)})};
  const auto outcome = committer_->commit(batch);
  for (const SubmissionResult& result : outcome.results) {
    ASSERT_EQ(result.verdict, Verdict::stored);
  }
  EXPECT_EQ(outcome.publications.size(), 3u) << "one alert is raised, and joined twice";
  EXPECT_EQ(count("SELECT count(*) FROM alerts"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM records"), 4);
  EXPECT_EQ(count("SELECT count(*) FROM audit WHERE object_table = 'records'"), 4);
  EXPECT_EQ(count("SELECT previous FROM records WHERE source_id = '1'"), 3);
  EXPECT_EQ(original(2), "<Observation/3,>");
  // The sender's command is as it was, for a batch that is tried again.
  EXPECT_EQ(std::get<AppendRecord>(batch[1].commands[0]).record.original, "<...,>");
}

TEST_F(LinkedOriginalTest, P2SentAgainItIsWhatWasStoredAndOthersReferToThat) {
  const auto first = one({linked("a", {1}), linked("b", {0})});
  one({alt("between", 1)});
  const auto again = one({linked("a", {1}), linked("b", {0})});
  ASSERT_EQ(again.verdict, Verdict::stored);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_TRUE(again.results[i].repeated);
    EXPECT_EQ(again.results[i].id, first.results[i].id);
  }
  const auto later = one({linked("c", {1, 2}), linked("a", {}), linked("d", {0})});
  ASSERT_EQ(later.verdict, Verdict::stored);
  EXPECT_EQ(original(later.results[0].id), "<Observation/1,Observation/5,>");
  EXPECT_EQ(original(later.results[2].id), "<Observation/4,>");
  EXPECT_EQ(count("SELECT count(*) FROM records"), 5);
}

TEST_F(LinkedOriginalTest, ARefusalOfOneTakesAllBackWithItsPlace) {
  AppendRecord refused = alt("bad", 1);
  refused.faults = {{"/value", "no such value"}};
  const auto done = one({linked("a", {2}), linked("b", {0}), std::move(refused)});
  EXPECT_EQ(done.verdict, Verdict::invalid);
  ASSERT_FALSE(done.faults.empty());
  EXPECT_EQ(done.faults.front().path, "/2/value");
  EXPECT_EQ(count("SELECT count(*) FROM records"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM subjects"), 0);
}

}  // namespace
}  // namespace trialward::intake
