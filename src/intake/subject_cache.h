// The subjects that the committing thread has at hand: their rows and their Watches. What a
// transaction changed is written at its end by save(), or forgotten with it.
//
// A Watch is a function of the subject's records. So it is saved with the first and then when it
// has seen so many more, not with each, which would be most of what is written; whoever loads it
// shows it those that came since.
//
// It is bounded in subjects and in bytes. Where room is needed, who was touched longest ago goes;
// never, within a transaction, who was touched by it. So a transaction may go beyond the bounds by
// what it touches itself, until it has ended. One thread.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "intake/submission.h"
#include "store/subject_rows.h"
#include "store/writer.h"

namespace trialward::intake {

struct CachedSubject {
  // To be called for each record of the subject that is stored.
  void stored(std::int64_t record) {
    row.last_record = record;
    changed = true;
    ++unsaved;
  }

  store::SubjectRow row;  // row.watch is empty while `watch` holds it
  std::unique_ptr<model::Watch> watch;
  std::int64_t study = 0;    // its row; 0: no rule waits for anything
  std::int64_t passed_ms = 0;  // the instant that `watch` knows has passed
  bool changed = false;      // since the last save()
  std::size_t unsaved = 0;   // records that `watch` has seen since it was saved
  std::size_t saved_bytes = 0;  // of `watch`, when it was saved
};

struct SubjectCacheOptions {
  std::size_t subjects_max = 100'000;
  // Of memory, about. A thousand subjects with four codes that rules compare, of each as much as is
  // remembered, take some 35 MiB.
  std::size_t bytes_max = 128 << 20;
  // Records that a saved watch may lack: so many, or one for so many bytes of it if that is more.
  // So a long one costs each record no more than a short one.
  std::size_t unsaved_max = 64;
  std::size_t saved_bytes_of_one = 32;
};

class SubjectCache {
 public:
  struct Stats {
    std::size_t subjects = 0;
    std::size_t bytes = 0;       // what they take of memory, about
    std::uint64_t evicted = 0;   // that had to go for others, so far
  };

  explicit SubjectCache(SubjectCacheOptions options) : options_(options) {}

  // Null when the subject is not enrolled. Loads its Watch; one that was saved under other rules,
  // or cannot be read, is built anew from the subject's records. Good until the part or transaction
  // ends.
  base::Result<CachedSubject*> find(store::Connection& connection, const ActiveStudy& study,
                                    std::string_view subject);
  // Has the row of a subject, if it is not at hand, read by the next prefetch(), which asks for
  // all of them at once. What it found is good until the transaction ends.
  void expect(const ActiveStudy& study, std::string_view subject);
  base::Status prefetch(store::Connection& connection);
  bool expects() const { return !fetched_.empty(); }
  // A subject that was enrolled in this transaction.
  base::Result<CachedSubject*> add(const ActiveStudy& study, std::string_view subject,
                                   store::SubjectRow row);

  // Writes what changed. Inside the transaction, at its end and before a savepoint.
  base::Status save(store::Connection& connection);
  // After a commit. Drops some when it holds too many.
  void committed();
  // A COMMIT was sent, and the next transaction begins before its end is known. Then committed()
  // is about the first of them, and rolled_back() about both.
  void sent() { next_ = ++moment_; }
  // Shows those at hand what other nodes have stored of them; at a transaction's begin.
  base::Status learn(store::Connection& connection, const store::Writer::Foreign& foreign);
  // Drops all; outside a transaction, or before one has touched any.
  void clear();
  // After a rollback: forgets what this transaction touched, so that it is read again.
  void rolled_back();
  // A savepoint was made, right after save().
  void begin_part() { ++moment_; }
  // After a rollback to the last savepoint: forgets what was touched since.
  void rolled_back_part() {
    forget_since(moment_);
    forget_fetched();
  }

  const Stats& stats() const { return stats_; }

 private:
  struct KeyView {
    std::int64_t study = 0;
    std::string_view subject;
    bool operator==(const KeyView&) const = default;
  };
  struct Hash {
    std::size_t operator()(const KeyView& key) const {
      return std::hash<std::string_view>()(key.subject) + static_cast<std::size_t>(key.study);
    }
  };
  struct Entry {
    std::int64_t study = 0;
    std::string name;
    CachedSubject subject;
    std::uint64_t touched = 0;  // the moment in which it was last
    std::size_t bytes = 0;      // as they are in stats_.bytes
  };
  using Entries = std::list<Entry>;

  base::Status learn_records(store::Connection& connection, std::int64_t after);
  base::Status learn_passes(store::Connection& connection, std::int64_t after);
  CachedSubject* insert(std::int64_t study, std::string_view name, CachedSubject subject);
  CachedSubject* touch(Entries::iterator entry);
  void count(Entry& entry);
  void drop(Entries::iterator entry);
  void forget_since(std::uint64_t moment);
  base::Result<std::optional<store::SubjectRow>> read_row(store::Connection& connection,
                                                          std::int64_t study,
                                                          std::string_view subject);
  void forget_fetched();
  // Drops who was touched before a moment, for as long as it holds too many.
  void evict(std::uint64_t before);
  static base::Status save_due(store::Connection& connection, CachedSubject& subject);
  base::Status save_one(store::Connection& connection, CachedSubject& subject);
  base::Status load_watch(store::Connection& connection, const ActiveStudy& study,
                          CachedSubject& subject) const;

  const SubjectCacheOptions options_;
  // Moments are numbered, from begin to savepoint to commit. Entries are in the order of theirs,
  // the latest first: what the transaction touched comes before all others.
  std::uint64_t moment_ = 1;
  std::uint64_t begun_ = 1;  // the transaction's first
  std::uint64_t next_ = 0;   // that of the one behind it, if there is one
  Entries entries_;
  std::unordered_map<KeyView, Entries::iterator, Hash> index_;  // its keys view the entries' names
  std::vector<CachedSubject*> by_id_;  // save()'s own
  // Study and name of those to prefetch, and what was found of them.
  std::map<std::pair<std::int64_t, std::string>, std::optional<store::SubjectRow>> fetched_;
  bool has_fetched_ = false;
  Stats stats_;
};

}  // namespace trialward::intake
