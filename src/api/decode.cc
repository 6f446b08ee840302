#include "api/decode.h"

namespace trialward::api {
namespace {

// What a patient can know of herself; the rest is for the site to enter.
bool patients_report(model::Kind kind) {
  using enum model::Kind;
  return kind == questionnaire || kind == vital || kind == adverse_event || kind == medication;
}

}  // namespace

model::Faults out_of_scope(const Principal& principal, const model::Record& record) {
  model::Faults faults;
  if (!principal.subject.empty() && record.subject != principal.subject) {
    faults.push_back({"/subject", "this token is of another subject"});
  }
  if (principal.role == Role::patient && !patients_report(record.kind)) {
    faults.push_back({"/kind", "a patient reports questionnaires, vitals, adverse events and "
                               "medication"});
  }
  const std::string source = principal.own_source();
  if (!source.empty() && record.source != source) {
    faults.push_back({"/source", "this token may only use the source '" + source + "'"});
  }
  if (!principal.site.empty() && !record.site.empty() && record.site != principal.site) {
    faults.push_back({"/site", "this token is of the site '" + principal.site + "'"});
  }
  return faults;
}

Decoded decode_for(const Principal& principal, const intake::ActiveStudy& study,
                   model::RecordDecoder& decoder, std::string_view json, std::int64_t now_ms) {
  Decoded decoded;
  auto record = decoder.decode(json);
  if (!record) {
    decoded.faults = record.error();
    return decoded;
  }
  decoded.faults = out_of_scope(principal, *record);
  if (!decoded.faults.empty()) {
    decoded.status = 403;
    return decoded;
  }
  decoded.faults = intake::prepare(study, std::move(*record), now_ms, decoded.command);
  // Whether it is a repeat of what was stored is for the commit to know.
  if (!decoded.command.faults.empty()) decoded.faults.clear();
  return decoded;
}

intake::Submission submission_of(const Principal& principal,
                                 std::shared_ptr<const intake::ActiveStudy> study,
                                 const base::Clock& clock, base::TimePoint received) {
  return {.study = std::move(study),
          .actor = principal.name,
          .received_ms = clock.utc_ms(),
          .received = received,
          .site = principal.site,
          .source = principal.own_source(),
          .unblinded = principal.may_compare_blinded()};
}

runtime::Flow flow_of(const Principal& principal, const intake::ActiveStudy& study) {
  return {static_cast<std::uint64_t>(study.row), static_cast<std::uint64_t>(principal.token)};
}

intake::Lane lane_of(const model::Record& record, intake::Lane otherwise) {
  return record.kind == model::Kind::adverse_event ? intake::Lane::safety : otherwise;
}

}  // namespace trialward::api
