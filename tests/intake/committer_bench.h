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
  Committer::Outcome commit(std::vector<Submission> batch) { return committer_->commit(batch); }
  SubmissionResult one(std::vector<Command> commands) {
    return commit({submission(std::move(commands))}).results.front();
  }

  std::unique_ptr<Committer> committer_;
};

}  // namespace trialward::intake
