// The Watch over one subject: what the rules remember of it, and what a record newly brings about.
// It shares the rules with their Monitor, because it may outlive it. One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/watch.h"
#include "monitor/rule_set.h"
#include "monitor/series.h"

namespace trialward::monitor {

class SubjectWatch final : public model::Watch {
 public:
  // One series for each of the rules'.
  SubjectWatch(std::shared_ptr<const RuleSet> rules, std::vector<Series> series);

  std::vector<model::Match> observe(const model::StoredRecord& stored) override;
  bool changed() const override { return changed_; }
  std::string save() const override;

 private:
  using Edits = std::map<std::size_t, Series>;  // series as they will be, by their index

  Edits edits_for(const model::StoredRecord& stored, const CodeRules* of_code,
                  const CodeRules* of_kind, const Reading& reading) const;
  std::vector<model::Match> matches_of(const model::StoredRecord& stored, const Edits& edits) const;

  const std::shared_ptr<const RuleSet> rules_;
  std::vector<Series> series_;
  bool changed_ = false;
};

}  // namespace trialward::monitor
