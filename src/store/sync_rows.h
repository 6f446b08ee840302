// The rows of schedule sync: what a partner has said of subjects' appointments (audited), and how
// far each subject is in step with it (work that may be lost: then it is looked up again).
//
//   appointments         a time within its window that the partner booked for an occurrence of an
//                        activity, took away (proposed) or cancelled; the newest of an occurrence
//                        counts. Refused: what could not be; it counts for nothing and is kept
//   schedule_sync        of a subject: the partner's version that both sides agreed on, what was
//                        agreed (a hash), and since when it is out of step
//   schedule_sync_marks  of a study: up to where the partner's changes were read, by its clock
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/writer.h"

namespace trialward::store {

enum class SyncState : std::uint8_t {
  unknown,      // never synced
  in_step,      // nothing was to be done
  changed,      // something was, and both sides have it
  conflicting,  // the partner had what could not be; ours was sent again
  unreachable,  // it could not be brought in step: `note` says why
};
inline constexpr std::size_t kSyncStates = 5;
std::string_view to_string(SyncState state);
std::optional<SyncState> parse_sync_state(std::string_view text);

struct SyncRow {
  std::string version;  // the partner's, that both agreed on; empty: none yet
  std::string seen;     // the partner's, of which everything is written down
  std::string digest;   // of what was agreed, and with whom
  // Nothing of ours can have changed as long as these are so, and this moment has not come.
  std::int64_t last_record = 0, definition = 0, check_after_ms = 0;
  SyncState state = SyncState::unknown;
  std::int64_t checked_ms = 0;                  // the last time; 0: never
  std::int64_t in_step_ms = 0;                  // when the partner was last seen to have the same
  std::int64_t out_since_ms = 0;                // 0: it is in step
  std::int64_t conflicts = 0;                   // in the last cycle
  std::int64_t alert = 0;                       // that says that it is out of step; 0: none
  std::string note;
  bool operator==(const SyncRow&) const = default;
};

struct AppointmentRow {
  std::string activity;
  std::int64_t number = 1, event = 0;
  std::string state;  // proposed, booked, cancelled, refused
  std::int64_t start_ms = 0, end_ms = 0;
  std::string partner, version;
  std::string note;  // why it was refused
};

// A subject with its row, whether or not it has one.
struct SyncSubject {
  std::int64_t id = 0;
  std::string subject, site;
  std::int64_t last_record = 0;
  SyncRow row;
};

// What one subject's sync comes to; stored as a whole.
struct SubjectSync {
  enum class Alarm : std::uint8_t { none, raise, end };
  std::int64_t id = 0;  // the subject's row
  std::string subject, site;
  SyncRow row;
  std::vector<AppointmentRow> appointments;
  Alarm alarm = Alarm::none;
  std::int64_t alert = 0;  // that ends
};

struct SyncMark {
  std::string partner;     // its name and place
  std::string seen_until;  // by the partner's clock; empty: nothing
  std::string cycle;       // what the last whole cycle came to, as JSON
};

base::Status append_appointment(Writer& writer, std::int64_t study, std::int64_t subject, int shard,
                                const AppointmentRow& row, const Act& act);
base::Status put_sync_row(Connection& connection, std::int64_t study, std::int64_t subject,
                          const SyncRow& row);
base::Status put_sync_mark(Connection& connection, std::int64_t study, const SyncMark& mark);

// The newest of each occurrence but for what was refused.
base::Result<std::vector<AppointmentRow>> read_appointments(Connection& connection,
                                                            std::int64_t subject);
// In the order in which they enrolled, with ids above `after`; of a site or a state, where given.
struct SyncPage {
  std::int64_t study = 0, after = 0;
  std::string site;
  std::optional<SyncState> state = std::nullopt;
  std::size_t limit = 200;
};
base::Result<std::vector<SyncSubject>> read_sync_subjects(Connection& connection,
                                                          const SyncPage& page);
// By SyncState; subjects without a row are unknown.
struct SyncCounts {
  std::array<std::int64_t, kSyncStates> states{};
  std::int64_t out_of_step = 0;
  std::int64_t oldest_out_ms = 0;  // 0: none is
};
// `site`: of this one; empty: of all.
base::Result<SyncCounts> count_sync(Connection& connection, std::int64_t study,
                                    std::string_view site);
// The rows of what was refused of a subject.
base::Result<std::int64_t> count_refused(Connection& connection, std::int64_t subject);
base::Result<SyncMark> read_sync_mark(Connection& connection, std::int64_t study);

// Whether an alert is of a rule and about a subject.
base::Result<bool> is_alert_of(Connection& connection, std::int64_t alert, std::int64_t subject,
                               std::string_view rule);
// The open alert of a rule about a subject that is about today; 0: there is none.
base::Result<std::int64_t> open_alert_of(Connection& connection, std::int64_t subject,
                                         std::string_view rule);

}  // namespace trialward::store
