// Submissions as the server makes them of invented records, without a server: decoded and checked
// against the study, ready to be committed. Also registers the study in the store. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/simulate_trial.h"
#include "intake/submission.h"
#include "model/decode_record.h"
#include "store/writer.h"

namespace trialward::bench {


class Submissions {
 public:
  // Errors: the study has faults, or cannot be stored.
  static base::Result<std::unique_ptr<Submissions>> open(store::Writer& writer,
                                                         const std::string& study_folder,
                                                         cli::TrialOptions trial);
  // That many, a record each. Errors: a record that the study does not allow.
  base::Result<std::vector<intake::Submission>> next(std::size_t count);

 private:
  Submissions(std::shared_ptr<const intake::ActiveStudy> study, cli::TrialOptions trial)
      : study_(std::move(study)), trial_(std::move(trial)) {}

  const base::SystemClock clock_;
  const std::shared_ptr<const intake::ActiveStudy> study_;  // shared: each submission names it
  cli::InventedTrial trial_;
  model::RecordDecoder decoder_;
};

// An error unless everything was stored.
base::Status all_stored(const std::vector<intake::SubmissionResult>& results);

}  // namespace trialward::bench
