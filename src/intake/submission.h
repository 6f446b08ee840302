// What travels through the intake queue: an atomic list of commands, and what became of it.
// Plain values; whoever holds one owns it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/sha256.h"
#include "model/alert.h"
#include "model/fault.h"
#include "model/record.h"
#include "model/study.h"
#include "model/watch.h"
#include "store/outbox_rows.h"
#include "store/subscription_rows.h"
#include "store/sync_rows.h"
#include "store/token_rows.h"

namespace trialward::intake {

// A study as the running server uses it. Shared: submissions on their way hold the definition
// that they were checked against.
struct ActiveStudy {
  std::shared_ptr<const model::Study> study;
  std::shared_ptr<const model::Monitor> monitor;
  std::int64_t row = 0;
  std::int64_t definition = 0;
};

// Where a record's original refers to another record of its submission, whose id is known only once
// that is stored: what stands there, `size` bytes, gives way to "TYPE/ID".
struct OriginalLink {
  std::size_t at = 0, size = 0;
  std::size_t command = 0;  // which of the submission's it refers to
  std::string type;
};

// Stores a record; one with `amends` corrects another.
struct AppendRecord {
  model::Record record;   // has passed model::check_form
  std::uint16_t flags = 0;  // as check_record gave them; with kHistorical when it is of the past
  base::Digest content{};  // SHA-256 of model::canonical_content(record)
  // What check_record says today: it is refused with these, unless it repeats what is stored.
  model::Faults faults = {};
  // It belongs to the record before it that is no part, and is stored if that is: where that one
  // was there already, so was all that belongs to it.
  bool part = false;
  // What has its source and source_id already is the answer, whatever its content.
  bool if_none_exist = false;
  // The source id that it gets when its own is taken by other content; its parts then have theirs.
  // Empty: it is refused.
  std::string otherwise = {};
  bool renamed = false;  // that was so
  // In the order of their places. The original is of no account for `content`: whatever ids come
  // out, it is the same record.
  std::vector<OriginalLink> links = {};
};

// Takes the record apart from what the commit need not do: checks it and hashes its content.
// Pure; for the thread that decodes. `command` is ready when there is no fault; and so it is, with
// the faults in it, when an earlier definition, or version, may have taken the record.
model::Faults prepare(const ActiveStudy& study, model::Record record, std::int64_t now_ms,
                      AppendRecord& command);

// Takes an alert on. `values` is what its sender was shown and has read back (store/read_back.h).
struct AcknowledgeAlert {
  std::int64_t alert = 0;
  std::string note;
  std::vector<model::ReadBack> values = {};  // of each the record, value and unit
};

// Whatever else people do with an alert: `assessed`, `closed`, `reopened`, `merged`.
struct ChangeAlert {
  std::int64_t alert = 0;
  model::AlertEventType type = model::AlertEventType::closed;
  std::string note;
  model::AlertDetail detail = {};  // assessment or duplicate_of, as the type needs
};

// Tells the next tier of an alert, or of the storm that it leads, that nobody has acknowledged.
// A conflict when `told` is no longer the tier that was told last, or its time is not over.
struct EscalateAlert {
  std::int64_t alert = 0;
  bool storm = false;
  int told = 0;
};

// The time has passed for a subject: what was expected until then and has not come raises alerts.
struct PassTime {
  std::string subject;
  std::int64_t utc_ms = 0;
};

struct CreateToken {
  store::TokenRow token;
  // Else a name that a token of the study has, or had, is a conflict: who did what is told by it.
  bool name_may_recur = false;
};

struct RevokeToken {
  std::int64_t token = 0;
};

// What attempts to deliver alert events came to; many travel together, of several studies.
struct RecordAttempts {
  std::vector<store::DeliveryAttempt> attempts;
  // Whose alerts become delivered ones.
  std::vector<std::shared_ptr<const ActiveStudy>> studies = {};
};

// A person resends or discards a delivery, and says why.
struct ChangeDelivery {
  std::int64_t delivery = 0;
  store::DeliveryChange change = store::DeliveryChange::resend;
  std::string reason;
};

// Takes away what was delivered or discarded before a time, up to a number of rows.
struct PruneDeliveries {
  std::int64_t before_ms = 0;
  std::int64_t limit = 0;
};

// Another system subscribes to the study's alerts, has its subscription changed, or ends it.
struct WriteSubscription {
  enum class Deed : std::uint8_t { create, amend, remove } deed = Deed::create;
  store::Subscription subscription;  // its study is the submission's
  std::int64_t before = 0;           // the version that is amended; 0: any
};

// How far subscriptions are, of several studies.
struct MoveSubscriptions {
  std::vector<store::SubscriptionMove> moves;
};

// What a partner says of subjects' schedules, and how far they are in step with it; of one study.
struct SyncSubjects {
  std::vector<store::SubjectSync> subjects;
  std::optional<store::SyncMark> mark = std::nullopt;
};

// What one subject's schedule has to tell: what is late or missed, and what is so no longer. An
// occurrence that has its alert already gets no other.
struct SignalSchedule {
  struct Signal {
    model::RuleInfo rule;
    std::string group;        // the occurrence
    std::string note;         // what people should read of it
    std::int64_t due_ms = 0;  // since when it is late or missed
    bool holds = true;        // false: its alert holds no longer
  };
  std::int64_t id = 0;  // the subject's row
  std::string subject, site;
  // What was known of the subject; when a record of these kinds has come since, all this is passed
  // over.
  std::int64_t last_record = 0;
  std::array<bool, model::kKinds> kinds = {};
  std::vector<Signal> signals = {};
};

// What the committing thread keeps in memory and can read again shall go.
struct DropCaches {};

using Command = std::variant<AppendRecord, AcknowledgeAlert, ChangeAlert, EscalateAlert, PassTime,
                             CreateToken, RevokeToken, RecordAttempts, ChangeDelivery,
                             PruneDeliveries, WriteSubscription, MoveSubscriptions, SyncSubjects,
                             SignalSchedule, DropCaches>;

struct Submission {
  // None: only for what is of no study (RevokeToken, RecordAttempts, PruneDeliveries,
  // MoveSubscriptions, DropCaches).
  std::shared_ptr<const ActiveStudy> study;
  std::string actor;                         // whose token brought it
  std::int64_t received_ms = 0;              // server time
  base::TimePoint received{};                // the same moment, for latencies
  std::string site;                          // the only site that the actor may touch; empty: any
  std::string source;       // the only one whose records the actor may correct; empty: any
  bool unblinded = true;    // the actor may be told what a blinded record holds
  std::vector<Command> commands;
};

enum class Verdict {
  stored,       // every command is done and durable
  invalid,      // `faults` say why
  conflict,     // the source id has other content, or what it changes has changed already
  not_found,    // what it changes does not exist
  forbidden,    // it is of a site that the actor may not touch
  expired,      // its deadline passed before its turn came
  cancelled,    // the server stopped first
  poison,       // the store cannot take it; it was set aside
  unavailable,  // the store cannot be written; nothing is known to be stored
};
inline constexpr std::size_t kVerdicts = 9;
std::string_view to_string(Verdict verdict);

struct CommandResult {
  // Of the record, alert, token, delivery or subscription; rows pruned; 0 of a part that was not
  // stored anew.
  std::int64_t id = 0;
  bool repeated = false;             // the record was there before, with the same content
  std::vector<std::int64_t> alerts;  // that the record is a cause of
  int raised = 0;                    // how many of them it opened
  std::int64_t version = 0;          // that a subscription has now
  std::uint16_t flags = 0;            // the record's
};

struct SubmissionResult {
  Verdict verdict = Verdict::stored;
  std::vector<CommandResult> results;  // when stored: one a command
  bool other_content = false;  // a conflict: its source id is taken by another content
  // Otherwise: what is wrong. With several commands a path begins with the command's index. None
  // when there was no memory to say it.
  model::Faults faults;

  static SubmissionResult stored(CommandResult result) {
    SubmissionResult all;
    all.results.push_back(std::move(result));
    return all;
  }
  static SubmissionResult refused(Verdict verdict, std::string reason, std::string path = {}) {
    return {.verdict = verdict, .faults = {{std::move(path), std::move(reason)}}};
  }
  // Never throws: where memory is short, without the reason.
  static SubmissionResult refused_anyhow(Verdict verdict, std::string_view reason,
                                         std::string_view more = {}) noexcept;
};

// What the store says of a command's content (not_found, conflict) becomes the sender's answer; the
// rest is an error.
base::Result<SubmissionResult> refusal_of(const base::Error& error);

// An alert event that is durable, on its way to live subscribers.
struct Publication {
  std::shared_ptr<const ActiveStudy> study;
  model::AlertEvent event;
  base::TimePoint received{};  // of the submission that caused it
};

}  // namespace trialward::intake
