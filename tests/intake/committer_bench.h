// A Committer over a StudyBench's store.
#pragma once

#include "intake/committer.h"
#include "tests/intake/bench_study.h"

namespace trialward::intake {

class CommitterBench : public StudyBench {
 protected:
  void SetUp() override {
    StudyBench::SetUp();
    if (store_ != nullptr) renew();
  }
  // One that has nothing at hand.
  void renew(SubjectCacheOptions subjects = {}, const model::AlertRoutes* routes = nullptr) {
    committer_ = std::make_unique<Committer>(store_->writer(), clock_, subjects, routes);
  }
  Committer::Outcome commit(std::vector<Submission> batch) {
    auto outcome = committer_->commit(batch);
    for (const Publication& one : outcome.publications) expect_as_stored(one);
    return outcome;
  }
  // What is told is what whoever asks later is told.
  void expect_as_stored(const Publication& told) {
    auto stored = store::read_alert_events(store_->writer().connection(), told.study->row,
                                           told.event.number - 1, 1);
    ASSERT_TRUE(stored.ok()) << stored.error().message;
    ASSERT_EQ(stored->size(), 1U);
    EXPECT_EQ(model::to_json(told.event), model::to_json(stored->front()));
  }
  SubmissionResult one(std::vector<Command> commands) {
    return commit({submission(std::move(commands))}).results.front();
  }

  std::unique_ptr<Committer> committer_;
};

}  // namespace trialward::intake
