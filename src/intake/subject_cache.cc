#include "intake/subject_cache.h"

#include <algorithm>
#include <new>
#include <optional>

#include "base/log.h"
#include "store/record_rows.h"

namespace trialward::intake {

using base::Result;
using base::Status;

namespace {

// What whoever loads a watch may have to read, which takes some 10 ms.
constexpr std::size_t kUnsavedMost = 1024;

// The subject's records after `as_of`, newest first, by their links; nothing when `as_of` is none
// of them.
Result<std::optional<std::vector<std::int64_t>>> records_since(store::Connection& connection,
                                                               std::int64_t last_record,
                                                               std::int64_t as_of) {
  std::vector<std::int64_t> ids;
  std::int64_t id = last_record;
  while (id > as_of) {
    ids.push_back(id);
    auto previous =
        connection.integer("SELECT coalesce(previous, 0) FROM records WHERE id = $1", {id});
    if (!previous) return previous.error();
    id = *previous;
  }
  if (id != as_of) return std::optional<std::vector<std::int64_t>>();
  return std::optional(std::move(ids));
}

// What the rules say of the past raises nothing: these records were watched when they came.
Status observe_past(store::Connection& connection, model::Watch& watch,
                    const std::vector<std::int64_t>& newest_first) {
  // Not by a view, which the fuzz build's Clang cannot compile.
  for (auto id = newest_first.rbegin(); id != newest_first.rend(); ++id) {
    auto row = store::read_record(connection, *id);
    if (!row) return row.error();
    if (!*row) continue;
    try {
      (void)watch.observe((*row)->stored);
    } catch (const std::bad_alloc&) {
      throw;  // else the watch would lack the record for good
    } catch (const std::exception& error) {
      base::log_error("intake: a rule failed on record " + std::to_string(*id) + ": " +
                      error.what());
    }
  }
  return {};
}

}  // namespace

CachedSubject* SubjectCache::touch(Subjects::iterator subject) {
  touched_.push_back(&*subject);
  return &subject->second;
}

Result<CachedSubject*> SubjectCache::find(store::Connection& connection, const ActiveStudy& study,
                                          std::string_view subject) {
  if (const auto known = subjects_.find(KeyView{study.row, subject}); known != subjects_.end()) {
    return touch(known);
  }
  auto row = store::find_subject(connection, study.row, subject);
  if (!row) return row.error();
  if (!*row) return static_cast<CachedSubject*>(nullptr);
  CachedSubject loaded{.row = std::move(**row)};
  if (auto done = load_watch(connection, study, loaded); !done) return done.error();
  if (study.monitor->waits()) {
    loaded.study = study.row;
    loaded.passed_ms = loaded.row.passed_ms;
    (void)loaded.watch->pass(loaded.passed_ms);  // it raised what it had to when it was passed
  }
  return touch(subjects_.emplace(Key{study.row, std::string(subject)}, std::move(loaded)).first);
}

Result<CachedSubject*> SubjectCache::add(const ActiveStudy& study, std::string_view subject,
                                         store::SubjectRow row) {
  auto watch = study.monitor->open({});
  if (!watch) return watch.error();
  row.rules = study.monitor->hash();
  CachedSubject added{.row = std::move(row),
                      .watch = std::move(*watch),
                      .study = study.monitor->waits() ? study.row : 0,
                      .changed = true,
                      .unsaved = options_.unsaved_max};
  return touch(
      subjects_.insert_or_assign(Key{study.row, std::string(subject)}, std::move(added)).first);
}

Status SubjectCache::load_watch(store::Connection& connection, const ActiveStudy& study,
                                CachedSubject& subject) const {
  const std::string saved = std::exchange(subject.row.watch, {});
  if (subject.row.as_of != 0 && subject.row.rules == study.monitor->hash()) {
    auto opened = study.monitor->open(saved);
    auto since = records_since(connection, subject.row.last_record, subject.row.as_of);
    if (!since) return since.error();
    if (opened && *since) {
      subject.watch = std::move(*opened);
      subject.unsaved = (*since)->size();
      subject.saved_bytes = saved.size();
      return observe_past(connection, *subject.watch, **since);
    }
    base::log_warning("intake: a saved watch is damaged and is built anew: " +
                      (opened ? "it is of another subject" : opened.error().message));
  }
  auto opened = study.monitor->open({});
  if (!opened) return opened.error();
  subject.watch = std::move(*opened);
  subject.row.rules = study.monitor->hash();
  subject.unsaved = options_.unsaved_max;  // saved with the next record
  auto all = records_since(connection, subject.row.last_record, 0);
  if (!all) return all.error();
  return observe_past(connection, *subject.watch, **all);
}

void SubjectCache::sort_touched() {
  std::sort(touched_.begin(), touched_.end(), [](const auto* a, const auto* b) {
    return a->second.row.id < b->second.row.id;
  });
  touched_.erase(std::unique(touched_.begin(), touched_.end()), touched_.end());
}

Status SubjectCache::save(store::Connection& connection) {
  sort_touched();
  for (Subjects::value_type* touched : touched_) {
    CachedSubject& subject = touched->second;
    if (auto done = save_due(connection, subject); !done) return done;
    if (!subject.changed) continue;
    if (auto done = store::put_last_record(connection, subject.row); !done) return done;
    subject.changed = false;
    const std::size_t of_bytes = subject.saved_bytes / options_.saved_bytes_of_one;
    const std::size_t due = std::max(options_.unsaved_max, std::min(of_bytes, kUnsavedMost));
    if (subject.unsaved < due) continue;
    subject.row.as_of = subject.row.last_record;
    subject.row.watch = subject.watch->save();
    auto written = store::put_watch(connection, subject.row);
    subject.saved_bytes = subject.row.watch.size();
    subject.row.watch.clear();
    if (!written) return written;
    subject.unsaved = 0;
  }
  return {};
}

Status SubjectCache::save_due(store::Connection& connection, CachedSubject& subject) {
  if (subject.study == 0) return {};
  store::SubjectDue due{.rules = subject.row.rules, .due_ms = subject.watch->due_ms()};
  if (due == subject.row.due) return {};
  subject.row.due = std::move(due);
  return store::put_due(connection, subject.study, subject.row);
}

void SubjectCache::committed() {
  touched_.clear();
  if (subjects_.size() <= options_.subjects_max) return;
  // Some at a time, so that not all have to be read again at once.
  const std::size_t left = options_.subjects_max - options_.subjects_max / 8;
  while (subjects_.size() > left) subjects_.erase(subjects_.begin());
}

void SubjectCache::clear() {
  TW_CHECK(touched_.empty());
  subjects_.clear();
}

void SubjectCache::rolled_back() {
  sort_touched();
  for (const Subjects::value_type* touched : touched_) {
    subjects_.erase(subjects_.find(KeyView(touched->first)));
  }
  touched_.clear();
}

}  // namespace trialward::intake
