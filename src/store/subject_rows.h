// The rows of subjects and of what is remembered about them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/writer.h"

namespace trialward::store {

// When something is due that the subject's rules wait for.
struct SubjectDue {
  std::string rules;  // Monitor::hash() that found it; empty: there is no row
  std::optional<std::int64_t> due_ms;  // the next that is missed; none: nothing is waited for
  bool operator==(const SubjectDue&) const = default;
};

struct SubjectRow {
  std::int64_t id = 0;
  std::string site;
  std::int64_t last_record = 0;  // 0: none yet
  std::int64_t as_of = 0;        // the newest record that `watch` has seen; 0: none is saved
  std::string rules;             // Monitor::hash() that it was saved under
  std::string watch;
  SubjectDue due;
  std::int64_t passed_ms = 0;  // the latest instant that has passed for its rules
};

base::Result<std::optional<SubjectRow>> find_subject(Connection& connection, std::int64_t study,
                                                     std::string_view subject);

// Many at once, by name; those that the study does not have are left out. PostgreSQL alone.
base::Result<std::vector<std::pair<std::string, SubjectRow>>> find_subjects(
    Connection& connection, std::int64_t study, std::span<const std::string_view> subjects);

// Subjects of a study in the order in which they came, with ids above `after`; of a site, or, where
// it is empty, of all. Without what is remembered of them.
struct SubjectPlace {
  std::int64_t id = 0;
  std::string subject, site;
  std::int64_t last_record = 0;  // 0: none yet
};
base::Result<std::vector<SubjectPlace>> read_subjects_after(Connection& connection,
                                                            std::int64_t study, std::int64_t after,
                                                            std::string_view site,
                                                            std::size_t limit);

struct NewSubject {
  std::int64_t study = 0;
  std::string_view subject, site;
  int shard = 0;
};
// The new row's id. Errors: conflict when the study has the subject already.
base::Result<std::int64_t> append_subject(Writer& writer, const NewSubject& subject,
                                          const Act& act);

base::Status put_last_record(Connection& connection, const SubjectRow& row);
// Saves as_of, rules and watch of the row.
base::Status put_watch(Connection& connection, const SubjectRow& row);

struct NewPass {
  std::int64_t subject = 0;  // its row
  std::int64_t utc_ms = 0;
  int shard = 0;
};
base::Status append_pass(Writer& writer, const NewPass& pass, const Act& act);
// The passes after an id, of all studies, in the order of their ids.
struct SubjectPass {
  std::int64_t study = 0;
  std::string subject;
  std::int64_t utc_ms = 0;
};
base::Result<std::vector<SubjectPass>> read_passes_after(Connection& connection, std::int64_t id,
                                                         std::int64_t limit);
base::Status put_due(Connection& connection, std::int64_t study, const SubjectRow& row);

// Subjects of a study of whom something is due at an instant or before, the longest due first.
base::Result<std::vector<std::string>> subjects_due(Connection& connection, std::int64_t study,
                                                    std::int64_t utc_ms, std::size_t limit);
// Subjects of a study of whom other rules, or none, have found what is due, in the order of their
// ids; with ids above `after`, which is moved on.
base::Result<std::vector<std::string>> subjects_not_waited_for(Connection& connection,
                                                               std::int64_t study,
                                                               std::string_view rules,
                                                               std::int64_t& after,
                                                               std::size_t limit);

}  // namespace trialward::store
