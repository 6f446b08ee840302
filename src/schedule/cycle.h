// Cycle: brings all subjects of a study in step with the partner, once. It reads what has changed
// there (a page lists hundreds), walks through the study's subjects, and makes calls only for those
// for whom there is something to do: at most so many at once, and for each subject one after the
// other. Nothing it does has a thread or a socket of its own: it waits for answers on the thread
// that calls run(), and when run() returns, for whatever reason, no call of it is out. What the
// store was given and has not done by then, it does; a cycle that is stopped waits for that for
// kStoreWait and no longer.
//
//   - A call that fails is repeated after a pause, as the partner's budget has it. A partner that
//     fails altogether (its breaker is open) is waited for as long as its patience, and then the
//     cycle goes on without it: who needs it is out of step.
//   - If the list of changes cannot be had, each subject is asked for by itself.
//   - The list is believed for a day at most: a subject that the partner was not seen to have in
//     step since kLookAfter is looked at in one of the cycles of the kLookWithin after that, each
//     in its turn, whatever the list and the versions say.
//   - What the partner changed is stored before anything is sent on top of it. The rest of a
//     subject's row is stored with others', dozens in one transaction.
//   - Each row says of which partner it is, by its name and URL. What is of another one counts for
//     nothing, so that a study may change its partner, be interrupted in that, and change back.
//   - Memory: the subjects at hand (kJobsPerCall for each call), a page of rows, and of each
//     changed CarePlan its id and version.
//
// One thread; the outbound's and the ledger's only put onto the desk.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/outbound.h"
#include "base/random.h"
#include "base/sha256.h"
#include "runtime/backoff.h"
#include "runtime/cancel.h"
#include "runtime/remote.h"
#include "schedule/partner.h"
#include "schedule/patient_sync.h"

namespace trialward::schedule {

inline constexpr std::size_t kJobsPerCall = 4;  // subjects at hand, of which one has a call out
inline constexpr base::Duration kIdle = std::chrono::seconds(1);  // it looks again, undisturbed
inline constexpr base::Duration kNoRoom = std::chrono::milliseconds(50);  // until it asks again
inline constexpr std::size_t kListedMax = 1'000'000;
inline constexpr std::size_t kListPageCount = 500;
inline constexpr int kPagesMax = 10'000;  // of a list
inline constexpr std::size_t kLinkCharsMax = 4'096;
inline constexpr base::Duration kListTime = std::chrono::minutes(10);  // of all pages together
inline constexpr base::Duration kStoreWait = std::chrono::milliseconds(500);
inline constexpr base::Duration kLookAfter = std::chrono::hours(18);
inline constexpr base::Duration kLookWithin = std::chrono::hours(6);
inline constexpr int kRefusedOfCycle = 10'000;  // rows of what was refused; the rest is counted
// What a dry run lists; the rest is counted.
inline constexpr std::size_t kDifferencesMax = 1'000;  // subjects
inline constexpr std::size_t kDifferencesBytesMax = 1 << 20;
inline constexpr std::size_t kAcceptedListed = 100;  // of a subject

struct CycleOptions {
  std::string study;  // its id
  std::int64_t study_row = 0, definition = 0;
  std::int64_t out_of_step_max_ms = 0;  // then there is an alert; 0: never
  bool dry = false;
  bool list_whole = false;  // all CarePlans are listed, not what has changed since the last time
  std::int64_t number = 0;  // of the cycle: whose turn it is to be looked at
  std::function<bool()> on_duty;  // false: it ends. Null: always
  runtime::BackoffOptions pause{std::chrono::milliseconds(100), std::chrono::seconds(5)};
  base::Duration list_time = kListTime;
  std::size_t subjects_of_page = 200;
  std::size_t rows_of_commit = 64;
};

struct CycleReport {
  bool dry = false, whole = false, listed = false;
  bool listed_whole = false;  // the list had all, so whoever is not in it is not there
  bool unlisted = false;      // a CarePlan had changed that no list had named
  std::int64_t started_ms = 0, ended_ms = 0;
  std::int64_t subjects = 0;
  std::array<std::int64_t, store::kSyncStates> states{};
  std::int64_t calls = 0, failed_calls = 0, repeated = 0;
  std::int64_t listed_changes = 0, strangers = 0;  // CarePlans of nobody in the study
  std::int64_t looked = 0;  // at subjects whose turn it was
  std::int64_t pushed = 0, accepted = 0, conflicts = 0;
  std::string error;
  std::vector<std::string> differences;  // of a dry run: JSON objects
  std::int64_t differences_left_out = 0;
};
std::string to_json(const CycleReport& report);

class Cycle {
 public:
  struct Parts {
    base::Outbound& outbound;
    Ledger& ledger;
    Planner& planner;
    store::Connection& reader;
    runtime::Remote& remote;
    const base::Clock& clock;
    base::Random& random;
  };
  Cycle(Parts parts, const Partner& partner, CycleOptions options);

