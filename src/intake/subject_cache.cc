#include "intake/subject_cache.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <optional>

#include "base/heap_bytes.h"
#include "base/log.h"
#include "store/record_rows.h"

namespace trialward::intake {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

// What whoever loads a watch may have to read, which takes some 10 ms.
constexpr std::size_t kUnsavedMost = 1024;
// What other nodes have stored is read in such pages; if it is more than so much, whoever is at
// hand is forgotten instead.
constexpr std::size_t kForeignPage = 256;
constexpr std::size_t kPastPage = 64;  // of a subject's records: as many as a watch may lack
constexpr std::int64_t kForeignMost = 8192;

// What the rules say of the past raises nothing: the record was watched when it came.
void observe_past(model::Watch& watch, const model::StoredRecord& stored) {
  try {
    (void)watch.observe(stored);
  } catch (const std::bad_alloc&) {
    throw;  // else the watch would lack the record for good
  } catch (const std::exception& error) {
    base::log_error("intake: a rule failed on record " + std::to_string(stored.id) + ": " +
                    error.what());
  }
}

// Page by page, the oldest first.
Status observe_past(store::Connection& connection, model::Watch& watch,
                    const std::vector<std::int64_t>& newest_first) {
  for (std::size_t left = newest_first.size(); left > 0;) {
    const std::size_t page = std::min(left, kPastPage);
    left -= page;
    auto rows = store::read_chain(connection, newest_first[left], page);
    if (!rows) return rows.error();
    // Not by a view, which the fuzz build's Clang cannot compile.
    for (auto row = rows->rbegin(); row != rows->rend(); ++row) observe_past(watch, row->stored);
  }
  return {};
}

}  // namespace

CachedSubject* SubjectCache::touch(Entries::iterator entry) {
  if (entry->touched != moment_) {
    entry->touched = moment_;
    entries_.splice(entries_.begin(), entries_, entry);
  }
  return &entry->subject;
}

// Whole or not at all, should memory run out.
CachedSubject* SubjectCache::insert(std::int64_t study, std::string_view name,
                                    CachedSubject subject) {
  Entries made;
  made.push_back({.study = study, .name = std::string(name), .subject = std::move(subject)});
  const auto entry = made.begin();
  index_.emplace(KeyView{study, entry->name}, entry);
  entries_.splice(entries_.begin(), made);
  ++stats_.subjects;
  entry->touched = moment_;
  count(*entry);
  evict(begun_);
  return &entry->subject;
}

Result<CachedSubject*> SubjectCache::find(store::Connection& connection, const ActiveStudy& study,
                                          std::string_view subject) {
  if (const auto known = index_.find(KeyView{study.row, subject}); known != index_.end()) {
    return touch(known->second);
  }
  auto row = read_row(connection, study.row, subject);
  if (!row) return row.error();
  if (!*row) return static_cast<CachedSubject*>(nullptr);
  CachedSubject loaded{.row = std::move(**row)};
  if (auto done = load_watch(connection, study, loaded); !done) return done.error();
  if (study.monitor->waits()) {
    loaded.study = study.row;
    loaded.passed_ms = loaded.row.passed_ms;
    (void)loaded.watch->pass(loaded.passed_ms);  // it raised what it had to when it was passed
  }
  return insert(study.row, subject, std::move(loaded));
}

void SubjectCache::expect(const ActiveStudy& study, std::string_view subject) {
  if (index_.contains(KeyView{study.row, subject})) return;
  fetched_.try_emplace({study.row, std::string(subject)});
}

Status SubjectCache::prefetch(store::Connection& connection) {
  has_fetched_ = false;
  for (auto first = fetched_.begin(); first != fetched_.end();) {
    const std::int64_t study = first->first.first;
    std::vector<std::string_view> names;
    auto last = first;
    for (; last != fetched_.end() && last->first.first == study; ++last) {
      names.push_back(last->first.second);
    }
    auto found = store::find_subjects(connection, study, names);
    if (!found) return found.error();
    for (auto& [name, row] : *found) fetched_[{study, name}] = std::move(row);
    first = last;
  }
  has_fetched_ = true;
  return {};
}

Result<std::optional<store::SubjectRow>> SubjectCache::read_row(store::Connection& connection,
                                                                std::int64_t study,
                                                                std::string_view subject) {
  if (has_fetched_ && !fetched_.empty()) {
    const auto found = fetched_.find({study, std::string(subject)});
    if (found != fetched_.end()) {
      auto row = std::move(found->second);
      fetched_.erase(found);
      return row;
    }
  }
  return store::find_subject(connection, study, subject);
}

void SubjectCache::forget_fetched() {
  fetched_.clear();
  has_fetched_ = false;
}

Result<CachedSubject*> SubjectCache::add(const ActiveStudy& study, std::string_view subject,
                                         store::SubjectRow row) {
  auto watch = study.monitor->open({});
  if (!watch) return watch.error();
  row.rules = study.monitor->hash();
  TW_CHECK(!index_.contains(KeyView{study.row, subject}));
  return insert(study.row, subject,
                {.row = std::move(row),
                 .watch = std::move(*watch),
                 .study = study.monitor->waits() ? study.row : 0,
                 .changed = true,
                 .unsaved = options_.unsaved_max});
}

