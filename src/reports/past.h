// What reports as of an earlier moment begin with: the positions then, and the study by the
// definition that was in force. To find them the audit trail is read from its beginning, so they
// are remembered: fifty reports as of one moment read it once, and who finds them being looked for
// waits. Bounded; what was asked for longest ago goes first. Any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "reports/positions.h"
#include "reports/report_study.h"

namespace trialward::reports {

// An instant, or the positions of an earlier result.
struct AsOf {
  std::int64_t ms = 0;
  std::optional<Place> place;
};
std::string to_text(const AsOf& as_of);

class Past {
 public:
  struct Moment {
    ReportStudy study;
    Positions positions;  // without the program
  };
  using Found = base::Result<std::shared_ptr<const Moment>>;

  // `version` says which the store has: it grows with each commit. Any thread may call it.
  explicit Past(std::function<std::uint64_t()> version, std::size_t moments_max = 8)
      : version_(std::move(version)), moments_max_(moments_max) {}

  // `now` is the study as it is today. What was committed by `at_least` is looked at: an instant
  // alone can come to mean more, as long as there are commits of what was received before it.
  // Errors: those of positions_of, positions_at, definition_of and read_report_study; cancelled.
  Found find(const Reading& reading, const ReportStudy& now, const AsOf& as_of,
             std::uint64_t at_least);

 private:
  struct Entry {
    std::int64_t study = 0;
    std::string as_of;
    std::uint64_t version = 0;
    std::shared_ptr<const Moment> moment;  // null while it is looked for
  };
  using Entries = std::list<Entry>;  // what was asked for last comes first

  Found look(const Reading& reading, const ReportStudy& now, const AsOf& as_of);
  base::Result<ReportStudy> study_by(const Reading& reading, const ReportStudy& now,
                                     const std::string& hash);
  void drop_oldest();

  const std::function<std::uint64_t()> version_;
  const std::size_t moments_max_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Entries entries_;
};

}  // namespace trialward::reports
