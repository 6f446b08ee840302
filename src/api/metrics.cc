#include "api/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>

namespace trialward::api {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;

// Seconds, from 0.1 ms to 10 s.
const Buckets kSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02,
                          0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
// Seconds of what should take none, up to a weekend in which the program was down.
const Buckets kLate = {1, 2, 5, 10, 60, 600, 3600, 6 * 3600, 24 * 3600, 72 * 3600};
const Buckets kItems = {1, 2, 5, 10, 20, 50, 100, 200, 500, 1000};

std::string lane_name(std::size_t lane) {
  return std::string(intake::to_string(static_cast<intake::Lane>(lane)));
}

// Of what is counted elsewhere; one thread samples.
void count_up_to(prometheus::Counter& counter, std::uint64_t total) {
  counter.Increment(static_cast<double>(total) - counter.Value());
}

}  // namespace

struct Metrics::Families {
  prometheus::Registry registry;

  prometheus::Family<prometheus::Counter>& counter(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<prometheus::Gauge>& gauge(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<prometheus::Histogram>& histogram(const char* name, const char* help) {
    return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
  }

  prometheus::Counter& records =
      counter("trialward_records_stored_total", "Records stored for the first time").Add({});
  prometheus::Counter& repeated =
      counter("trialward_records_repeated_total", "Records that were there already").Add({});
  prometheus::Counter& expired =
      counter("trialward_submissions_expired_total", "Submissions past their deadline in the queue")
          .Add({});
  prometheus::Family<prometheus::Counter>& verdicts =
      counter("trialward_submissions_total", "Submissions that reached a commit, by verdict");
  prometheus::Histogram& batch_items =
      histogram("trialward_batch_items", "Submissions committed together").Add({}, kItems);
  prometheus::Histogram& batch_work =
      histogram("trialward_batch_work_seconds", "A batch's work before its commit")
          .Add({}, kSeconds);
  prometheus::Histogram& commit =
      histogram("trialward_commit_seconds", "A batch's commit, the fsync included")
          .Add({}, kSeconds);
  prometheus::Histogram& checkpoint =
      histogram("trialward_checkpoint_seconds",
                "Moving the WAL into the database file, between two batches")
          .Add({}, kSeconds);
  prometheus::Gauge& wal =
      gauge("trialward_wal_bytes",
            "The WAL's part in use (SQLite); above 256 MiB somebody else keeps the store open")
          .Add({});
  prometheus::Gauge& subjects =
      gauge("trialward_subject_cache_subjects", "Subjects that the commit has at hand").Add({});
  prometheus::Gauge& subject_bytes =
      gauge("trialward_subject_cache_bytes",
            "Memory of what is remembered of them, about; bounded by serve --subject-cache")
          .Add({});
  prometheus::Counter& subjects_evicted =
      counter("trialward_subject_cache_evictions_total",
              "Subjects that had to go for others and are read again when they come")
          .Add({});
  prometheus::Family<prometheus::Histogram>& waits =
      histogram("trialward_lane_wait_seconds", "Time in the queue, by lane");
  prometheus::Histogram& alert_latency =
      histogram("trialward_alert_latency_seconds",
                "From a request's last byte to its alert's being handed to subscribers")
          .Add({}, kSeconds);

  prometheus::Family<prometheus::Gauge>& lane_items =
      gauge("trialward_lane_items", "Items that wait, by lane");
  prometheus::Family<prometheus::Gauge>& lane_bytes =
      gauge("trialward_lane_bytes", "Bytes that wait or have a ticket, by lane");
  prometheus::Family<prometheus::Gauge>& lane_oldest =
      gauge("trialward_lane_oldest_seconds", "How long the oldest item has waited, by lane");
  prometheus::Family<prometheus::Counter>& refusals =
      counter("trialward_lane_refusals_total", "Refusals by lane and reason");
  prometheus::Family<prometheus::Gauge>& connections =
      gauge("trialward_connections", "Open HTTP connections");
  prometheus::Family<prometheus::Gauge>& sync_lag =
      gauge("trialward_schedule_sync_lag_seconds",
            "By how much the cycle that runs or is due is behind its period");
  prometheus::Family<prometheus::Gauge>& sync_seconds =
      gauge("trialward_schedule_sync_cycle_seconds", "How long the last cycle took");
  prometheus::Family<prometheus::Gauge>& sync_running =
      gauge("trialward_schedule_sync_running", "1 while a cycle runs");
  prometheus::Family<prometheus::Gauge>& sync_breaker =
      gauge("trialward_schedule_sync_breaker_closed", "1 while the partner may be called");
  prometheus::Family<prometheus::Counter>& sync_cycles =
      counter("trialward_schedule_sync_cycles_total", "Cycles, by how they ended");
  prometheus::Family<prometheus::Gauge>& sync_subjects =
      gauge("trialward_schedule_sync_subjects", "Subjects of the last cycle, by what came of them");
  prometheus::Family<prometheus::Counter>& http_events =
      counter("trialward_http_events_total", "What the HTTP server counted");
  prometheus::Family<prometheus::Gauge>& reads =
      gauge("trialward_database_connections",
            "Database connections by class and state: held, of them borrowed; work that waits");
  prometheus::Family<prometheus::Counter>& reads_granted =
      counter("trialward_database_connections_granted_total",
              "How often work was given a database connection, by class");
  prometheus::Family<prometheus::Counter>& reads_refused =
      counter("trialward_database_connections_refused_total",
              "How often work was not: too many waited, or it waited too long; by class");
  prometheus::Family<prometheus::Gauge>& report_runs =
      gauge("trialward_report_runs", "Reports that wait or are being made, by state");
  prometheus::Family<prometheus::Counter>& report_ends =
      counter("trialward_report_runs_total",
              "Reports that came to an end, by how; those that were "
              "asked for again while they were made; refused jobs");
  prometheus::Family<prometheus::Gauge>& report_bytes =
      gauge("trialward_report_bytes", "Of the results that are kept");
  prometheus::Family<prometheus::Gauge>& report_dataset_bytes =
      gauge("trialward_report_dataset_bytes", "Of records in memory, for reports");
  prometheus::Family<prometheus::Gauge>& tasks = gauge("trialward_tasks", "Live tasks");
  prometheus::Family<prometheus::Gauge>& streams =
      gauge("trialward_streams", "Live streams, by kind");
  prometheus::Family<prometheus::Counter>& cut_off =
      counter("trialward_alert_streams_cut_off_total", "Subscribers that read too slowly");
  prometheus::Family<prometheus::Gauge>& resident =
      gauge("process_resident_memory_bytes", "Resident memory");
  prometheus::Family<prometheus::Gauge>& memory =
      gauge("trialward_memory_step", "0 calm, 1 tight, 2 scarce: only what is urgent is taken");
  prometheus::Family<prometheus::Gauge>& failed =
      gauge("trialward_store_failed", "1 after the store could not be written");
  prometheus::Family<prometheus::Gauge>& on_duty =
      gauge("trialward_node_on_duty",
            "Whether this node escalates, delivers and finds what is due (1) or another one that "
            "shares its store (0)");

  prometheus::Family<prometheus::Counter>& alert_events =
      counter("trialward_alert_events_total",
              "What happened to alerts, by type, severity and whether they are historical");
  prometheus::Family<prometheus::Counter>& escalations =
      counter("trialward_escalations_total",
              "Tiers told that nobody has acknowledged, by severity and kind (alert, storm)");
  prometheus::Histogram& escalation_late =
      histogram("trialward_escalation_late_seconds", "How much later than due a tier was told")
          .Add({}, kLate);
  prometheus::Family<prometheus::Counter>& storms =
      counter("trialward_storms_total",
              "Of storms: how often they were told, and the alerts that joined them, by what");
  prometheus::Family<prometheus::Gauge>& waiting =
      gauge("trialward_alerts_waiting", "What nobody has acknowledged, by kind (alert, storm)");
  prometheus::Family<prometheus::Gauge>& escalating =
      gauge("trialward_escalations_in_flight", "Tiers that are due and being told");

  prometheus::Family<prometheus::Gauge>& delivery_rows =
      gauge("trialward_delivery_rows", "Rows of the outbox, by target and state (pending, dead)");
  prometheus::Family<prometheus::Gauge>& delivery_oldest =
      gauge("trialward_delivery_oldest_pending_seconds",
            "How long the oldest undelivered alert event has waited, by target");
  prometheus::Family<prometheus::Gauge>& delivery_in_flight =
      gauge("trialward_delivery_in_flight", "Attempts without an answer yet, by target");
  prometheus::Family<prometheus::Gauge>& delivery_breaker =
      gauge("trialward_delivery_breaker_state", "0 closed, 1 open, 2 half-open, by target");
  prometheus::Family<prometheus::Gauge>& delivery_budget =
      gauge("trialward_delivery_retry_budget", "Repetitions that are saved up, by target");
  prometheus::Family<prometheus::Counter>& delivery_attempts =
      counter("trialward_delivery_attempts_total",
              "Attempts by target and outcome (delivered, failed, refused)");
  prometheus::Family<prometheus::Gauge>& subscriptions =
      gauge("trialward_subscriptions", "FHIR's subscriptions by status, at the node on duty");
  prometheus::Family<prometheus::Counter>& notices =
      counter("trialward_subscription_requests_total",
              "Requests for subscriptions, by outcome (taken, failed)");
  prometheus::Family<prometheus::Gauge>& remote_requests =
      gauge("trialward_remote_requests", "Requests to a remote, by state (waiting, in_flight)");
  prometheus::Family<prometheus::Counter>& remote_ended =
      counter("trialward_remote_requests_total", "Requests that ended, by remote and failure");
  prometheus::Family<prometheus::Gauge>& formulary =
      gauge("trialward_formulary", "The list of drugs: drugs, plans, bytes of memory");
  prometheus::Family<prometheus::Gauge>& formulary_staleness =
      gauge("trialward_formulary_staleness_seconds",
            "Since the list was last known to be what its source has; without one since the start");
  prometheus::Family<prometheus::Counter>& formulary_refreshes =
      counter("trialward_formulary_refreshes_total",
              "Refreshes that ended, by how (taken, unchanged, refused)");
  prometheus::Family<prometheus::Gauge>& formulary_refusal =
      gauge("trialward_formulary_last_refusal",
            "1 for why the last refresh was refused, by kind; all 0 when it was not");
  prometheus::Family<prometheus::Gauge>& formulary_alert =
      gauge("trialward_formulary_alert", "1 while the alert is raised that the list is stale");
  prometheus::Family<prometheus::Counter>& remote_seconds =
      counter("trialward_remote_seconds_total", "Time until they ended, together, by remote");
};

Metrics::Metrics() : families_(std::make_unique<Families>()) {}
Metrics::~Metrics() = default;

void Metrics::batch(const intake::BatchReport& report) {
  Families& f = *families_;
  f.records.Increment(static_cast<double>(report.records));
  f.repeated.Increment(static_cast<double>(report.repeated));
  f.expired.Increment(static_cast<double>(report.expired));
  for (std::size_t i = 0; i < report.verdicts.size(); ++i) {
    if (report.verdicts[i] == 0) continue;
    const auto verdict = static_cast<intake::Verdict>(i);
    f.verdicts.Add({{"verdict", std::string(intake::to_string(verdict))}})
        .Increment(static_cast<double>(report.verdicts[i]));
  }
  if (report.served.empty()) return;
  f.batch_items.Observe(static_cast<double>(report.served.size()));
  f.batch_work.Observe(base::in_seconds(report.work));
  f.wal.Set(static_cast<double>(report.wal_bytes));
  f.subjects.Set(static_cast<double>(report.subjects.subjects));
  f.subject_bytes.Set(static_cast<double>(report.subjects.bytes));
  count_up_to(f.subjects_evicted, report.subjects.evicted);
  f.commit.Observe(base::in_seconds(report.commit));
  if (report.checkpoint > base::Duration())
    f.checkpoint.Observe(base::in_seconds(report.checkpoint));
  std::array<prometheus::Histogram*, intake::kLanes> waits{};
  for (const runtime::Served& served : report.served) {
    prometheus::Histogram*& wait = waits[served.lane];
    if (wait == nullptr) wait = &f.waits.Add({{"lane", lane_name(served.lane)}}, kSeconds);
    wait->Observe(base::in_seconds(served.waited));
  }
}

void Metrics::alert_published(base::Duration latency) {
  families_->alert_latency.Observe(base::in_seconds(latency));
}

void Metrics::alert_event(const model::AlertEvent& event) {
  Families& f = *families_;
  const model::AlertDetail& detail = event.detail;
  f.alert_events
      .Add({{"type", std::string(model::to_string(event.type))},
            {"severity", event.severity},
            {"historical", event.historical ? "true" : "false"}})
      .Increment();
  const bool enters = event.type == model::AlertEventType::stormed && detail.count == 0;
  const bool leads = event.type == model::AlertEventType::stormed && detail.storm == event.alert;
  if (leads) f.storms.Add({{"what", "told"}}).Increment();
  if (enters || (event.type == model::AlertEventType::raised && detail.storm != 0)) {
    f.storms.Add({{"what", "alerts"}}).Increment();
  }
  if (event.type != model::AlertEventType::escalated) return;
  f.escalations.Add({{"severity", event.severity}, {"kind", detail.storm != 0 ? "storm" : "alert"}})
      .Increment();
  f.escalation_late.Observe(static_cast<double>(detail.late_ms) / 1000);
}

void Metrics::sample(const Sample& sample) {
  Families& f = *families_;
  for (const runtime::LaneStats& lane : sample.lanes) {
    const prometheus::Labels labels = {{"lane", lane.name}};
    f.lane_items.Add(labels).Set(static_cast<double>(lane.counts.items));
    f.lane_bytes.Add(labels).Set(static_cast<double>(lane.counts.bytes));
    f.lane_oldest.Add(labels).Set(base::in_seconds(lane.oldest_age));
    for (std::size_t i = 0; i < lane.counts.refused.size(); ++i) {
      const std::string reason(runtime::to_string(static_cast<runtime::Refusal>(i)));
      count_up_to(f.refusals.Add({{"lane", lane.name}, {"reason", reason}}),
                  lane.counts.refused[i]);
    }
  }
  for (const runtime::GateClassStats& read : sample.reads) {
    const auto set = [&](const char* state, double value) {
      f.reads.Add({{"class", read.name}, {"state", state}}).Set(value);
    };
    set("held", static_cast<double>(read.in_use));
    set("borrowed", static_cast<double>(read.borrowed));
    set("waiting", static_cast<double>(read.waiting));
    count_up_to(f.reads_granted.Add({{"class", read.name}}), read.granted);
    count_up_to(f.reads_refused.Add({{"class", read.name}}), read.refused);
  }
  sample_reports(sample.reports);
  f.report_dataset_bytes.Add({}).Set(static_cast<double>(sample.report_dataset_bytes));
  if (sample.http != nullptr) {
    const http::Stats& http = *sample.http;
    f.connections.Add({}).Set(static_cast<double>(http.connections_open.get()));
    const auto event = [&](const char* name, const http::Counter& counter) {
      count_up_to(f.http_events.Add({{"event", name}}), counter.get());
    };
    event("accepted", http.connections_accepted);
    event("gave_way", http.gave_way);
    event("refused_total", http.refused_total);
    event("refused_per_address", http.refused_per_address);
    event("requests", http.requests);
    event("malformed", http.malformed);
    event("head_too_large", http.head_too_large);
    event("body_too_large", http.body_too_large);
    event("not_admitted", http.not_admitted);
    event("unanswered", http.unanswered);
    event("handshake_timeout", http.handshake_timeouts);
    event("header_timeout", http.header_timeouts);
    event("body_timeout", http.body_timeouts);
    event("idle_timeout", http.idle_timeouts);
    event("write_timeout", http.write_timeouts);
    event("bytes_in", http.bytes_in);
    event("bytes_out", http.bytes_out);
  }
  f.tasks.Add({{"state", "live"}}).Set(static_cast<double>(sample.live_tasks));
  f.tasks.Add({{"state", "overdue"}}).Set(static_cast<double>(sample.overdue_tasks));
  f.streams.Add({{"kind", "records"}}).Set(static_cast<double>(sample.streams));
  f.streams.Add({{"kind", "alerts"}}).Set(static_cast<double>(sample.subscribers));
  count_up_to(f.cut_off.Add({}), sample.subscribers_cut_off);
  f.resident.Add({}).Set(static_cast<double>(runtime::resident_bytes()));
  f.memory.Add({}).Set(static_cast<double>(sample.memory));
  f.failed.Add({}).Set(sample.store_failed ? 1 : 0);
  f.on_duty.Add({}).Set(sample.on_duty ? 1 : 0);
  f.waiting.Add({{"kind", "alert"}}).Set(static_cast<double>(sample.waiting.alerts));
  f.waiting.Add({{"kind", "storm"}}).Set(static_cast<double>(sample.waiting.storms));
  f.escalating.Add({}).Set(static_cast<double>(sample.escalations_in_flight));
  sample_targets(sample.targets);
  sample_subscriptions(sample.subscriptions);
  sample_remotes(sample.remotes);
  sample_syncs(sample.syncs);
  if (sample.formulary) sample_formulary(*sample.formulary);
}

void Metrics::sample_formulary(const formulary::FormularyState& formulary) {
  Families& f = *families_;
  const auto set = [&](const char* what, std::uint64_t value) {
    f.formulary.Add({{"what", what}}).Set(static_cast<double>(value));
  };
  set("drugs", formulary.drugs);
  set("plans", formulary.plans);
  set("bytes", formulary.bytes);
  f.formulary_staleness.Add({}).Set(formulary.staleness_s);
  const auto ends = [&](const char* how, std::uint64_t count) {
    count_up_to(f.formulary_refreshes.Add({{"end", how}}), count);
  };
  ends("taken", formulary.taken);
  ends("unchanged", formulary.unchanged);
  ends("refused", formulary.refused);
  for (std::size_t i = 0; i < formulary::kRefusalKinds; ++i) {
    const auto kind = static_cast<formulary::RefusalKind>(i);
    const bool is = formulary.last_refusal && formulary.last_refusal->kind == kind;
    f.formulary_refusal.Add({{"kind", std::string(to_string(kind))}}).Set(is ? 1 : 0);
  }
  f.formulary_alert.Add({}).Set(formulary.alert_ms ? 1 : 0);
}

void Metrics::sample_reports(const reports::ReportJobsStats& reports) {
  Families& f = *families_;
  f.report_runs.Add({{"state", "waiting"}}).Set(static_cast<double>(reports.waiting));
  f.report_runs.Add({{"state", "running"}}).Set(static_cast<double>(reports.running));
  f.report_bytes.Add({}).Set(static_cast<double>(reports.kept_bytes));
  count_up_to(f.report_ends.Add({{"end", "done"}}), reports.done);
  count_up_to(f.report_ends.Add({{"end", "failed"}}), reports.failed);
  count_up_to(f.report_ends.Add({{"end", "cancelled"}}), reports.cancelled);
  count_up_to(f.report_ends.Add({{"end", "shared"}}), reports.shared);
  count_up_to(f.report_ends.Add({{"end", "refused"}}), reports.refused);
}

void Metrics::sample_targets(const std::vector<delivery::TargetReport>& targets) {
  Families& f = *families_;
  for (const delivery::TargetReport& target : targets) {
    const prometheus::Labels labels = {{"target", target.name}};
    const auto rows = [&](const char* state, std::int64_t count) {
      f.delivery_rows.Add({{"target", target.name}, {"state", state}})
          .Set(static_cast<double>(count));
    };
    rows("pending", target.pending);
    rows("dead", target.dead);
    f.delivery_oldest.Add(labels).Set(base::in_seconds(target.oldest_pending));
    if (!target.configured) continue;
    f.delivery_in_flight.Add(labels).Set(static_cast<double>(target.in_flight));
    f.delivery_breaker.Add(labels).Set(static_cast<double>(target.breaker.state));
    f.delivery_budget.Add(labels).Set(target.budget);
    const auto attempts = [&](const char* outcome, std::uint64_t count) {
      count_up_to(f.delivery_attempts.Add({{"target", target.name}, {"outcome", outcome}}), count);
    };
    attempts("delivered", target.delivered);
    attempts("failed", target.failed);
    attempts("refused", target.refused);
  }
}

void Metrics::sample_subscriptions(const delivery::SubscriptionsReport& subscriptions) {
  Families& f = *families_;
  for (std::size_t i = 0; i < subscriptions.statuses.size(); ++i) {
    const auto status = static_cast<store::SubscriptionStatus>(i);
    f.subscriptions.Add({{"status", std::string(store::to_string(status))}})
        .Set(static_cast<double>(subscriptions.statuses[i]));
  }
  count_up_to(f.notices.Add({{"outcome", "taken"}}), subscriptions.taken);
  count_up_to(f.notices.Add({{"outcome", "failed"}}), subscriptions.failed);
}

void Metrics::sample_syncs(
    const schedule::SyncReports& syncs) {
  Families& f = *families_;
  for (const auto& [study, report] : syncs) {
    const prometheus::Labels labels{{"study", study}};
    f.sync_lag.Add(labels).Set(base::in_seconds(report.lag));
    f.sync_seconds.Add(labels).Set(base::in_seconds(report.task.last_duration));
    f.sync_running.Add(labels).Set(report.task.running ? 1 : 0);
    f.sync_breaker.Add(labels).Set(
        report.remote.breaker.state == runtime::BreakerState::closed ? 1 : 0);
    count_up_to(f.sync_cycles.Add({{"study", study}, {"result", "failed"}}),
                report.task.failures);
    count_up_to(f.sync_cycles.Add({{"study", study}, {"result", "whole"}}),
                report.task.runs - report.task.failures);
    if (!report.last) continue;
    for (std::size_t i = 1; i < store::kSyncStates; ++i) {
      const std::string state(store::to_string(static_cast<store::SyncState>(i)));
      f.sync_subjects.Add({{"study", study}, {"state", state}})
          .Set(static_cast<double>(report.last->states[i]));
    }
  }
}

void Metrics::sample_remotes(const std::vector<http::RemoteStats>& remotes) {
  Families& f = *families_;
  for (const http::RemoteStats& remote : remotes) {
    const auto requests = [&](const char* state, std::size_t count) {
      f.remote_requests.Add({{"remote", remote.remote}, {"state", state}})
          .Set(static_cast<double>(count));
    };
    requests("waiting", remote.waiting);
    requests("in_flight", remote.in_flight);
    for (std::size_t i = 0; i < remote.ended.size(); ++i) {
      if (remote.ended[i] == 0) continue;
      const std::string failure(base::to_string(static_cast<base::OutboundFailure>(i)));
      count_up_to(f.remote_ended.Add({{"remote", remote.remote}, {"failure", failure}}),
                  remote.ended[i]);
    }
    const double took = base::in_seconds(remote.took);
    prometheus::Counter& total = f.remote_seconds.Add({{"remote", remote.remote}});
    total.Increment(std::max(0.0, took - total.Value()));
  }
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(families_->registry.Collect());
}

}  // namespace trialward::api
