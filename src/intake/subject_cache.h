// The subjects that the committing thread has at hand: their rows and their Watches. A cache over
// subject_states; what a transaction changed is written at its end by save(), or forgotten with it.
// One thread.
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
  store::SubjectRow row;  // row.watch is empty while `watch` holds it
  std::unique_ptr<model::Watch> watch;
  bool changed = false;
};

class SubjectCache {
 public:
  explicit SubjectCache(std::size_t subjects_max) : subjects_max_(subjects_max) {}

  // Null when the subject is not enrolled. Loads its Watch; one that was saved under other rules,
  // or cannot be read, is rebuilt from the subject's records.
  base::Result<CachedSubject*> find(store::Connection& connection, const ActiveStudy& study,
                                    std::string_view subject);
  // A subject that was enrolled in this transaction.
  base::Result<CachedSubject*> add(const ActiveStudy& study, std::string_view subject,
                                   store::SubjectRow row);

  // Writes what changed. Inside the transaction, at its end and before a savepoint.
  base::Status save(store::Connection& connection);
  // After a commit. Drops everything when it holds too many.
  void committed();
  // After a rollback, also one to a savepoint that was made right after save(): forgets what this
  // transaction touched, so that it is read again.
  void rolled_back();

  std::size_t size() const { return subjects_.size(); }

 private:
  static std::string key(const ActiveStudy& study, std::string_view subject);
  static base::Status load_watch(store::Connection& connection, const ActiveStudy& study,
                                 CachedSubject& subject);

  const std::size_t subjects_max_;
  std::unordered_map<std::string, CachedSubject> subjects_;
  std::vector<std::string> touched_;  // keys handed out in this transaction
};

}  // namespace trialward::intake
