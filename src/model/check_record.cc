#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/json_writer.h"
#include "model/decode_record.h"
#include "model/text_fault.h"

namespace trialward::model {
namespace {

constexpr std::int64_t kFutureMsMax = 86'400'000;  // clocks and zones differ by less than a day

constexpr std::array<std::string_view, 10> kSeverities = {
    "MILD", "MODERATE", "SEVERE", "LIFE THREATENING", "FATAL", "1", "2", "3", "4", "5"};

// What was found, for a reason; only the beginning of something long.
std::string in_quotes(std::string_view text) {
  constexpr std::size_t kBytesMax = 80;
  if (text.size() <= kBytesMax) return "\"" + std::string(text) + "\"";
  std::size_t end = kBytesMax;  // not within a UTF-8 sequence
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return "\"" + std::string(text.substr(0, end)) + "…\"";
}

std::string to_text(double number) { return base::JsonWriter().value(number).take(); }

template <class All>
bool includes(const All& all, std::string_view text) {
  return std::find(std::begin(all), std::end(all), text) != std::end(all);
}

// A result below or above what the method can measure: "<0.2", ">= 1000".
bool is_comparator(std::string_view text) {
  if (text.empty() || (text.front() != '<' && text.front() != '>')) return false;
  text.remove_prefix(1);
  if (!text.empty() && text.front() == '=') text.remove_prefix(1);
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  if (text.size() > 1 && text.front() == '-') text.remove_prefix(1);
  bool point = false;
  for (char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return !text.empty() && text.front() != '.' && text.back() != '.';
}

// Faults of one record against its study.
class RecordCheck {
 public:
  RecordCheck(const Study& study, const Record& record, Faults& faults)
      : study_(study), record_(record), faults_(faults) {}

  void subject() {
    if (!study_.subject_id_fits(record_.subject)) {
      add_fault(faults_, "/subject",
                in_quotes(record_.subject) + " does not fit the study's pattern");
    }
    if (!record_.site.empty() && !study_.site(record_.site)) {
      add_fault(faults_, "/site", "the study has no site " + in_quotes(record_.site));
    }
  }

  // Sets code(): without one, values and units are free.
  void code_and_system() {
    code_ = study_.code(record_.kind, record_.code);
    if (!code_) {
      if (!study_.open(record_.kind)) {
        add_fault(faults_, "/code",
                  "the study has no " + std::string(to_string(record_.kind)) + " " +
                      in_quotes(record_.code));
      }
    } else if (!record_.system.empty() && !code_->system.empty() &&
               record_.system != code_->system) {
      add_fault(faults_, "/system",
                in_quotes(record_.system) + " is not " + in_quotes(code_->system));
    }
  }

  void value(std::uint16_t& flags) {
    if (!code_ || !record_.value.not_done.empty() || record_.value.missing()) return;
    if (record_.value.number) {
      number(flags);
    } else {
      text();
    }
  }

  // An end that is no number in the code's own unit, as 0 nmol/L is none in pH, bounds nothing; nor
  // do two that stand the wrong way round. The value is no worse for that.
  void range(std::uint16_t& flags) {
    const auto& [low, high, low_text, high_text] = record_.range;
    if (low && high && *high < *low) {
      flags |= kLowUnusable | kHighUnusable;
      return;
    }
    if (!code_ || !record_.range.given()) return;
    const auto to_own = code_->to_own(record_.unit);
    if (!to_own) return;  // told already, where there is a value
    if (low && !std::isfinite((*to_own)(*low))) flags |= kLowUnusable;
    if (high && !std::isfinite((*to_own)(*high))) flags |= kHighUnusable;
  }

  // Readers see the record's own range beside its number, but not the study's.
  void reference(std::uint16_t& flags) {
    Range own = record_.range;
    if (flags & kLowUnusable) own.low.reset();
    if (flags & kHighUnusable) own.high.reset();
    const auto value = study_.canonical_number(record_);
    if (!code_ || !value || !std::isfinite(*value)) return;
    const Range range = study_.canonical_range(record_);
    if ((own.low || !range.low) && (own.high || !range.high)) return;
    flags |= kStudyRange;
    if (range.low && ucum::clearly_below(*value, *range.low)) flags |= kBelowRange;
    if (range.high && ucum::clearly_below(*range.high, *value)) flags |= kAboveRange;
  }

  void effective(std::int64_t now_ms) {
    if (record_.effective.empty()) return;
    const auto interval = resolve_effective(record_.effective, time_zone());
    if (!interval) {
      add_fault(faults_, "/effective",
                in_quotes(record_.effective) + ": " + interval.error().message);
    } else if (interval->from_ms - kFutureMsMax > now_ms) {
      add_fault(faults_, "/effective", in_quotes(record_.effective) + " lies in the future");
    }
  }

  void arms() {
    if (record_.kind != Kind::demographics || study_.arms.empty()) return;
    for (const char* name : {"arm", "actual_arm"}) {
      const std::string* given = record_.attribute(name);
      const auto is_given = [&](const Arm& arm) { return arm.id == *given || arm.name == *given; };
      if (given && std::none_of(study_.arms.begin(), study_.arms.end(), is_given)) {
        add_fault(faults_, std::string("/attributes/") + name,
                  "the study has no arm " + in_quotes(*given));
      }
    }
  }

 private:
  // The subject's site is not known here when the record leaves it out. Zones lie at most 26 hours
  // apart, so another one can only let through what is later by that much.
  std::string_view time_zone() const {
    const Site* site = study_.site(record_.site);
    if (!site) site = study_.site(study_.default_site);
    return site ? std::string_view(site->time_zone) : "UTC";
  }

  void number(std::uint16_t& flags) {
    if (code_->type == ValueType::text) {
      return add_fault(faults_, "/value", code_->code + " is a text, not a number");
    }
    const auto to_own = unit();
    if (!to_own) return;
    const double number = (*to_own)(*record_.value.number);
    if (!std::isfinite(number)) {
      return add_fault(faults_, "/value",
                       to_text(*record_.value.number) + " " + record_.unit + " is nothing in " +
                           code_->units.front().name);
    }
    const auto& possible = code_->possible;
    if (possible && !possible->contain(number)) {
      const std::string in = code_->units.empty() ? "" : " " + code_->units.front().name;
      add_fault(faults_, "/value",
                to_text(number) + in + " is not possible: " + code_->code + " lies from " +
                    to_text(possible->low) + " to " + to_text(possible->high) + in);
    }
    if (code_->plausible && !code_->plausible->contain(number)) flags |= kImplausible;
  }

  void text() {
    const std::string& given = record_.value.text;
    if (code_->type == ValueType::number) {
      if (!is_comparator(given)) {
        return add_fault(faults_, "/value",
                         in_quotes(given) + " is not a number, nor one after <, <=, > or >=");
      }
      unit();
    } else if (!code_->values.empty() && !includes(code_->values, given)) {
      add_fault(faults_, "/value",
                in_quotes(given) + " is not one of the values of " + code_->code);
    } else if (!record_.unit.empty()) {
      unit();
    }
  }

  // How the record's number becomes one in the code's own unit; nothing, and a fault, when it
  // cannot.
  std::optional<ucum::Conversion> unit() {
    const auto to_own = code_->to_own(record_.unit);
    if (to_own) return *to_own;
    add_fault(faults_, "/unit", to_own.error().message);
    return std::nullopt;
  }

  const Study& study_;
  const Record& record_;
  Faults& faults_;
  const Code* code_ = nullptr;
};

void check_ids(const Record& record, Faults& faults) {
  const auto id = [&](const char* path, const std::string& text, bool required) {
    if (!required && text.empty()) return;
    if (const auto reason = id_fault(text)) add_fault(faults, path, *reason);
  };
  id("/source", record.source, true);
  id("/source_id", record.source_id, true);
  id("/subject", record.subject, true);
  id("/site", record.site, false);
  id("/code", record.code, record.kind != Kind::demographics);
  id("/system", record.system, false);
  id("/unit", record.unit, false);
  id("/effective", record.effective, false);
  id("/author", record.author, false);
  id("/visit", record.visit, false);
}

void check_value_form(const Record& record, Faults& faults) {
  const Value& value = record.value;
  if (value.number && !std::isfinite(*value.number)) add_fault(faults, "/value", "is not finite");
  const char* text_path = value.number ? "/text" : "/value";
  if (const auto reason = text_fault(value.text, kTextCharsMax))
    add_fault(faults, text_path, *reason);
  if (const auto reason = text_fault(value.not_done, kTextCharsMax)) {
    add_fault(faults, "/not_done", *reason);
  }
  if (!value.not_done.empty()) {
    if (value.number || !value.text.empty())
      add_fault(faults, "/value", "there is none when not done");
    if (!record.unit.empty()) add_fault(faults, "/unit", "there is none when not done");
  }
  const auto& [low, high, low_text, high_text] = record.range;
  if (low && !std::isfinite(*low)) add_fault(faults, "/range/low", "is not finite");
  if (high && !std::isfinite(*high)) add_fault(faults, "/range/high", "is not finite");
}

void check_attributes(const Record& record, Faults& faults) {
  const auto& attributes = record.attributes;
  if (attributes.size() > kAttributesMax) {
    add_fault(faults, "/attributes",
              "has more than " + std::to_string(kAttributesMax) + " members");
    return;
  }
  for (std::size_t i = 0; i < attributes.size(); ++i) {
    const auto& [name, text] = attributes[i];
    if (const auto reason = id_fault(name)) {
      add_fault(faults, "/attributes", "a member's name " + *reason);
      continue;
    }
    if (i > 0 && attributes[i - 1].first == name) {
      add_fault(faults, pointer("/attributes", name), "is given twice");
    }
    if (const auto reason = text_fault(text, kTextCharsMax)) {
      add_fault(faults, pointer("/attributes", name), *reason);
    }
  }
}

}  // namespace

Faults check_form(const Record& record) {
  Faults faults;
  check_ids(record, faults);
  check_value_form(record, faults);
  check_attributes(record, faults);
  if (record.kind != Kind::adverse_event) {
    if (record.serious) add_fault(faults, "/serious", "only an adverse_event has it");
    if (!record.severity.empty()) add_fault(faults, "/severity", "only an adverse_event has it");
  } else if (!record.severity.empty() && !includes(kSeverities, record.severity)) {
    add_fault(faults, "/severity",
              "expected MILD, MODERATE, SEVERE, LIFE THREATENING, FATAL, or a grade from 1 to 5");
  }
  if (record.amends < 0) add_fault(faults, "/amends", "is not the id of a record");
  if (record.amends != 0 && record.reason.empty()) {
    add_fault(faults, "/reason", "a correction needs a reason");
  }
  if (record.amends == 0 && !record.reason.empty()) {
    add_fault(faults, "/reason", "there is none without amends");
  }
  if (const auto reason = text_fault(record.reason, kTextCharsMax))
    add_fault(faults, "/reason", *reason);
  return faults;
}

Faults check_record(const Study& study, const Record& record, std::int64_t now_ms,
                    std::uint16_t& flags) {
  Faults faults = check_form(record);
  RecordCheck check(study, record, faults);
  std::uint16_t found = 0;
  check.subject();
  check.code_and_system();
  check.value(found);
  check.range(found);
  check.reference(found);
  check.effective(now_ms);
  check.arms();
  if (faults.empty()) flags = found;
  return faults;
}

}  // namespace trialward::model
