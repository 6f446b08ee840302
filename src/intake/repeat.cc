#include "intake/repeat.h"

#include "store/alert_causes.h"
#include "store/alert_rows.h"
#include "store/record_rows.h"

namespace trialward::intake {

using base::Result;
using model::Record;
using model::StoredRecord;

namespace {

Result<SubmissionResult> repeat(store::Connection& connection, const Submission& submission,
                                const store::KnownRecord& known, const AppendRecord& command) {
  if (!submission.site.empty() || !submission.unblinded) {
    auto row = store::read_record(connection, known.id);
    if (!row) return row.error();
    const StoredRecord& stored = row->value().stored;  // a key that is known has a row
    if (!submission.site.empty() && stored.record.site != submission.site) {
      return SubmissionResult::refused(
          Verdict::forbidden, "this source and source_id are of another site", "/source_id");
    }
    // Whether the content is the same would tell it to whoever tries each arm.
    if (!submission.unblinded && stored.actor != submission.actor &&
        model::tells_treatment(stored.record)) {
      return SubmissionResult::refused(
          Verdict::conflict, "this source and source_id are taken by a blinded record",
          "/source_id");
    }
  }
  if (known.content != command.content && !command.if_none_exist) {
    auto refusal = SubmissionResult::refused(
        Verdict::conflict,
        "record " + std::to_string(known.id) + " has this source and source_id with other content",
        "/source_id");
    refusal.other_content = true;
    return refusal;
  }
  auto alerts = store::alerts_of_record(connection, known.id);
  if (!alerts) return alerts.error();
  return SubmissionResult::stored({.id = known.id,
                                   .repeated = true,
                                   .alerts = std::move(*alerts),
                                   .flags = command.flags});
}

}  // namespace

Result<std::optional<SubmissionResult>> repeat_if_known(store::Connection& connection,
                                                         store::KnownRecords& records,
                                                         const Submission& submission,
                                                         const AppendRecord& command) {
  const Record& record = command.record;
  auto known =
      records.find(connection, {submission.study->row, record.source, record.source_id});
  if (!known) return known.error();
  if (!*known) return std::optional<SubmissionResult>();
  auto repeated = repeat(connection, submission, **known, command);
  if (!repeated) return repeated.error();
  return std::optional(std::move(*repeated));
}

// What was taken under another definition, or by another version, has its first answer again;
// whoever is refused learns nothing but what is wrong with the record.
Result<SubmissionResult> repeat_or_refuse(store::Connection& connection,
                                          store::KnownRecords& records,
                                          const Submission& submission,
                                          const AppendRecord& command) {
  auto repeated = repeat_if_known(connection, records, submission, command);
  if (!repeated) return repeated.error();
  if (*repeated && (*repeated)->verdict == Verdict::stored) return std::move(**repeated);
  return SubmissionResult{.verdict = Verdict::invalid, .faults = command.faults};
}

}  // namespace trialward::intake
