#include "bench/submissions.h"

#include <utility>

#include "cli/study_folder.h"

namespace trialward::bench {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

Result<std::unique_ptr<Submissions>> Submissions::open(store::Writer& writer,
                                                       const std::string& study_folder,
                                                       cli::TrialOptions trial) {
  auto loaded = cli::load_study_folder(study_folder);
  if (!loaded) return Error{Errc::invalid, "the study " + study_folder + " has faults"};
  const base::SystemClock clock;
  if (auto done = cli::register_study(writer, *loaded, clock.utc_ms()); !done) return done.error();
  return std::unique_ptr<Submissions>(new Submissions(
      std::make_shared<const intake::ActiveStudy>(std::move(*loaded)), std::move(trial)));
}

Result<std::vector<intake::Submission>> Submissions::next(std::size_t count) {
  std::vector<intake::Submission> batch;
  batch.reserve(count);
  while (batch.size() < count) {
    const std::string json = trial_.next().json;
    auto record = decoder_.decode(json);
    if (!record) return Error{Errc::invalid, "the record " + json + " cannot be read"};
    record->original = json;
    intake::AppendRecord command;
    if (!intake::prepare(*study_, std::move(*record), clock_.utc_ms(), command).empty()) {
      return Error{Errc::invalid, "the record " + json + " breaks the study's definition"};
    }
    batch.push_back({.study = study_, .actor = "feed:1", .received_ms = clock_.utc_ms()});
    batch.back().commands.push_back(std::move(command));
  }
  return batch;
}

Status all_stored(const std::vector<intake::SubmissionResult>& results) {
  for (const intake::SubmissionResult& result : results) {
    if (result.verdict == intake::Verdict::stored) continue;
    return Error{Errc::invalid, "a record was not stored: " + result.faults.front().reason};
  }
  return {};
}

}  // namespace trialward::bench
