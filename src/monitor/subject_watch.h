// The Watch over one subject: what the rules remember of it, and what a record newly brings about.
// It shares the rules with their Monitor, because it may outlive it. One thread.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "model/watch.h"
#include "monitor/hit.h"
#include "monitor/rule_set.h"
#include "monitor/series.h"

namespace trialward::monitor {

class SubjectWatch final : public model::Watch {
 public:
  // One series for each of the rules'.
  SubjectWatch(std::shared_ptr<const RuleSet> rules, std::vector<Series> series);
  SubjectWatch(const SubjectWatch&) = delete;
  SubjectWatch& operator=(const SubjectWatch&) = delete;

  model::Observation observe(const model::StoredRecord& stored) override;
  model::Observation pass(std::int64_t utc_ms) override;
  std::optional<std::int64_t> due_ms() const override { return due_ms_; }
  bool holds(std::size_t rule, std::string_view group,
             const std::vector<std::int64_t>& causes) const override;
  bool changed() const override { return changed_; }
  std::string save() const override;
  std::size_t bytes() const override;

 private:
  // What a record changes in one series: a point comes, or one is superseded.
  struct Edit {
    std::size_t series = 0;
    std::optional<Point> point;
    std::size_t superseded = 0;  // the place, without a point
    std::int64_t at_ms = 0;      // where it stands
    bool done = false;
    Series::Undo undo;
  };
  using Edits = std::vector<Edit>;
  using Causes = std::set<std::int64_t>;
  // What is missing now of an absence, and what will be; by the absences' index.
  struct Expected {
    Causes overdue;
    std::vector<std::int64_t> awaited;
  };
  struct AllExpected {
    std::vector<Expected> of;
    std::optional<std::int64_t> next_ms;  // when the next is due
  };

  Edits edits_for(const model::StoredRecord& stored, const CodeRules* of_code,
                  const CodeRules* of_kind, const Reading& reading) const;
  // Indexes of the trees that an edit may make a difference to.
  std::vector<std::size_t> trees_of(const Edits& edits) const;
  bool awaited(const Edits& edits) const;
  void apply(Edits& edits);
  void take_back(Edits& edits);
  // Lets what is remembered be as if the record had not come, or as it is; but what was forgotten
  // for it stays forgotten, so that nothing seems to have ended because of that.
  void hide(const model::StoredRecord& stored, const Edits& edits, bool hidden);

  // How far a record makes a difference, but for the times of a tree.
  struct Reach {
    Span own{kInstantMsMax, -kInstantMsMax};         // of the edits
    std::int64_t compared_until_ms = -kInstantMsMax;  // where values are compared
    bool moves_baseline = false;                      // of a series: there is no end to it then
  };
  // Once the edits are made.
  Reach reach_of(const model::StoredRecord& stored, const Edits& edits);
  static Span span_of(const Tree& tree, const Reach& reach);
  // Of the trees that the record may make end; empty for others.
  std::vector<Causes> known_causes(const model::StoredRecord& stored, const Edits& edits,
                                   const Reach& reach, const std::vector<std::size_t>& trees);
  void judge(const model::StoredRecord& stored, const std::vector<std::size_t>& trees,
             const Edits& edits, model::Observation& found);
  void judge(const model::StoredRecord& stored, const Tree& tree, const Edits& edits,
             const Reach& reach, const Causes& known, model::Observation& found);
  void wait_anew(const model::StoredRecord& stored, const Edits& edits, model::Observation& found);
  void judge_absences(const AllExpected& before, const AllExpected& now,
                      model::Observation& found) const;
  void add_direct(const CodeRules* rules, const Reading& reading,
                  const model::StoredRecord& stored, model::Observation& found) const;
  AllExpected expected() const;  // as of passed_ms_
  // Packs what was unpacked.
  void pack() const noexcept;
  // Does so at the end of whatever looks at points.
  struct Packing {
    const SubjectWatch& watch;
    explicit Packing(const SubjectWatch& of) : watch(of) {}
    Packing(const Packing&) = delete;
    Packing& operator=(const Packing&) = delete;
    ~Packing() { watch.pack(); }
  };

  const std::shared_ptr<const RuleSet> rules_;
  std::vector<Series> series_;
  std::vector<const Series*> all_;  // of series_
  mutable std::size_t series_bytes_ = 0;  // what they take beside themselves
  mutable bool to_pack_ = false;          // set by any of them
  bool changed_ = false;
  std::int64_t passed_ms_ = 0;          // by pass()
  std::optional<std::int64_t> due_ms_;  // of what is remembered, after passed_ms_
};

}  // namespace trialward::monitor