Status SubjectCache::load_watch(store::Connection& connection, const ActiveStudy& study,
                                CachedSubject& subject) const {
  const std::string saved = std::exchange(subject.row.watch, {});
  if (subject.row.as_of != 0 && subject.row.rules == study.monitor->hash()) {
    auto opened = study.monitor->open(saved);
    auto since = store::chain_ids(connection, subject.row.last_record, subject.row.as_of);
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
  auto all = store::chain_ids(connection, subject.row.last_record, 0);
  if (!all) return all.error();
  if (!*all) return Error{Errc::corrupt, "a subject's records have no end"};
  return observe_past(connection, *subject.watch, **all);
}

// In the order of ids: what is written does not depend on where things lie (P11).
Status SubjectCache::save(store::Connection& connection) {
  by_id_.clear();
  for (Entry& entry : entries_) {
    if (entry.touched < begun_) break;
    by_id_.push_back(&entry.subject);
  }
  std::sort(by_id_.begin(), by_id_.end(),
            [](const auto* a, const auto* b) { return a->row.id < b->row.id; });
  for (CachedSubject* subject : by_id_) {
    if (auto done = save_one(connection, *subject); !done) return done;
  }
  return {};
}

Status SubjectCache::save_one(store::Connection& connection, CachedSubject& subject) {
  if (auto done = save_due(connection, subject); !done) return done;
  if (!subject.changed) return {};
  if (auto done = store::put_last_record(connection, subject.row); !done) return done;
  subject.changed = false;
  const std::size_t of_bytes = subject.saved_bytes / options_.saved_bytes_of_one;
  const std::size_t due = std::max(options_.unsaved_max, std::min(of_bytes, kUnsavedMost));
  if (subject.unsaved < due) return {};
  subject.row.as_of = subject.row.last_record;
  subject.row.watch = subject.watch->save();
  auto written = store::put_watch(connection, subject.row);
  subject.saved_bytes = subject.row.watch.size();
  std::string().swap(subject.row.watch);  // its memory, too
  if (!written) return written;
  subject.unsaved = 0;
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
  for (Entry& entry : entries_) {
    if (entry.touched < begun_) break;
    count(entry);
  }
  const bool goes_on = next_ != 0;
  begun_ = goes_on ? std::exchange(next_, 0) : ++moment_;
  evict(begun_);
  if (!goes_on) forget_fetched();
}

Status SubjectCache::learn(store::Connection& connection, const store::Writer::Foreign& foreign) {
  if (entries_.empty()) return {};
  auto last = store::last_record(connection);
  if (!last) {
    clear();
    return last.error();
  }
  if (foreign.after_record == 0 || *last - foreign.after_record > kForeignMost) {
    clear();
    return {};
  }
  try {
    Status done = learn_records(connection, foreign.after_record);
    if (done) done = learn_passes(connection, foreign.after_pass);
    if (!done) clear();
    return done;
  } catch (...) {
    clear();
    throw;
  }
}

Status SubjectCache::learn_records(store::Connection& connection, std::int64_t after) {
  while (true) {
    auto page = store::read_records_after(connection, after, kForeignPage);
    if (!page) return page.error();
    for (const store::RecordRow& row : *page) {
      after = row.stored.id;
      const auto known = index_.find(KeyView{row.links.study, row.stored.record.subject});
      if (known == index_.end()) continue;
      CachedSubject& subject = known->second->subject;
      observe_past(*subject.watch, row.stored);
      subject.row.last_record = row.stored.id;
      subject.row.due = {};  // what is stored of it may be another by now
      ++subject.unsaved;
      count(*known->second);
    }
    if (page->size() < kForeignPage) return {};
  }
}

Status SubjectCache::learn_passes(store::Connection& connection, std::int64_t after) {
  auto passes = store::read_passes_after(connection, after, kForeignMost);
  if (!passes) return passes.error();
  if (std::ssize(*passes) == kForeignMost) {
    clear();
    return {};
  }
  for (const store::SubjectPass& pass : *passes) {
    const auto known = index_.find(KeyView{pass.study, pass.subject});
    if (known == index_.end() || known->second->subject.study == 0) continue;
    CachedSubject& subject = known->second->subject;
    (void)subject.watch->pass(pass.utc_ms);
    subject.passed_ms = std::max(subject.passed_ms, pass.utc_ms);
    subject.row.passed_ms = subject.passed_ms;
    subject.row.due = {};
    count(*known->second);
  }
  return {};
}

void SubjectCache::clear() {
  TW_CHECK(entries_.empty() || entries_.front().touched < begun_);
  index_.clear();
  entries_.clear();
  stats_.subjects = stats_.bytes = 0;
}

void SubjectCache::rolled_back() {
  forget_since(begun_);
  begun_ = ++moment_;
  next_ = 0;
  forget_fetched();
}

void SubjectCache::forget_since(std::uint64_t moment) {
  while (!entries_.empty() && entries_.front().touched >= moment) drop(entries_.begin());
}

void SubjectCache::evict(std::uint64_t before) {
  while (stats_.subjects > options_.subjects_max || stats_.bytes > options_.bytes_max) {
    if (entries_.empty() || entries_.back().touched >= before) return;
    drop(std::prev(entries_.end()));
    ++stats_.evicted;
  }
}

void SubjectCache::drop(Entries::iterator entry) {
  stats_.bytes -= entry->bytes;
  --stats_.subjects;
  index_.erase(KeyView{entry->study, entry->name});
  entries_.erase(entry);
}

void SubjectCache::count(Entry& entry) {
  constexpr std::size_t kNode = base::heap_bytes(sizeof(Entry) + 2 * sizeof(void*));
  constexpr std::size_t kIndexed =
      base::heap_bytes(sizeof(decltype(index_)::value_type) + 2 * sizeof(void*)) + sizeof(void*);
  const store::SubjectRow& row = entry.subject.row;
  std::size_t bytes = kNode + kIndexed + entry.subject.watch->bytes();
  bytes += base::heap_bytes(entry.name) + base::heap_bytes(row.site) +
           base::heap_bytes(row.rules) + base::heap_bytes(row.due.rules);
  stats_.bytes += bytes - entry.bytes;
  entry.bytes = bytes;
}

}  // namespace trialward::intake
