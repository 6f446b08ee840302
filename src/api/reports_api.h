// The routes of reports. A job belongs to the token that asked for it: others are told that there
// is none.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "api/metrics.h"
#include "api/read_pool.h"
#include "api/report_followers.h"
#include "api/report_request.h"
#include "api/route.h"
#include "api/token_slots.h"
#include "reports/report_jobs.h"
#include "reports/report_maker.h"
#include "runtime/job_pool.h"
#include "runtime/memory_ladder.h"

namespace trialward::api {

struct ReportsOptions {
  reports::ReportJobsOptions jobs;
  reports::ReportMakerOptions maker;
  std::size_t followers_max = 256;
  std::size_t downloads_max = 64;
  std::size_t downloads_per_token_max = 8;
  base::Duration piece_deadline = std::chrono::seconds(10);  // of reading a piece of a result
};

class ReportsApi {
 public:
  // `version` grows with each commit to the store. Errors: unavailable (the folder of results),
  // invalid (a study's settings of reports).
  static base::Result<std::unique_ptr<ReportsApi>> open(
      ReportsOptions options, const Studies& studies, ReadPool& reads, const TokenTable& tokens,
      const runtime::MemoryLadder& memory, std::function<std::uint64_t()> version,
      runtime::TaskList& tasks, base::Random& random);

  // GET /v1/studies/{study}/reports: what reports there are, and the token's jobs, newest first
  http::Decision list(const Call& call);
  // POST /v1/studies/{study}/reports: 202 and the job; with ?follow=true its events, and the job is
  // cancelled when the client goes before it has ended
  http::Decision submit(const Call& call);
  // GET /v1/studies/{study}/reports/{job}: its state, or by Accept: text/event-stream its events
  http::Decision one(const Call& call);
  // DELETE /v1/studies/{study}/reports/{job}
  http::Decision cancel(const Call& call);
  // GET /v1/studies/{study}/reports/{job}/{number}: a result; ?format=json|csv|html
  http::Decision result(const Call& call);

  // Drops what is kept too long; to be called now and then.
  void sweep();
  // Refuses newcomers, ends all.
  void stop();
  void sample(Metrics::Sample& sample) const;

 private:
  class Download;
  struct Parts;
  struct Asker {
    std::shared_ptr<const Principal> principal;
    StudyPointer study;
  };
  using Places = std::map<std::int64_t, reports::ReportStudy>;  // by the study's row

  ReportsApi(ReportsOptions options, Parts parts);
  void begin(const Asker& asker, bool follow, const std::shared_ptr<http::Exchange>& exchange);
  // The caller's job that the path names.
  std::optional<reports::JobView> job_of(const Call& call) const;
  std::optional<ReportFollowers::Look> look(const std::string& job) const;
  std::string job_json(const reports::JobView& job) const;

  const ReportsOptions options_;
  const Places places_;
  std::map<std::int64_t, std::string> names_;  // of the studies, by row
  const base::Clock& clock_;
  const runtime::MemoryLadder& memory_;
  const TokenTable& tokens_;
  const std::function<std::uint64_t()> version_;
  TokenSlots downloads_;
  reports::ReportMaker maker_;
  const std::unique_ptr<reports::ReportJobs> jobs_;
  ReportFollowers followers_;
  runtime::JobPool files_;  // reads results from the disk
};

}  // namespace trialward::api
