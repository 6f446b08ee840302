// The numbers of /metrics, in Prometheus' text format. Counters and histograms are fed as things
// happen, from any thread; gauges are filled in by sample() just before the text is made.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "delivery/delivery.h"
#include "delivery/subscriptions.h"
#include "formulary/formulary.h"
#include "http/outbound_client.h"
#include "http/stats.h"
#include "intake/intake.h"
#include "monitor/escalator.h"
#include "reports/report_jobs.h"
#include "runtime/gate.h"
#include "runtime/memory_ladder.h"
#include "schedule/sync.h"

namespace trialward::api {

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void batch(const intake::BatchReport& report);
  // From the last byte of the request to the alert's being handed to its subscribers.
  void alert_published(base::Duration latency);
  void alert_event(const model::AlertEvent& event);

  // What is so at this moment.
  struct Sample {
    std::vector<runtime::LaneStats> lanes;
    std::vector<runtime::GateClassStats> reads;
    const http::Stats* http = nullptr;
    std::size_t live_tasks = 0, overdue_tasks = 0;
    std::size_t streams = 0, subscribers = 0;
    std::uint64_t subscribers_cut_off = 0;
    runtime::MemoryStep memory = runtime::MemoryStep::calm;
    bool store_failed = false;
    bool on_duty = true;  // among the nodes that share the store
    std::vector<delivery::TargetReport> targets;
    delivery::SubscriptionsReport subscriptions;
    std::vector<http::RemoteStats> remotes;
    schedule::SyncReports syncs;  // by study
    monitor::Escalator::Waiting waiting;
    std::size_t escalations_in_flight = 0;
    reports::ReportJobsStats reports;
    std::size_t report_dataset_bytes = 0;
    std::optional<formulary::FormularyState> formulary;
  };
  void sample(const Sample& sample);
  std::string text() const;

 private:
  struct Families;
  void sample_targets(const std::vector<delivery::TargetReport>& targets);
  void sample_subscriptions(const delivery::SubscriptionsReport& subscriptions);
  void sample_formulary(const formulary::FormularyState& formulary);
  void sample_reports(const reports::ReportJobsStats& reports);
  void sample_syncs(const schedule::SyncReports& syncs);
  void sample_remotes(const std::vector<http::RemoteStats>& remotes);

  const std::unique_ptr<Families> families_;
};

}  // namespace trialward::api
