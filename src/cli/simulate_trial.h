// InventedTrial: the records of a trial that never was, one after the other: heart rates and
// liver values of subjects PREFIX1 … PREFIXn, as studies/demo knows them. Most are unremarkable:
// normal, and for each subject about as large as they usually are. A settable share is an ALT of
// three to ten times its upper limit, another a serious adverse event: both raise an alert. Equal
// options give equal records, so a run that is repeated with its seed stores nothing new.
// Not thread-safe. Nothing here fails.
#pragma once

#include <cstdint>
#include <string>

#include "base/random.h"

namespace trialward::cli {

// What the records are sent as.
enum class SentAs {
  records,       // the native JSON
  observations,  // FHIR Observations, for Bundles
  responses,     // FHIR responses to studies/demo's PHQ-9; an alarming one says item 9
};

struct TrialOptions {
  SentAs sent_as = SentAs::records;
  std::uint64_t seed = 1;
  std::string subject_prefix = "SUBJ-";
  std::uint64_t subjects = 1000;
  double alert_share = 0.001;  // 0 to 1
  double serious_share = 0;    // of what is left; they go by the safety lane
};

struct InventedRecord {
  std::string source_id;  // "R-1", "R-2" …
  std::string json;       // without an end of line
  bool alarming = false;
};

class InventedTrial {
 public:
  explicit InventedTrial(TrialOptions options);

  InventedRecord next();
  const std::string& source() const { return source_; }  // "simulate-SEED"

 private:
  bool drawn(double share);
  InventedRecord next_response();

  const TrialOptions options_;
  const std::string source_;
  base::SeededRandom random_;
  std::uint64_t made_ = 0;
};

}  // namespace trialward::cli
