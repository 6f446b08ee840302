// What an event of an alert says beside its type, actor, time and note. Kept as one JSON object,
// which has only the members that the event's type needs:
//
//   targets       whom it is sent to: names of targets, as the escalation of the study has them;
//                 without any, only who follows the stream is told
//   tier          whose targets they are, from 1 (raised, joined, reopened, stormed, escalated)
//   late_ms       how much later than due, from a second on (escalated)
//   storm, count  the storm that it belongs to, by the alert that made it one; how many alerts are
//                 in it (raised, stormed, escalated)
//   historical    true: it is about the past, and nobody is called (raised)
//   values        [{"record":N,"kind":…,"code":…,"value":…,"unit":…}]: what was read back
//                 (acknowledged)
//   causality, expectedness, action_taken   the assessment; see kCausalities … (assessed)
//   duplicate_of  an alert's id (merged)
//   holds         false: the rule holds no longer; true: it does again (revised)
//   because       [N]: the records that this is due to (revised)
//   ended, again  [N]: records of the alert that are no reasons for it any more, or again (revised)
//   target        where it has arrived (delivered)
// Plain values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"

namespace trialward::model {

// A value that whoever acknowledges an alert reads back.
struct ReadBack {
  std::int64_t record = 0;  // its current version
  std::string kind, code;
  std::string value;  // a number as it was sent; else the text, or the reason why it was not done
  std::string unit;
  // When it was so, as the record gives it (effective_time.h); empty where it gives none, and in
  // what was read back: nobody reads a time back.
  std::string effective;
  bool operator==(const ReadBack&) const = default;
};

// The sponsor's or investigator's judgement. ICH E2A: whether there is a reasonable possibility
// that the product caused it (II.A), and whether it is expected by the reference safety
// information (II.C). The degrees of causality are those of CDISC's AEREL as commonly collected,
// the actions those of ICH E2B(R3) G.k.8 and of CDISC's codelist ACN.
struct Assessment {
  std::string causality, expectedness, action_taken;
  bool operator==(const Assessment&) const = default;
};
inline constexpr std::array<std::string_view, 7> kCausalities = {
    "related",          // these three: a reasonable possibility (E2A)
    "probably_related",
    "possibly_related",
    "unlikely_related",
    "not_related",
    "unassessable",     // too little is known yet
    "not_applicable",   // it is no adverse event: an artefact, an operational alert
};
inline constexpr std::array<std::string_view, 3> kExpectednesses = {"expected", "unexpected",
                                                                    "not_applicable"};
inline constexpr std::array<std::string_view, 9> kActionsTaken = {
    "drug_withdrawn",   "dose_reduced",     "dose_rate_reduced", "dose_increased",
    "dose_not_changed", "drug_interrupted", "dose_delayed",      "unknown",
    "not_applicable",
};

struct AlertDetail {
  std::vector<std::string> targets;
  int tier = 0;
  std::int64_t late_ms = 0;
  std::int64_t storm = 0, count = 0;
  bool historical = false;
  std::vector<ReadBack> values;
  std::optional<Assessment> assessment;
  std::int64_t duplicate_of = 0;
  std::optional<bool> holds;
  std::vector<std::int64_t> because;
  std::vector<std::int64_t> ended, again;
  std::string target;
  bool operator==(const AlertDetail&) const = default;
};

// As a member that is an array.
void put_read_backs(base::JsonWriter& json, std::string_view key,
                    std::span<const ReadBack> values);

// Empty for a detail that says nothing.
std::string to_json(const AlertDetail& detail);
// The empty text is a detail that says nothing. Errors: corrupt.
base::Result<AlertDetail> parse_alert_detail(std::string_view json);

}  // namespace trialward::model
