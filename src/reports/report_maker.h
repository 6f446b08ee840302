// Makes the reports that ReportJobs runs: takes the positions, loads the dataset or finds it on the
// shelf, and writes the result in every format at once, each to a file of its own. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "reports/dataset_shelf.h"
#include "reports/past.h"
#include "reports/report.h"
#include "reports/report_jobs.h"

namespace trialward::reports {

struct ReportMakerOptions {
  std::uint64_t result_bytes_max = 64 << 20;  // of one format
  std::size_t dataset_bytes_max = std::size_t{512} << 20;
  std::string program;  // its version, which results state
  DatasetShelfOptions shelf;
  TellCoverage coverage;  // of reports as of now
};

class ReportMaker {
 public:
  // Connections for one run, which waits for one no longer than until `cancel` fires.
  using MakeReaders = std::function<std::unique_ptr<Readers>(const runtime::Cancel& cancel)>;

  ReportMaker(ReportMakerOptions options, MakeReaders readers, const base::Clock& clock,
              std::function<std::uint64_t()> version)
      : options_(std::move(options)),
        make_readers_(std::move(readers)),
        clock_(clock),
        shelf_(options_.shelf, clock, version),
        past_(std::move(version)) {
    TW_CHECK(options_.dataset_bytes_max <= options_.shelf.bytes_max);
  }

  struct Wanted {
    Request request;  // has passed check_request
    // All that is asked for with it, and itself: what the dataset must serve.
    std::shared_ptr<const std::vector<Request>> together;
    std::optional<AsOf> as_of;  // none: now
  };
  // The maker must outlive what it gives. The run's result: a file for each Format, in their order.
  MakeReport make(const ReportStudy& study, Wanted wanted);
  // What makes two wants the same.
  static std::string key(const ReportStudy& study, const Wanted& wanted);

  void sweep() { shelf_.sweep(); }
  std::size_t dataset_bytes() const { return shelf_.bytes(); }

 private:
  base::Result<std::vector<ResultFile>> run(const ReportStudy& study, const Wanted& wanted,
                                            const RunContext& context);
  DatasetShelf::Loaded dataset(const ReportStudy& study, const Wanted& wanted,
                               const RunContext& context);
  DatasetShelf::Loaded load(const ReportStudy& study, const DatasetShelf::Wish& wish,
                            const Reading& reading, const Source::Grow& grow) const;
  base::Result<std::vector<ResultFile>> write(const Request& request, const Dataset& dataset,
                                              const RunContext& context,
                                            const TellCoverage& coverage) const;

  const ReportMakerOptions options_;
  const MakeReaders make_readers_;
  const base::Clock& clock_;
  DatasetShelf shelf_;
  Past past_;
};

}  // namespace trialward::reports
