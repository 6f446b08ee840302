// Those who follow report jobs over server-sent events: an event `job` with the whole state each
// time that it changes, the last with "ended":true; or `gone` when the job was cancelled. Whoever
// reads slowly is told less often, never a backlog. Any thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "api/principal.h"
#include "http/exchange.h"
#include "reports/report_jobs.h"

namespace trialward::api {

class ReportFollowers {
 public:
  // What a job looks like now, as JSON, and whether it has ended; nothing once it has gone.
  struct Look {
    std::string json;
    bool ended = false;
  };
  using LookAt = std::function<std::optional<Look>(const std::string& job)>;

  ReportFollowers(reports::ReportJobs& jobs, LookAt look, std::size_t max)
      : jobs_(jobs), look_(std::move(look)), max_(max) {}

  // Answers the exchange, until the job has ended or its client has gone; `gone`, if there is one,
  // is then called. False when there are too many already: the exchange is still to be answered.
  bool follow(const std::shared_ptr<http::Exchange>& exchange, const std::string& job,
              std::shared_ptr<const Principal> principal, std::function<void()> gone = {});
  // Ends those of who is not `admitted` any more.
  void end_unless(const std::function<bool(const Principal&)>& admitted);
  // Lets all go.
  void close();
  std::size_t size() const;

 private:
  class Follower;
  void remove(const std::shared_ptr<Follower>& follower);

  reports::ReportJobs& jobs_;
  const LookAt look_;
  const std::size_t max_;
  mutable std::mutex mutex_;
  std::set<std::shared_ptr<Follower>> followers_;  // guarded by mutex_
  bool closed_ = false;                            // guarded by mutex_
};

}  // namespace trialward::api
