// What a schedule wants to know of one subject: the anchors' records, what was done and when, and
// how the subject left. It is picked out of the subject's records, newest first, and is small and
// bounded, however many records there are. All versions are kept, because what was done belongs to
// the occurrence that it was due for when it came in, whatever is corrected later (epro/plan.h).
//
// Pure; borrows the schedule. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "epro/planned_times.h"
#include "model/record.h"
#include "model/schedule.h"

namespace trialward::epro {

inline constexpr std::size_t kSubjectFactsMax = 50'000;

// One version of a record.
struct Fact {
  std::int64_t record = 0;
  std::int64_t first = 0;       // the first version's id
  std::int64_t amends = 0;      // 0: nothing
  std::int64_t amended_by = 0;  // 0: it is current
  model::Kind kind = model::Kind::visit;
  std::string code, visit;
  std::string effective;  // as given
  std::optional<When> when;
  bool not_done = false, serious = false, historical = false;
  bool own = false;  // demographics, of the subject itself and not of one characteristic
  // Of demographics: what `only_if` asks for, and the first dose; of dispositions: dscat.
  std::vector<std::pair<std::string, std::string>> attributes;

  bool current() const { return amended_by == 0; }
  std::string_view attribute(std::string_view name) const;
};

struct SubjectFacts {
  std::vector<Fact> facts;  // by record
  // The subject's oldest record: enrolment, where there are no demographics.
  std::optional<When> first_record;
};

class FactCollector {
 public:
  FactCollector(const model::Schedule& schedule, const model::WallClock& clock);

  // The subject's records from the newest on; of each only what Fact and `received_ms` say must be
  // filled in. Errors: refused (kSubjectFactsMax).
  base::Status add(const model::StoredRecord& record);
  SubjectFacts finish() &&;

 private:
  bool wanted(const model::Record& record) const;
  void keep_attributes(const model::Record& record, Fact& fact) const;

  const model::Schedule& schedule_;
  const model::WallClock clock_;
  std::set<std::string, std::less<>> codes_;  // of questionnaires
  std::set<std::string, std::less<>> names_;  // of the demographics' attributes
  std::vector<const model::Anchor*> events_;
  bool doses_ = false;
  SubjectFacts found_;
  std::int64_t newest_ = 0;                       // the last record that was added
  std::map<std::int64_t, std::int64_t> amended_;  // record → what amends it
};

}  // namespace trialward::epro
