// subject_states, subject_watches and subject_dues, compared with the records: a subject's newest
// record, and its watch built again by observing its records, as far as it had seen them, in the
// order in which they were stored; then what it waits for, when it has seen all and knows how much
// time has passed.
// One thread. Errors: corrupt, which names the first bad entry; cancelled, unavailable.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "records/verify.h"
#include "store/connection.h"

namespace trialward::records {

class WatchCheck {
 public:
  // `last_records`: AuditScan's, as of the record `last_record`; kept by the caller.
  WatchCheck(store::Connection& reader, const LoadMonitor& load_monitor,
             const std::vector<std::int64_t>& last_records, std::int64_t last_record)
      : reader_(reader),
        load_monitor_(load_monitor),
        last_records_(last_records),
        last_record_(last_record) {}

  // The next subject in the order of their ids; true when there was one.
  base::Result<bool> check_next();
  // States that are of no subject.
  base::Status check_stray();

  std::int64_t checked() const { return subject_; }  // subjects
  std::int64_t watches() const { return watches_; }
  std::int64_t unknown() const { return unknown_; }

 private:
  struct State {
    std::int64_t last_record = 0;
    std::int64_t as_of = 0;
    std::string rules, watch;
    bool has_due = false;
    std::int64_t due_study = 0;
    std::string due_rules;
    std::optional<std::int64_t> due_ms;
    std::int64_t passed_ms = 0;
  };
  // The rules of a study by the definitions in the store, loaded as far as they were needed.
  struct Rules {
    // Those with this id and below are not loaded yet.
    std::int64_t next_definition = std::numeric_limits<std::int64_t>::max();
    bool unloadable = false;  // one of them
    std::map<std::string, std::shared_ptr<const model::Monitor>> by_hash;
  };

  base::Status check_subject(std::int64_t subject);
  base::Result<State> read_state(std::int64_t subject);
  // The subject's records up to `newest`, newest first.
  base::Result<std::vector<std::int64_t>> read_ids(std::int64_t subject, std::int64_t newest);
  base::Status check_watch(std::int64_t subject, const State& state,
                           const std::vector<std::int64_t>& ids);
  base::Status observe(model::Watch& watch, std::int64_t id);
  // `watch` has seen the records up to `as_of`.
  base::Status check_due(std::int64_t subject, const State& state,
                         const std::vector<std::int64_t>& ids, bool waits, model::Watch& watch);
  base::Status check_due_ms(const State& state, const std::vector<std::int64_t>& ids,
                            std::int64_t as_of, model::Watch& watch);
  // Null when the rules cannot be had any more.
  base::Result<std::shared_ptr<const model::Monitor>> monitor(std::int64_t subject,
                                                              const std::string& hash);

  store::Connection& reader_;
  const LoadMonitor& load_monitor_;
  const std::vector<std::int64_t>& last_records_;
  const std::int64_t last_record_;
  std::int64_t subject_ = 0;
  std::int64_t watches_ = 0, unknown_ = 0;
  std::map<std::int64_t, Rules> rules_;  // by study
};

}  // namespace trialward::records
