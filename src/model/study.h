// A study definition: the folder of text files that says what a study's data may look like.
//
//   study.toml   [study]  id, title, version, enrol = "demographics" | "first-record",
//                         subject_pattern (ECMAScript regular expression without back-references,
//                         matched whole; absent: any id),
//                         default_site (optional: site of subjects enrolled without one)
//                [[sites]] at least one: id, name, time_zone (IANA), country (ISO 3166-1 alpha-3)
//                [[arms]]  id, name
//                [kinds.KIND] open = true | false: whether codes not listed are accepted
//                         (default false; demographics needs none)
//                [[codes]] kind, code, name, system;
//                         codings = [{ system = "http://loinc.org", code = "1742-6" }]: what others
//                           call it; each once within the kind;
//                         type = "number" (the default) | "text" | "any";
//                         unit = "U/L" (absent: the value has none);
//                         also = [{ unit = "C", factor = 1.8, offset = 32.0 }]: other units;
//                           number * factor + offset gives it in `unit`; they go before what
//                           UCUM would make of them. Every other unit that UCUM or laboratories
//                           write (ucum/lab_unit.h) and that converts to `unit` is accepted, too;
//                         molar_mass = 180.156 (g/mol), valence = 1: for conversions between mass,
//                           amount and equivalents; or analyte = "GLUC": those of ucum/analyte.cc,
//                           where a lab code that names an analyte there need not say so;
//                         possible = [low, high]: outside is refused;
//                         plausible = [low, high]: outside is accepted and flagged;
//                         range = [low, high]: the reference range of records that bring none,
//                           and the other end for those that bring one end only;
//                           in all three -inf or inf leaves an end open;
//                         values = ["Y", "N"]: the only texts accepted (type text)
//                [ctcae]   version = "5": by which version of the NCI's CTCAE laboratory values are
//                         graded (ctcae/tables/); absent: they are not
//                [ctcae.terms] CODE = ["TERM", …]: the terms that grade a code, in place of those
//                         of ctcae/tables/codes.toml; [] for none
//                [fhir]    identifying = true | false: whether a Patient may have elements that say
//                         who it is: names, addresses (fhir/resource.h; default false)
//   rules.toml   the monitor's rules (monitor/rules.h)
//   escalation.toml  who is told of alerts (model/escalation.h)
//   schedule.toml  the visits and questionnaires of a subject (model/schedule.h)
//   reports.toml  how reports read the records (reports/settings.h)
//   patient.toml  what patients are told (epro/patient_settings.h)
//   questionnaires/*.toml, *.json   what patients are asked: FHIR Questionnaires, and what becomes
//                of their responses (epro/form.h)
//
// Required are the ids, sites' time_zone, and the codes' kind and code; enrol is "demographics"
// when absent. Unknown keys are faults. A Study is immutable once loaded, so every thread may read
// it.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/escalation.h"
#include "model/fault.h"
#include "model/record.h"
#include "model/unit_ways.h"
#include "ucum/unit.h"

namespace trialward::model {

struct Schedule;  // model/schedule.h

struct Site {
  std::string id, name, time_zone, country;
};

struct Arm {
  std::string id, name;
};

struct Bounds {
  double low = 0, high = 0;
  // What noise of conversions adds puts no number outside.
  bool contain(double number) const {
    return !ucum::clearly_below(number, low) && !ucum::clearly_below(high, number);
  }
};

struct Unit {
  std::string name;
  double factor = 1, offset = 0;  // to the code's own unit
  std::optional<ucum::Crossing> crossing;  // where it is known what the unit measures
  double to_own(double number) const { return number * factor + offset; }
};

// What [ctcae] says, not yet checked against the criteria (ctcae/study_grading.h).
struct CtcaeChoice {
  struct OfCode {
    std::string code;
    std::vector<std::string> terms;
    int line = 0;
  };
  std::string version;
  int line = 0;
  std::vector<OfCode> codes;  // by code
};

enum class ValueType { number, text, any };

// A code as others than the study write it.
struct ForeignCode {
  std::string system, code;
};

struct Code {
  Kind kind = Kind::lab;
  std::string code, name, system;
  std::vector<ForeignCode> codings;
  ValueType type = ValueType::number;
  // The code's own first, then those that the definition lists; empty: values have no unit.
  std::vector<Unit> units;
  // Other units by UCUM; none when the own unit is not one of UCUM's. Copies of a code share what
  // was worked out.
  std::shared_ptr<const UnitWays> ways;
  std::optional<Bounds> possible, plausible;  // in the code's own unit
  Range range;                                // in the code's own unit
  std::vector<std::string> values;

