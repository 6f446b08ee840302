// PatientSync: how one patient is brought in step, as a state machine without a network. Its owner
// makes the calls it asks for, one at a time, has written down what it wants written, and tells it
// what came of that; so a patient's calls and changes have one order, whoever drives it.
//
//   A version of the partner's that is known and what both agreed on: nothing is called.
//   Ours has changed:    PUT, if theirs is still the version that was agreed on (If-Match).
//   Theirs has changed:  GET, merge; what is accepted and what is refused is written down first;
//                        then PUT, if anything of ours is still to be said, on top of the version
//                        that was merged.
//   It is to be looked at: GET without the version that was agreed on, and merge, so that it is
//                        found, too, when the partner gives another thing under the same version.
//   Theirs changed meanwhile (412): again, up to kRoundsMax times.
//
// A PUT whose answer was lost is repeated; if it had been done the version does not match, and the
// GET finds that both are in step. So nothing is done twice, and at each moment that it may be cut
// off, the next cycle finds its way from what the store and the partner have.
//
// One thread. It borrows nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/outbound.h"
#include "schedule/merge.h"
#include "store/sync_rows.h"

namespace trialward::schedule {

inline constexpr int kRoundsMax = 3;
inline constexpr int kCallAttemptsMax = 4;  // of one call, failures of the partner's alone

// A subject's plan, as its owner has made it.
struct PatientPlan {
  std::vector<PlannedOccurrence> occurrences;  // by key
  std::int64_t check_after_ms = 0;             // until then it stays so if no record comes
};

struct PatientCall {
  std::string method;  // GET or PUT
  base::OutboundHeaders headers;
  std::string body;
};

class PatientSync {
 public:
  enum class Step : std::uint8_t {
    call,    // call() says what
    commit,  // changes() are to be written down
    ended,
  };
  struct Options {
    std::string study;
    // What is known of theirs without a call: the version that a list of changes named; empty:
    // nobody has looked, and so theirs may be another than was agreed on.
    std::string listed;
    bool unchanged = false;  // the list was read, and did not name it
    bool look = false;       // what it has is looked at, whatever is known of its version
    bool dry = false;        // it looks, and neither writes nor sends
    std::int64_t now_ms = 0, definition = 0;
  };

  PatientSync(store::SyncSubject subject, PatientPlan plan, Options options);

  Step step() const { return step_; }
  PatientCall call() const;
  // The answer to call(). False: it is to be repeated, after a pause.
  bool answer(const base::OutboundAnswer& answer);
  // What commit is about has been written down, or could not be.
  void committed(bool stored);
  // It ends as it is: nobody can be asked.
  void give_up(std::string_view why);

  const store::SyncSubject& subject() const { return subject_; }
  const std::vector<Accepted>& accepted() const { return accepted_; }
  const std::vector<Conflict>& conflicts() const { return conflicts_; }  // the first, and …
  std::int64_t conflict_count() const { return row_.conflicts; }         // … how many there are
  const std::string& theirs() const { return version_; }
  bool looks() const { return options_.look; }
  // It was found to have changed although the list said that it had not.
  bool unlisted() const { return unlisted_; }
  bool pushes() const { return pushed_ || (options_.dry && pushing_); }
  // Once it has ended: what is to be kept of the subject.
  const store::SyncRow& row() const { return row_; }
  store::SyncState state() const { return row_.state; }

 private:
  enum class Next : std::uint8_t { get, put, create };

  bool refused_for_good(const base::OutboundAnswer& answer);
  bool got(const base::OutboundAnswer& answer);
  bool put_answered(const base::OutboundAnswer& answer);
  bool failed(std::string why);
  void look_again();
  void push_or_end();
  void push(Next next);
  void in_step(std::string version);
  void out_of_step(std::string_view why);

  store::SyncSubject subject_;
  PatientPlan plan_;
  const Options options_;
  std::vector<Appointment> agreed_;
  std::string agreed_digest_;
  std::vector<Accepted> accepted_;
  std::vector<Conflict> conflicts_;
  store::SyncRow row_;
  std::string version_;  // theirs, that what is pushed is on top of
  Step step_ = Step::call;
  Next next_ = Next::get;
  bool push_needed_ = false, pushed_ = false, pushing_ = false, changed_ = false;
  bool answered_ = false, unlisted_ = false;
  int rounds_ = 0, attempts_ = 0;
};

// The value of a header of the answer; "" when there is none.
std::string_view header_of(const base::OutboundAnswer& answer, std::string_view name);

}  // namespace trialward::schedule
