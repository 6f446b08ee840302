// A study's records as of recorded positions, read once, small, and shared by every report that is
// written from it: only the current versions (what a later record amends is left out), only the
// columns that reports use, never the originals. Immutable; any thread. It is bounded in bytes.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/mapped_memory.h"
#include "base/result.h"
#include "model/record.h"
#include "model/study.h"
#include "reports/alert_history.h"
#include "reports/bounds.h"
#include "reports/date.h"
#include "reports/positions.h"
#include "reports/readers.h"
#include "reports/settings.h"
#include "reports/words.h"

namespace trialward::reports {

// Kinds of records, as bits. Demographics, visits, exposures and dispositions are always there.
using Domains = std::uint16_t;
constexpr Domains domain(model::Kind kind) {
  return static_cast<Domains>(1u << static_cast<unsigned>(kind));
}
inline constexpr Domains kAlerts = 1u << model::kKinds;  // and their history
inline constexpr Domains kAllDomains = (kAlerts << 1) - 1;
inline constexpr Domains kSubjectDomains =
    domain(model::Kind::demographics) | domain(model::Kind::visit) | domain(model::Kind::exposure) |
    domain(model::Kind::disposition);

inline constexpr std::size_t kMemoryBytesFirst = 1 << 20;  // each next one is half as large again

inline constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();
inline constexpr int kNoArm = -1;

// A record of any kind but those of measurements. Its attributes stand in Dataset::attributes.
struct Entry {
  std::int64_t record = 0;
  std::int64_t at_ms = kNoTime;  // the first instant that its effective time can mean
  std::int64_t received_ms = 0;
  std::uint32_t subject = 0;  // index into Dataset::subjects
  Word code = 0, visit = 0, severity = 0, text = 0, unit = 0;
  double number = std::numeric_limits<double>::quiet_NaN();
  Date date;  // of its effective time
  bool serious = false, not_done = false, baseline = false;
  bool historical = false;  // it came with the data of the past: received_ms says nothing of it
  std::uint32_t attributes_from = 0, attributes_count = 0;
};

enum class Side : std::uint8_t { unknown, low, normal, high };  // of the reference range

// A laboratory value, vital sign or answer of a questionnaire. Numbers are NaN where there is none.
// There are millions: what repeats is kept once (words, bounds), and flags are bits.
struct Measurement {
  std::int64_t record = 0;
  std::int64_t at_ms = kNoTime;
  std::int64_t received_ms = 0;
  const Bounds* bounds = nullptr;  // the dataset's; never null in one
  double sent = 0;                 // in the unit as sent
  double value = 0;                // in the code's own unit
  // The sender's own standardised result (lbstresn …): of vital signs, and of what has no value as
  // sent, such as a derived total; then it is `value`, too, of a questionnaire.
  double standard = 0;
  std::uint32_t subject = 0;
  Word code = 0, visit = 0, unit = 0, text = 0, timepoint = 0;
  Date date;
  Side side = Side::unknown;
  bool baseline : 1 = false, not_done : 1 = false;
  bool historical : 1 = false;  // as of an Entry
  // When it was accepted it lay outside the plausible bounds, or had a range of no use.
  bool doubtful : 1 = false;

  bool has_value() const { return !not_done && (!std::isnan(value) || text != 0); }
  double sent_low() const { return bounds->sent_low; }  // in the unit as sent
  double sent_high() const { return bounds->sent_high; }
  double low() const { return bounds->low; }  // in the code's own unit
  double high() const { return bounds->high; }
  double limit() const { return bounds->limit; }  // of a text "<0.2" or ">40", as sent
};
static_assert(sizeof(Measurement) <= 88);
// Grows without copying: a vector of millions would for a moment be there twice.
using Measurements = std::pmr::deque<Measurement>;

struct Subject {
  std::string id, site;
  int arm = kNoArm;             // index into Settings::arms, as assigned (ARM); none: no treatment
  bool screen_failure = false;  // an arm is named that is no treatment
  bool enrolled = false;        // there is a demographics record
  std::int64_t record = 0;      // of its demographics
  bool treated = false;
  Date reference;  // the study's own reference start, of the demographics record
  Date first_dose, last_dose;
  std::uint32_t attributes_from = 0, attributes_count = 0;  // of its demographics
};

// What the first record of a visit, and of a measurement's code, says of it beside its name.
struct VisitName {
  model::Kind kind = model::Kind::visit;
  Word name = 0;
  double number = std::numeric_limits<double>::quiet_NaN();  // the attribute visitnum
};
struct CodeInfo {
  model::Kind kind = model::Kind::lab;
  Word code = 0, name = 0, category = 0;  // the study's name, else lbtest …; lbcat …
  // Where its measurements are among those of the kind, in their order: who asks for one code does
  // not look at all.
  std::vector<std::uint32_t> places{};
};

class Dataset {
  base::MappedMemory mapped_;
  std::pmr::monotonic_buffer_resource memory_{kMemoryBytesFirst, &mapped_};

 public:
  std::shared_ptr<const model::Study> study;
  std::shared_ptr<const Settings> settings;
  Positions positions;
  Domains domains = 0;

  std::vector<Subject> subjects;  // by id
  Words words;
  BoundsTable bounds;
  // Each in the order of record ids. demographics: those with a value, such as the years of
  // education; of those without one a subject's latest is its own, and stands in `subjects`.
  std::vector<Entry> demographics, visits, adverse_events, medications, exposures, histories,
      dispositions;
  // Nearly all that a dataset takes: it goes back to the system with the dataset.
  Measurements labs{&memory_}, vitals{&memory_}, questionnaires{&memory_};
  std::vector<AlertHistory> alerts;  // by their first events
  std::deque<std::pair<Word, Word>> attributes;
  std::vector<CodeInfo> codes;         // of measurements, by kind and code
  std::vector<VisitName> visit_names;  // of every kind by itself: by kind, number and name

  std::string_view text(Word word) const { return words.text(word); }
  std::string_view attribute(const Entry& entry, std::string_view name) const;
  std::string_view attribute(const Subject& subject, std::string_view name) const;
  const CodeInfo* code(model::Kind kind, Word code) const;
  const Measurements& measurements(model::Kind kind) const;
  void index_codes();         // fills in CodeInfo::places, once all are there
  std::size_t bytes() const;  // about what it holds in memory
};

// What a dataset is made of.
struct Source {
  // Asked with the bytes that it has come to; no: it must end.
  using Grow = std::function<bool(std::size_t bytes)>;

  std::shared_ptr<const model::Study> study;
  std::shared_ptr<const Settings> settings;
  std::int64_t study_row = 0;
  Positions positions;
  Domains domains = 0;
  std::size_t bytes_max = std::size_t{1} << 30;
  Grow grow{};  // none: bytes_max alone bounds it
};

// The error of a study whose `what` take more than `bytes_max`, and what to do about it.
base::Error too_large(std::string_view what, std::size_t bytes_max);

// Errors: refused (too_large, or `grow` said no), cancelled, corrupt, those of Readers.
base::Result<std::shared_ptr<const Dataset>> load_dataset(const Source& source,
                                                          const Reading& reading);

}  // namespace trialward::reports
