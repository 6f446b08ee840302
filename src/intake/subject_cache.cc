#include "intake/subject_cache.h"

#include <algorithm>

#include "base/log.h"
#include "store/record_rows.h"

namespace trialward::intake {

using base::Result;
using base::Status;

std::string SubjectCache::key(const ActiveStudy& study, std::string_view subject) {
  return std::to_string(study.row) + '/' + std::string(subject);
}

Result<CachedSubject*> SubjectCache::find(store::Connection& connection, const ActiveStudy& study,
                                          std::string_view subject) {
  std::string name = key(study, subject);
  if (const auto known = subjects_.find(name); known != subjects_.end()) {
    touched_.push_back(std::move(name));
    return &known->second;
  }
  auto row = store::find_subject(connection, study.row, subject);
  if (!row) return row.error();
  if (!*row) return static_cast<CachedSubject*>(nullptr);
  CachedSubject loaded{.row = std::move(**row)};
  if (auto done = load_watch(connection, study, loaded); !done) return done.error();
  touched_.push_back(name);
  return &subjects_.emplace(std::move(name), std::move(loaded)).first->second;
}

Result<CachedSubject*> SubjectCache::add(const ActiveStudy& study, std::string_view subject,
                                         store::SubjectRow row) {
  auto watch = study.monitor->open({});
  if (!watch) return watch.error();
  row.rules = study.monitor->hash();
  std::string name = key(study, subject);
  touched_.push_back(name);
  CachedSubject added{.row = std::move(row), .watch = std::move(*watch), .changed = true};
  return &subjects_.insert_or_assign(std::move(name), std::move(added)).first->second;
}

Status SubjectCache::load_watch(store::Connection& connection, const ActiveStudy& study,
                                CachedSubject& subject) {
  if (subject.row.rules == study.monitor->hash()) {
    auto opened = study.monitor->open(subject.row.watch);
    if (opened) {
      subject.watch = std::move(*opened);
      subject.row.watch.clear();
      return {};
    }
    base::log_warning("intake: a saved watch is damaged and is rebuilt: " +
                      opened.error().message);
  }
  auto opened = study.monitor->open({});
  if (!opened) return opened.error();
  subject.watch = std::move(*opened);
  subject.row.watch.clear();
  subject.row.rules = study.monitor->hash();
  subject.changed = true;

  std::vector<std::int64_t> ids;  // newest first
  for (std::int64_t id = subject.row.last_record; id != 0;) {
    ids.push_back(id);
    auto previous =
        connection.integer("SELECT coalesce(previous, 0) FROM records WHERE id = $1", {id});
    if (!previous) return previous.error();
    id = *previous;
  }
  for (const std::int64_t id : std::vector(ids.rbegin(), ids.rend())) {
    auto row = store::read_record(connection, id);
    if (!row) return row.error();
    if (!*row) continue;
    try {
      // What the rules say of the past raises nothing: these records were watched when they came.
      (void)subject.watch->observe((*row)->stored);
    } catch (const std::exception& error) {
      base::log_error("intake: a rule failed on record " + std::to_string(id) + ": " +
                      error.what());
    }
  }
  return {};
}

Status SubjectCache::save(store::Connection& connection) {
  std::sort(touched_.begin(), touched_.end());
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
  for (const std::string& name : touched_) {
    CachedSubject& subject = subjects_.at(name);
    if (!subject.changed) continue;
    subject.row.watch = subject.watch->save();
    auto written = store::put_subject_state(connection, subject.row);
    subject.row.watch.clear();
    if (!written) return written;
    subject.changed = false;
  }
  return {};
}

void SubjectCache::committed() {
  touched_.clear();
  if (subjects_.size() > subjects_max_) subjects_.clear();
}

void SubjectCache::rolled_back() {
  for (const std::string& name : touched_) subjects_.erase(name);
  touched_.clear();
}

}  // namespace trialward::intake
