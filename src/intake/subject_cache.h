// The subjects that the committing thread has at hand: their rows and their Watches. What a
// transaction changed is written at its end by save(), or forgotten with it.
//
// A Watch is a function of the subject's records. So it is saved with the first and then when it
// has seen so many more, not with each, which would be most of what is written; whoever loads it
// shows it those that came since. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "intake/submission.h"
#include "store/subject_rows.h"

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
  // Records that a saved watch may lack: so many, or one for so many bytes of it if that is more.
  // So a long one costs each record no more than a short one.
  std::size_t unsaved_max = 64;
  std::size_t saved_bytes_of_one = 32;
};

class SubjectCache {
 public:
  explicit SubjectCache(SubjectCacheOptions options) : options_(options) {}

  // Null when the subject is not enrolled. Loads its Watch; one that was saved under other rules,
  // or cannot be read, is built anew from the subject's records.
  base::Result<CachedSubject*> find(store::Connection& connection, const ActiveStudy& study,
                                    std::string_view subject);
  // A subject that was enrolled in this transaction.
  base::Result<CachedSubject*> add(const ActiveStudy& study, std::string_view subject,
                                   store::SubjectRow row);

  // Writes what changed. Inside the transaction, at its end and before a savepoint.
  base::Status save(store::Connection& connection);
  // After a commit. Drops some when it holds too many.
  void committed();
  // Drops all; outside a transaction.
  void clear();
  // After a rollback, also one to a savepoint that was made right after save(): forgets what this
  // transaction touched, so that it is read again.
  void rolled_back();

  std::size_t size() const { return subjects_.size(); }

 private:
  struct KeyView {
    std::int64_t study = 0;
    std::string_view subject;
    bool operator==(const KeyView&) const = default;
  };
  struct Key {
    std::int64_t study = 0;
    std::string subject;
    operator KeyView() const { return {study, subject}; }  // NOLINT: equal and hashed as one
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const {
      return std::hash<std::string_view>()(key.subject) + static_cast<std::size_t>(key.study);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const KeyView& a, const KeyView& b) const { return a == b; }
  };
  using Subjects = std::unordered_map<Key, CachedSubject, Hash, Equal>;

  // In the order of ids, each once: what is written does not depend on where things lie (P11).
  void sort_touched();
  CachedSubject* touch(Subjects::iterator subject);
  static base::Status save_due(store::Connection& connection, CachedSubject& subject);
  base::Status load_watch(store::Connection& connection, const ActiveStudy& study,
                          CachedSubject& subject) const;

  const SubjectCacheOptions options_;
  Subjects subjects_;
  std::vector<Subjects::value_type*> touched_;  // handed out in this transaction
};

}  // namespace trialward::intake