  const Unit* unit(std::string_view name) const;
  // How a number in this unit becomes one in the code's own. The error says what is wrong with the
  // unit (or that it is missing) and which would be right, and names both.
  base::Result<ucum::Conversion> to_own(std::string_view unit_name) const;
};

struct DefinitionFile {
  std::string name, text;  // name: path within the study's folder
};

class Study {
 public:
  std::string id, title, version;
  bool enrol_by_first_record = false;
  std::string default_site;
  bool identifying = false;  // see [fhir]
  std::vector<Site> sites;
  std::vector<Arm> arms;
  std::optional<CtcaeChoice> ctcae;
  std::optional<Escalation> escalation;
  // Null without a schedule.toml. Shared by copies of a study, and so declared only: few who
  // include this look into it.
  std::shared_ptr<const Schedule> schedule;
  std::vector<DefinitionFile> files;  // sorted by name; what the definition's hash covers
  std::string hash;                   // hexadecimal SHA-256 over the files
  bool whole = true;                  // false: see StudyReading

  const Site* site(std::string_view id) const;
  const Arm* arm(std::string_view id) const;
  // Nothing when the code is not listed.
  const Code* code(Kind kind, std::string_view code) const;
  // By its codings, or by its own code where its system or the given one is empty or they agree.
  const Code* code_of(Kind kind, std::string_view system, std::string_view code) const;
  bool open(Kind kind) const { return open_[static_cast<std::size_t>(kind)]; }
  bool subject_id_fits(std::string_view subject) const;
  const DefinitionFile* file(std::string_view name) const;

  // A number of a record in its code's own unit; nothing when it has no number or its unit does not
  // convert. Without a listed code the number itself.
  std::optional<double> canonical_number(const Record& record) const;
  // How the record's numbers come to be in its code's own unit, where that leads from one kind of
  // amount to another (mg/dL to mmol/L); nothing where it does not.
  std::optional<ucum::Conversion> crossing(const Record& record) const;
  // The reference range that holds for a record, in its code's own unit: each end its own, else the
  // code's. Numbers alone, without the texts.
  Range canonical_range(const Record& record) const;
  // The three of them at once, for the way of every record.
  struct Canonical {
    std::optional<double> number;
    Range range;
    std::optional<ucum::Conversion> crossing;
  };
  Canonical canonical(const Record& record) const;

 private:
  friend class StudyLoader;
  std::array<bool, kKinds> open_{};
  std::array<std::map<std::string, Code, std::less<>>, kKinds> codes_;
  // The code of each coding: by its system, a zero byte, its code.
  std::array<std::map<std::string, std::string, std::less<>>, kKinds> by_coding_;
  std::function<bool(std::string_view)> subject_fits_;  // empty: every id fits
};

inline constexpr std::size_t kDefinitionFileBytesMax = 4 << 20;
inline constexpr std::size_t kDefinitionFilesMax = 256;
inline constexpr std::size_t kSubjectPatternCharsMax = 200;

// Reads study.toml and keeps the texts of the other files. Lists every fault.
base::Result<Study, DefinitionFaults> load_study(const std::string& folder);
// The same from texts, for tests and for definitions read back from the store.
base::Result<Study, DefinitionFaults> load_study(std::vector<DefinitionFile> files);

// As much of a study as can be read, and its faults. When there are any, the study is not whole:
// codes with a fault are missing, and it serves only to look for faults in the rules as well.
struct StudyReading {
  Study study;
  DefinitionFaults faults;
};
StudyReading read_study(std::vector<DefinitionFile> files);

}  // namespace trialward::model
