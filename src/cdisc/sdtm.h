// SDTM datasets → records: the domains DM AE LB VS QS EX DS CM MH SV SC of SDTMIG 3.x.
//
//   source, source_id  "sdtm.lb", USUBJID/--SEQ; DM: USUBJID; SV: USUBJID/VISITNUM/SVSTDTC
//   subject, site      USUBJID; SITEID in DM
//   code               --TESTCD; AE, MH, DS: --DECOD else --TERM; CM: CMDECOD else CMTRT;
//                      "UNCODED" counts as no --DECOD; EX: EXTRT; SV: VISIT else VISITNUM; DM: "DM"
//   value, unit        --ORRES and --ORRESU as they were collected, a number where it is one.
//                      "NO UNITS" is none. A questionnaire's answer in words has its score,
//                      QSSTRESN, as the number beside it.
//   not_done           --REASND when --STAT is NOT DONE
//   range              --ORNRLO and --ORNRHI where they are numbers
//   kind               SC: demographics, with a value; the subject is enrolled by DM before it
//   effective          LB, VS, QS, SC: --DTC; DM: RFSTDTC else DMDTC; else --STDTC
//   visit, baseline    VISIT, --BLFL
//   serious, severity  AESER; AESEV else AETOXGR
//   attributes         every other column that is not empty, under its lower-case name. What names
//                      the treatment has names that are blinded (model/record.h): ARM (else ARMCD)
//                      is "arm", ACTARM (else ACTARMCD) "actual_arm", ACTARMUD "treatment"; the
//                      codes ARMCD and ACTARMCD stay out otherwise.
//   original           the row's bytes as read
//
// Immutable once made, so every thread may use it. Faults name the SDTM variable: "/LBORRES".
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "cdisc/dataset_json.h"
#include "model/fault.h"
#include "model/record.h"

namespace trialward::cdisc {

class SdtmMapper {
 public:
  // Invalid: a domain that is not listed above, or one without a column that its records need.
  static base::Result<SdtmMapper> make(const Metadata& metadata);

  // A record that passes model::check_form, or all that is wrong with the row.
  base::Result<model::Record, model::Faults> to_record(const Row& row) const;

  // Faults that name members of the record ("/value"), such as model::check_record's, with the
  // names of the variables that these came from ("/LBORRES").
  model::Faults name_variables(const model::Faults& faults) const;

 private:
  class Reading;  // of one row: sdtm_row.cc
  struct Attribute {
    std::string name;
    std::vector<int> columns;  // the first that is not empty counts
  };

  SdtmMapper() = default;
  // A variable's name, in which "--" stands for the domain's two letters, and its column's index.
  static constexpr int kAbsent = -1;
  std::string variable_name(std::string_view variable) const;
  int column(std::string_view variable) const;
  std::vector<int> columns(std::span<const std::string_view> variables) const;
  void find_columns();
  void plan_attributes();
  void plan_paths();

  std::string_view domain_;  // its two letters
  model::Kind kind_ = model::Kind::lab;
  std::vector<std::string> names_;  // of the columns
  std::string source_;
  int subject_ = kAbsent, site_ = kAbsent, visit_ = kAbsent, baseline_ = kAbsent;
  int result_ = kAbsent, unit_ = kAbsent, score_ = kAbsent, status_ = kAbsent, reason_ = kAbsent;
  int low_ = kAbsent, high_ = kAbsent, serious_ = kAbsent;
  std::vector<int> id_, code_, effective_, severity_;
  std::vector<Attribute> attributes_;                       // sorted by name
  std::vector<std::pair<std::string, std::string>> paths_;  // of the record, of its variable
};

}  // namespace trialward::cdisc