  // What was done, also when it ended early: then report.error says why.
  CycleReport run(const runtime::Cancel& cancel);
  // While it runs; any thread.
  CycleReport progress() const;

 private:
  struct Job {
    explicit Job(PatientSync its_sync, runtime::Backoff its_pause)
        : sync(std::move(its_sync)), pause(its_pause) {}
    PatientSync sync;
    runtime::Backoff pause;
    runtime::Breaker::Call permit;
    base::Outbound::Id call = 0;
    enum class State : std::uint8_t { ready, out, committing } state = State::ready;
    base::TimePoint due{};
    bool repeats = false;
  };
  using JobId = std::int64_t;
  using Due = std::set<std::pair<base::TimePoint, JobId>>;
  struct Inbox {
    std::vector<std::pair<JobId, base::OutboundAnswer>> answers;  // 0: of the list
    std::vector<std::pair<JobId, bool>> committed;                // 0: of rows
  };
  // Where others put what has come. Shared with them: a store may answer after the cycle's end.
  struct Desk {
    std::mutex mutex;  // guards all
    std::condition_variable changed;
    Inbox inbox;
    std::size_t calls_out = 0, commits_out = 0;  // an answer is still to come
  };

  // Whether the partner took the call as it should, whatever it said of it.
  static bool is_well(const base::OutboundAnswer& answer);
  void settle(runtime::Breaker::Call& permit, const base::OutboundAnswer& answer);
  bool stopped() const;
  void pull();
  std::string list_url() const;
  bool take_page(const base::OutboundAnswer& answer, std::string& url);
  void work();
  bool take_inbox();
  std::optional<base::OutboundAnswer> call_and_wait(base::OutboundRequest request);
  void take_answer(JobId id, Job& job, const base::OutboundAnswer& answer);
  void make_ready(JobId id, Job& job, base::TimePoint due);
  void move_on(JobId id, Job& job);
  void commit_said(JobId id, Job& job);
  void finish(Job& job);
  void keep(const store::SyncSubject& subject, store::SyncRow row);
  bool fill();
  bool read_page();
  void fail(std::string why);
  void count_strangers();
  void begin(store::SyncSubject subject);
  void take_place_off(store::SyncRow& row) const;
  void begin_calls();
  bool send(JobId id, Job& job);
  bool is_quiet(const store::SyncSubject& subject, const std::string& listed) const;
  bool is_turn_of(const store::SyncSubject& subject) const;
  void save_rows(bool all);
  void save_mark();
  bool store_now(std::vector<store::SubjectSync> subjects, std::optional<store::SyncMark> mark,
                 JobId id);
  void wait(base::TimePoint until);
  void take_back();
  bool await_commits();
  void look_at_partner();
  base::OutboundRequest request_to(std::string url) const;
  base::Result<base::Outbound::Id> begin_call(base::OutboundRequest request, JobId id);
  void note_difference(const PatientSync& sync);

  const Parts parts_;
  const Partner& partner_;
  const CycleOptions options_;
  const std::string base_url_;
  const std::string place_;  // which partner, and where: what is kept of another says nothing
  const runtime::Cancel* cancel_ = nullptr;
  std::unordered_map<std::string, std::string> listed_;  // id → version
  // By the partner's clock: up to where it was read before, the newest that is listed now, and what
  // the clock said when the list was begun.
  std::optional<std::int64_t> seen_until_ms_, newest_listed_ms_, partner_now_ms_;
  bool list_whole_ = false;
  std::set<base::Digest> links_;  // that were followed, by their hashes
  base::TimePoint next_page_{};
  std::map<JobId, Job> jobs_;
  Due first_, again_;  // those that wait: for their first attempt, and for a repetition
  std::vector<store::SyncSubject> page_;  // read and not begun, the next one last
  std::vector<store::SubjectSync> rows_;  // to be stored
  std::vector<store::SubjectSync> storing_;
  std::int64_t after_ = 0;
  bool walked_ = false;  // all subjects are begun
  bool down_ = false;    // the partner was waited for in vain
  std::optional<base::TimePoint> silent_since_;  // the partner may not be called
  base::TimePoint next_save_{}, wake_{};
  JobId next_job_ = 1;
  int saves_failed_ = 0, refused_ = 0;
  std::size_t difference_bytes_ = 0;

  const std::shared_ptr<Desk> desk_ = std::make_shared<Desk>();
  mutable std::mutex mutex_;
  CycleReport report_;  // written by the thread alone, with mutex_
};

}  // namespace trialward::schedule
