// The Watch over one subject: what the rules remember of it, and what a record newly brings about.
// It shares the rules with their Monitor, because it may outlive it. One thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
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
  // What a record changes in one series: a point comes, or one is superseded.
  struct Edit {
    std::size_t series = 0;
    std::optional<Point> point;
    std::size_t superseded = 0;  // the place, without a point
    bool done = false;
    std::vector<Point> forgotten;
  };
  using Edits = std::vector<Edit>;
  using Causes = std::set<std::int64_t>;

  Edits edits_for(const model::StoredRecord& stored, const CodeRules* of_code,
                  const CodeRules* of_kind, const Reading& reading) const;
  // Indexes of the trees that an edit may make a difference to.
  std::vector<std::size_t> trees_of(const Edits& edits) const;
  // Of a tree that compares; empty for others.
  Causes known_causes(const Tree& tree) const;
  void apply(Edits& edits);
  void take_back(std::int64_t record, Edits& edits);
  void add_matches(const model::StoredRecord& stored, const Tree& tree, const Causes& known,
                   std::vector<model::Match>& matches) const;

  const std::shared_ptr<const RuleSet> rules_;
  std::vector<Series> series_;
  std::vector<const Series*> all_;  // of series_
  bool changed_ = false;
};

}  // namespace trialward::monitor
