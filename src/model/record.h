// One observation about one subject, as it was sent and as it is stored.
//
// The native JSON of a record (see decode_record.h) has these members and no others:
//   source, source_id   who sent it and that sender's own id; unique together in a study
//   subject, site       the site may be left out: the subject's own is meant
//   kind, code, system  what was observed; see Kind. system: the code system, e.g. a URI
//   value, text, unit   value is a number, a string or null; text adds words to a number
//   not_done            why nothing was measured; then value, text and unit are absent
//   range               {"low":n,"high":n}: the reference range, in the record's unit
//   effective           when it happened, as given (effective_time.h)
//   device_time, sent_time  instants with an offset: the device's clock, the transfer's start
//   author              who observed or entered it, in the sender's words
//   visit, baseline     the visit's name; true when the sender marks it as the baseline value
//   serious, severity   of adverse events: boolean; "MILD" | "MODERATE" | "SEVERE" |
//                       "LIFE THREATENING" | "FATAL" or CTCAE grade "1".."5"
//   attributes          further words: {"name":"text",…}
//   amends, reason      the id of the record that this one corrects, and why
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/effective_time.h"

namespace trialward::base {
class JsonWriter;
}

namespace trialward::model {

enum class Kind : std::uint8_t {
  demographics,  // enrols the subject; attributes may name its arm
  visit,
  questionnaire,
  lab,
  vital,
  adverse_event,
  medication,
  exposure,  // to the study's own treatment: blinded
  medical_history,
  disposition,
};
inline constexpr std::size_t kKinds = 10;

std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

struct Value {
  std::optional<double> number;
  std::string number_text;  // the number's digits as they were sent: "34.0" stays "34.0"
  std::string text;
  std::string not_done;  // the reason; empty when it was done

  bool missing() const { return !number && text.empty() && not_done.empty(); }
};

// Reference range in the record's own unit; either end may be open.
struct Range {
  std::optional<double> low, high;
  std::string low_text, high_text;  // as they were sent

  bool given() const { return low.has_value() || high.has_value(); }
};

// Where a number lies: in CDISC's words LOW, NORMAL, HIGH; "" when it cannot be said. For a record
// of a study see StoredRecord::flags as well.
std::string_view reference_flag(const Value& value, const Range& range);

struct Record {
  std::string source, source_id;
  std::string subject, site;
  Kind kind = Kind::lab;
  std::string code, system;
  Value value;
  std::string unit;
  Range range;
  std::string effective;  // as given; may be empty
  std::optional<std::int64_t> device_ms, sent_ms;
  std::string author;
  std::string visit;
  bool baseline = false;
  std::optional<bool> serious;
  std::string severity;
  std::vector<std::pair<std::string, std::string>> attributes;  // sorted by name
  std::int64_t amends = 0;                                      // a record's id; 0 for none
  std::string reason;
  std::string original;  // the bytes as received

  const std::string* attribute(std::string_view name) const;
};

// What the definition said of a record when it was accepted; and, from kHistorical on and but for
// what is unusable, how it came.
enum Flag : std::uint16_t {
  kImplausible = 1,  // possible, but outside the code's plausible bounds
  // Of a number whose reference range is the study's, wholly or at one end; in between: normal.
  kStudyRange = 2,
  kBelowRange = 4,
  kAboveRange = 8,
  // It came with the data of the past: nobody is called because of it (docs/decisions/017).
  kHistorical = 16,
  // An end of its own range that bounds nothing: it stands on the wrong side of the other, or is no
  // number in the code's own unit. The record is as if it had left it out (docs/decisions/019).
  kLowUnusable = 32,
  kHighUnusable = 64,
  // Its original is a FHIR resource (fhir/resource.h).
  kResource = 128,
  // It is told by a FHIR resource and is stored beside it, as a component of an Observation is.
  // Readers of FHIR see it only within that one.
  kPart = 256,
  // It is told by a FHIR resource, as kPart, and is shown by itself as well: a response's score.
  kTold = 512,
  // What a patient answered and could not be taken: it is kept as it came, unchecked, until
  // somebody corrects it (store::read_unfit).
  kUnfit = 1024,
};

// The member "unusable", where there is any: JSON Pointers to what was stored and is of no use.
void write_unusable(base::JsonWriter& json, std::uint16_t flags);

// A record with what its acceptance added.
struct StoredRecord {
  std::int64_t id = 0;
  Record record;  // its site filled in
  std::uint16_t flags = 0;
  std::optional<Interval> interval;  // what `effective` means at the site; none when not given
  std::int64_t received_ms = 0;      // server time
  std::string actor;                 // whose token brought it
  int version = 1;                   // 1, or one more than the record that it amends
  std::int64_t first = 0;            // the first version's id; 0: the one it amends, else its own
  std::int64_t amended_by = 0;       // the id of what corrected it; 0: nothing, or not looked up
  std::int64_t definition = 0;       // what it was checked against
  int shard = 0;
  std::int64_t position = 0;  // its place in the shard's audit chain
};

// The canonical content: equal for two sendings that mean the same (member order, white space
// and number spelling such as 1e1 do not matter), different otherwise. `original` is left out, and
// so is sent_time: a retry that is stamped anew is the same record, sent once more.
std::string canonical_content(const Record& record);

// The record as JSON for readers. `unblinded` false leaves out what would tell the treatment: the
// attributes in kBlindedAttributes, the reason of a record that has one, and everything of an
// exposure but its place and time.
inline constexpr std::array<std::string_view, 3> kBlindedAttributes = {"arm", "actual_arm",
                                                                       "treatment"};
bool blinded(std::string_view attribute);
std::string to_json(const StoredRecord& record, bool unblinded);
// Whether to_json() leaves something out for those who are blinded.
bool tells_treatment(const Record& record);

// The part of the store that a subject's records belong to; fixed for ever.
inline constexpr int kShards = 256;
int shard_of(std::string_view study, std::string_view subject);

}  // namespace trialward::model
