#include "intake/correction.h"

#include <algorithm>

#include "store/record_rows.h"

namespace trialward::intake {

using base::Status;
using model::Record;
using model::StoredRecord;

namespace {

// What a blinded sender was not shown of the record that is amended stays as it is. Why that cannot
// be, else: "" when all is well.
std::string keep_treatment(const StoredRecord& amended, Record& record) {
  if (!model::tells_treatment(amended.record)) return "";
  // Its resource is kept as it was sent, and would be without what was not shown.
  if (record.kind == model::Kind::exposure || (amended.flags & model::kResource) != 0) {
    return " tells what the subject is given: who is blinded cannot correct it";
  }
  for (const std::string_view name : model::kBlindedAttributes) {
    if (record.attribute(name) != nullptr) {
      return " has attributes that tell the treatment: who is blinded cannot change " +
             std::string(name);
    }
  }
  for (const auto& attribute : amended.record.attributes) {
    if (model::blinded(attribute.first)) record.attributes.push_back(attribute);
  }
  std::sort(record.attributes.begin(), record.attributes.end());
  return "";
}

}  // namespace

Status place_correction(store::Connection& connection, const Submission& submission,
                        std::int64_t subject, StoredRecord& stored, SubmissionResult& refusal) {
  const std::int64_t id = stored.record.amends;
  const std::string name = "record " + std::to_string(id);
  auto row = store::read_record(connection, id);
  if (!row) return row.error();
  if (!*row || (*row)->links.study != submission.study->row) {
    refusal = SubmissionResult::refused(Verdict::invalid, name + " is not in this study",
                                        "/amends");
    return {};
  }
  const store::RecordRow& amended = **row;
  if (amended.links.subject != subject || amended.stored.record.kind != stored.record.kind) {
    refusal = SubmissionResult::refused(
        Verdict::invalid, name + " is of another subject or kind and cannot be corrected by this",
        "/amends");
    return {};
  }
  if (!submission.source.empty() && amended.stored.record.source != submission.source) {
    refusal = SubmissionResult::refused(
        Verdict::forbidden, name + " is of another source than this token's", "/amends");
    return {};
  }
  // What FHIR knows as a resource, or as told by one, is corrected as such: with all that belongs
  // to it.
  constexpr int kOfResource = model::kResource | model::kPart | model::kTold;
  const int before = amended.stored.flags & kOfResource;
  const bool unfit = (amended.stored.flags & model::kUnfit) != 0;
  if (before != 0 && !unfit && before != (stored.flags & kOfResource)) {
    refusal = SubmissionResult::refused(
        Verdict::invalid, name + " came with a FHIR resource, and is corrected with that",
        "/amends");
    return {};
  }
  if (!submission.unblinded && amended.stored.actor != submission.actor) {
    auto kept = keep_treatment(amended.stored, stored.record);
    if (!kept.empty()) {
      refusal = SubmissionResult::refused(Verdict::forbidden, name + kept, "/amends");
      return {};
    }
  }
  auto newer = store::amended_by(connection, id);
  if (!newer) return newer.error();
  if (*newer != 0) {
    refusal = SubmissionResult::refused(
        Verdict::conflict, name + " is corrected already by record " + std::to_string(*newer),
        "/amends");
    return {};
  }
  stored.version = amended.stored.version + 1;
  // What is known of today is not made a thing of the past by its correction.
  if ((amended.stored.flags & model::kHistorical) == 0) {
    stored.flags &= static_cast<std::uint16_t>(~model::kHistorical);
  }
  auto first = store::first_version(connection, id);
  if (!first) return first.error();
  stored.first = *first;
  return {};
}

}  // namespace trialward::intake
