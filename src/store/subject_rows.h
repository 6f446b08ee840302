// The rows of subjects and of what is remembered about them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "store/writer.h"

namespace trialward::store {

struct SubjectRow {
  std::int64_t id = 0;
  std::string site;
  std::int64_t last_record = 0;  // 0: none yet
  std::int64_t as_of = 0;        // the newest record that `watch` has seen; 0: none is saved
  std::string rules;             // Monitor::hash() that it was saved under
  std::string watch;
};

base::Result<std::optional<SubjectRow>> find_subject(Connection& connection, std::int64_t study,
                                                     std::string_view subject);

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

}  // namespace trialward::store
