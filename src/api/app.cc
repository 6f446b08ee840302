#include "api/app.h"

#include <unistd.h>

#include <atomic>

#include "api/alert_streams.h"
#include "api/alerts_api.h"
#include "api/answers.h"
#include "api/cluster.h"
#include "api/commits.h"
#include "api/connection_room.h"
#include "api/deliveries_api.h"
#include "api/delivery_ledger.h"
#include "api/fhir_api.h"
#include "api/figures.h"
#include "api/formulary_api.h"
#include "api/grades_api.h"
#include "api/metrics.h"
#include "api/ops_api.h"
#include "api/patient_api.h"
#include "api/reads_api.h"
#include "api/schedule_api.h"
#include "api/schedule_signals.h"
#include "api/subscription_feeds.h"
#include "api/study_syncs.h"
#include "api/sync_api.h"
#include "api/tokens_api.h"
#include "api/web_pages.h"
#include "base/log.h"
#include "intake/due_sweep.h"
#include "monitor/escalator.h"
#include "runtime/periodic.h"
#include "store/alert_rows.h"
#include "store/boot_row.h"

namespace trialward::api {

using base::Result;
using base::Status;

namespace {

// What a revoked or expired token may still be sent is sent within this time (section 2 of the
// plan: "revoked within 1 s").
constexpr base::Duration kSweep = std::chrono::milliseconds(500);
// Of a batch at work, before the node is taken for one that cannot commit.
constexpr base::Duration kBatchMax = std::chrono::seconds(5);
constexpr int kSweepsPerHeartbeat = 30;
constexpr int kSweepsPerDrop = 10;  // of caches, while memory is short
constexpr int kStopsPerGrace = 4;   // of the grace, for the answers of targets

constexpr std::size_t kEscalationBytes = 256;  // about what one holds on its way

// The commit must know who is told of alerts.
intake::IntakeOptions with_routes(const AppOptions& options) {
  intake::IntakeOptions intake = options.intake;
  intake.routes = options.targets.get();
  return intake;
}

}  // namespace

class App::Impl {
 public:
  Impl(store::Store& store, Studies studies, AppOptions options, runtime::TaskList& tasks,
       base::Random& random, std::unique_ptr<ReadPool> reads, FhirStudies forms)
      : options_(std::move(options)),
        tasks_(tasks),
        clock_(tasks.clock()),
        studies_(std::move(studies)),
        reads_(std::move(reads)),
        alert_streams_(*reads_, {}),
        intake_(
            store.writer(), clock_, with_routes(options_),
            [this](std::vector<intake::Publication> events) { publish(std::move(events)); },
            [this](const intake::BatchReport& report) {
              commits_.observe(report, clock_.now());
              metrics_.batch(report);
            }),
        memory_(options_.memory),
        ndjson_(intake_, tokens_, clock_, options_.streams, options_.intake),
        exports_(*reads_, tokens_, memory_, clock_, options_.exports),
        admission_(intake_, memory_, options_.admission),
        records_api_(intake_, ndjson_, admission_, memory_, clock_, options_.records),
        reads_api_(*reads_, exports_),
        grades_api_(*reads_),
        schedule_api_(*reads_, exports_, clock_),
        sync_api_(*reads_, exports_, clock_,
                  [this](std::string_view study) {
                    return syncs_ != nullptr ? syncs_->find(study) : nullptr;
                  }),
        alerts_api_(intake_, *reads_, exports_, alert_streams_, clock_),
        tokens_api_(intake_, *reads_, exports_, tokens_, random, clock_),
        figures_(*reads_, intake_),
        ledger_(intake_, studies_, clock_),
        deliveries_api_(intake_, *reads_, exports_, clock_,
                        [this](std::int64_t delivery) {
                          if (delivery_ != nullptr) delivery_->resent(delivery);
                        }),
        ops_api_(metrics_, tasks_,
                 {.sample = [this] { return sample(); },
                  .not_ready = [this] { return not_ready(); },
                  .durability = [this] { return cluster_ ? cluster_->durability() : ""; },
                  .routes_json = [this] { return routes_json(router_, ops_router_); },
                  .targets = [this] { return target_reports(); },
                  .formulary_json = [this] { return formulary_api_.state_json(); }}),
        fhir_api_(studies_, std::move(forms),
                  {.intake = intake_,
                   .admission = admission_,
                   .reads = *reads_,
                   .exports = exports_,
                   .random = random,
                   .clock = clock_,
                   .endpoints = options_.targets ? &options_.targets->endpoints : nullptr,
                   .subscriptions_changed = [this] { subscriptions_.wake(true); }},
                  options_.fhir),
        patient_api_({.intake = intake_,
                      .reads = *reads_,
                      .exports = exports_,
                      .tokens = tokens_,
                      .studies = studies_,
                      .forms = fhir_api_.forms(),
                      .random = random,
                      .clock = clock_}),
        router_(main_routes(), tokens_, studies_, clock_),
        ops_router_(ops_api_.routes(), tokens_, studies_, clock_),
        random_(random),
        sweep_({.name = "sweep", .interval = kSweep, .deadline = 10 * kSweep},
               [this](const runtime::Cancel&) { return sweep(); }, random, tasks),
        dues_(
            intake::DueSweep::task(),
            [this](const runtime::Cancel& cancel) {
              return on_duty() ? due_sweep_->run(cancel) : Status();
            },
            random, tasks),
        subscriptions_(intake_, tokens_, clock_) {}

  Status start(store::Store& store) {
    store::Connection& connection = store.writer().connection();
    if (auto loaded = tokens_.load(connection); !loaded) return loaded;
    for (const auto& [id, study] : studies_) {
      auto last = store::last_alert_event(connection, study->row);
      if (!last) return last.error();
      alert_streams_.begin_study(study->row, *last);
    }
    auto node = store.open_node();
    if (!node) return node.error();
    if (auto adopted = store::adopt_boot(store.writer(), clock_); !adopted) return adopted;
    make_escalator();
    if (auto opened = open_outbound(); !opened) return opened;
    if (auto opened = open_delivery(store); !opened) return opened;
    if (!options_.partners.empty()) {
      syncs_ = std::make_unique<StudySyncs>(StudySyncs::Parts{
          .studies = studies_,
          .partners = options_.partners,
          .intake = intake_,
          .reads = *reads_,
          .outbound = *outbound_,
          .random = random_,
          .tasks = tasks_,
          .on_duty = [this] { return on_duty() && !intake_.failed(); }});
    }
    if (auto list = formulary_api_.open(options_.formulary, random_, tasks_); !list) return list;
    std::vector<std::shared_ptr<const intake::ActiveStudy>> studies;
    for (const auto& [id, study] : studies_) studies.push_back(study);
    signals_ = std::make_unique<ScheduleSignals>(ScheduleSignals::Parts{
        studies_, intake_, reads_->background(), [this] { return on_duty(); }, random_, tasks_});
    due_sweep_ = std::make_unique<intake::DueSweep>(intake_, clock_, reads_->background(),
                                                    std::move(studies));
    ReportsOptions wanted = options_.reports;
    wanted.maker.coverage = formulary_api_.coverage();
    auto reports = ReportsApi::open(std::move(wanted), studies_, *reads_, tokens_, memory_,
                                    [this] { return version(); }, tasks_, random_);
    if (!reports) return reports.error();
    reports_api_ = std::move(*reports);
    if (*node != nullptr) join_cluster(std::move(*node));
    intake_.start(tasks_);
    if (delivery_ != nullptr) delivery_->start();
    subscriptions_.start();
    if (syncs_ != nullptr) syncs_->start();
    formulary_api_.start();
    http::ServerOptions ops{
        .address = options_.ops, .name = "ops", .connections_max = kSideConnectionsMax};
    if (auto started = listen(ops, ops_router_, ops_); !started) return started;
    if (auto started = listen(options_.server, router_, main_); !started) return started;
    if (!options_.control_path.empty()) {
      // The store's lock is ours, so a socket that lies there is a dead process's.
      ::unlink(options_.control_path.c_str());
      http::ServerOptions control{.unix_path = options_.control_path,
                                  .name = "control",
                                  .connections_max = kSideConnectionsMax};
      if (auto started = listen(control, router_, control_); !started) return started;
    }
    main_stats_ = &main_->stats();
    sweep_.start();
    escalator_->start();
    dues_.start();
    signals_->start();
    ready_ = true;
    return {};
  }

  void stop(base::Duration grace) {
    ready_ = false;
    const base::TimePoint until = clock_.now() + grace;
    for (const auto* server : {&main_, &control_}) {
      if (*server != nullptr) (*server)->stop_accepting();
    }
    sweep_.stop();
    if (escalator_ != nullptr) escalator_->stop();
    dues_.stop();
    if (signals_ != nullptr) signals_->stop();
    // Which takes back what is out, and stores what had ended.
    if (syncs_ != nullptr) syncs_->stop();
    formulary_api_.stop();
    if (cluster_ != nullptr) cluster_->stop();
    alert_streams_.close();
    if (reports_api_ != nullptr) reports_api_->stop();
    // While what it has delivered can still be written down.
    if (delivery_ != nullptr) delivery_->stop(grace / kStopsPerGrace);
    subscriptions_.stop(grace / kStopsPerGrace / 2);
    if (outbound_ != nullptr) outbound_->stop();
    intake_.drain(clock_.now() + grace / 2);
    for (const auto* server : {&main_, &control_}) {
      if (*server == nullptr) continue;
      const base::Duration left = until - clock_.now();
      (*server)->stop(left > base::Duration::zero() ? left : base::Duration::zero());
    }
    reads_->stop();
    if (ops_ != nullptr) ops_->stop(base::Duration::zero());
    if (!options_.control_path.empty() && control_ != nullptr) {
      ::unlink(options_.control_path.c_str());
    }
    main_.reset();
    control_.reset();
    ops_.reset();
  }

  const http::Server& main() const { return *main_; }
  const http::Server& ops() const { return *ops_; }
  intake::Intake& intake() { return intake_; }
  ReadPool& reads() { return *reads_; }

 private:
  // If there is anybody to send anything to.
  Status open_outbound() {
    if (options_.targets == nullptr && options_.partners.empty()) return {};
    http::OutboundOptions options = options_.outbound;
    if (options_.targets != nullptr) options.proxy = options_.targets->proxy;
    auto outbound = http::OutboundClient::start(std::move(options), tasks_);
    if (!outbound) return outbound.error();
    outbound_ = std::move(*outbound);
    return {};
  }

  Status open_delivery(store::Store& store) {
    if (options_.targets == nullptr) return warn_of_outbox(store.writer().connection());
    delivery::DeliveryOptions delivery = options_.delivery;
    delivery.on_duty = [this] { return on_duty(); };
    auto opened =
        delivery::Delivery::open(*options_.targets, delivery, *outbound_, ledger_,
                                 reads_->background(), random_, tasks_);
    if (!opened) return opened.error();
    delivery_ = std::move(*opened);
    subscriptions_.open({*options_.targets, *outbound_, reads_->background(),
                         [this] { return on_duty(); }, random_, tasks_});
    return {};
  }

  std::vector<delivery::TargetReport> target_reports() const {
    return delivery_ != nullptr ? delivery_->report() : std::vector<delivery::TargetReport>();
  }

  Status listen(http::ServerOptions options, const Router& router,
                std::unique_ptr<http::Server>& server) {
    // There are two addresses, of which one may be at fault.
    const std::string place =
        options.unix_path.empty()
            ? options.address.host + ":" + std::to_string(options.address.port) + ": "
            : "";
    auto started = http::Server::start(
        std::move(options),
        [&router](const http::Request& head) { return as_fhir(head, router.decide(head)); }, tasks_,
        clock_);
    if (!started) return base::Error{started.error().code, place + started.error().message};
    server = std::move(*started);
    return {};
  }

  void make_escalator() {
    std::vector<monitor::Escalator::Study> studies;
    std::map<std::int64_t, StudyPointer> by_row;
    for (const auto& [id, study] : studies_) {
      studies.push_back({study->row, study->study});
      by_row.emplace(study->row, study);
    }
    escalator_ = std::make_unique<monitor::Escalator>(
        reads_->background(), std::move(studies),
        [this, by_row = std::move(by_row)](std::int64_t study, const store::Wait& wait,
                                           monitor::Escalator::Done done) {
          return escalate(by_row.at(study), wait, std::move(done));
        },
        random_, tasks_);
    escalator_->only_while([this] { return on_duty(); });
  }

  // Before anything is published.
  void join_cluster(std::unique_ptr<store::Node> node) {
    alert_streams_.mind_gaps([this] { cluster_->look_at_alerts(); });
    cluster_ = std::make_unique<Cluster>(
        std::move(node),
        Cluster::Parts{.studies = studies_,
                       .tokens = tokens_,
                       .alerts = alert_streams_,
                       .duty_calls =
                           [this](bool again) {
                             escalator_->changed();
                             if (delivery_ != nullptr && again) delivery_->look_again();
                             if (syncs_ != nullptr && again) syncs_->catch_up();
                             if (delivery_ != nullptr) delivery_->wake();
                             subscriptions_.wake(again);
                           },
                       .fit = [this] { return can_commit(); },
                       .lost_contact =
                           [this] {
                             intake_.interrupt_statement();
                             reads_->suspect();
                           }},
        tasks_);
    cluster_->start();
  }

  bool can_commit() const {
    return !intake_.failed() && !intake_.unreached() && intake_.at_work() < kBatchMax;
  }

  // Another number whenever the store may hold something else. What other nodes commit is not told
  // here; it is seen this much later at most.
  std::uint64_t version() const {
    constexpr std::int64_t kForeignMs = 2000;
    const std::uint64_t own = commits_.count();
    if (cluster_ == nullptr) return own;
    return own + static_cast<std::uint64_t>(clock_.utc_ms() / kForeignMs);
  }

  // Who does what is to be done once for all nodes.
  bool on_duty() const { return cluster_ == nullptr || cluster_->on_duty(); }

  bool escalate(const StudyPointer& study, const store::Wait& wait, std::function<void()> done) {
    if (intake_.failed() || !on_duty()) return false;
    auto ticket = intake_.admit(intake::Lane::safety, kEscalationBytes);
    if (!ticket) return false;
    intake::Submission submission{.study = study,
                                  .actor = "escalation",
                                  .received_ms = clock_.utc_ms(),
                                  .received = clock_.now()};
    submission.commands.emplace_back(intake::EscalateAlert{
        .alert = wait.alert, .storm = wait.storm, .told = wait.tier});
    intake_.submit(std::move(*ticket), std::move(submission), runtime::kForever,
                   [done = std::move(done)](const intake::SubmissionResult&) { done(); });
    return true;
  }

  std::vector<Route> main_routes() {
    using enum Permission;
    const std::string study = "/v1/studies/{study}";
    std::vector<Route> routes = web_routes();
    for (auto& more : {fhir_api_.routes(), patient_api_.routes(), sync_api_.routes(),
                       formulary_api_.routes()}) {
      routes.insert(routes.end(), more.begin(), more.end());
    }
    const auto add = [&routes](std::string_view method, const std::string& pattern,
                               Permission permission, Route::Handle handle,
                               Route::Members query = {}) {
      routes.emplace_back(method, pattern, permission, std::move(handle), std::move(query));
    };
    add("POST", study + "/records", write_records,
        [this](const Call& call) { return records_api_.post(call); }, {"results", "historical"});
    add("GET", study + "/records", read_records,
        [this](const Call& call) { return reads_api_.records(call); },
        {"source", "after", "limit"});
    add("GET", study + "/subjects/{subject}/records", read_records,
        [this](const Call& call) { return reads_api_.subject_records(call); },
        {"from", "limit"});
    add("GET", study + "/subjects/{subject}/grades", read_alerts,
        [this](const Call& call) { return grades_api_.subject_grades(call); },
        {"from", "as_of", "limit"});
    add("GET", study + "/subjects/{subject}/schedule", read_records,
        [this](const Call& call) { return schedule_api_.subject(call); });
    add("GET", study + "/schedule", read_records,
        [this](const Call& call) { return schedule_api_.list(call); },
        {"state", "site", "from", "until", "format", "after", "limit"});
    add("GET", study + "/alerts", read_alerts,
        [this](const Call& call) { return alerts_api_.list(call); },
        {"status", "state", "storm", "historical", "after", "limit"});
    add("GET", study + "/alerts/stream", read_alerts,
        [this](const Call& call) { return alerts_api_.stream(call); }, {"after"});
    add("POST", study + "/alerts/{alert}/acknowledge", acknowledge_alerts,
        [this](const Call& call) { return alerts_api_.acknowledge(call); });
    const struct {
      const char* act;
      Permission permission;
      model::AlertEventType type;
    } kActs[] = {{"/assess", acknowledge_alerts, model::AlertEventType::assessed},
                 {"/close", close_alerts, model::AlertEventType::closed},
                 {"/reopen", close_alerts, model::AlertEventType::reopened},
                 {"/merge", close_alerts, model::AlertEventType::merged}};
    for (const auto& one : kActs) {
      add("POST", study + "/alerts/{alert}" + one.act, one.permission,
          [this, type = one.type](const Call& call) { return alerts_api_.change(call, type); });
    }
    add("GET", study + "/alerts/{alert}", read_alerts,
        [this](const Call& call) { return alerts_api_.one(call); });
    add("GET", study + "/alerts/{alert}/events", read_alerts,
        [this](const Call& call) { return alerts_api_.history(call); }, {"after", "limit"});
    add("GET", study + "/deliveries", read_alerts,
        [this](const Call& call) { return deliveries_api_.list(call); },
        {"status", "target", "alert", "after", "limit"});
    add("POST", study + "/deliveries/{delivery}/resend", manage_deliveries,
        [this](const Call& call) {
          return deliveries_api_.change(call, store::DeliveryChange::resend);
        });
    add("POST", study + "/deliveries/{delivery}/discard", manage_deliveries,
        [this](const Call& call) {
          return deliveries_api_.change(call, store::DeliveryChange::discard);
        });
    add("GET", study + "/figures", read_figures,
        [this](const Call& call) { return figures_.get(call); });
    add("GET", study + "/reports", read_reports,
        [this](const Call& call) { return reports_api_->list(call); });
    add("POST", study + "/reports", read_reports,
        [this](const Call& call) { return reports_api_->submit(call); }, {"follow"});
    add("GET", study + "/reports/{job}", read_reports,
        [this](const Call& call) { return reports_api_->one(call); });
    add("DELETE", study + "/reports/{job}", read_reports,
        [this](const Call& call) { return reports_api_->cancel(call); });
    add("GET", study + "/reports/{job}/{number}", read_reports,
        [this](const Call& call) { return reports_api_->result(call); }, {"format"});
    add("GET", study + "/tokens", manage_tokens,
        [this](const Call& call) { return tokens_api_.list(call); }, {"after", "limit"});
    add("POST", study + "/tokens", manage_tokens,
        [this](const Call& call) { return tokens_api_.create(call); });
    add("DELETE", study + "/tokens/{token}", manage_tokens,
        [this](const Call& call) { return tokens_api_.revoke(call); });
    add("GET", "/v1/token", holder,
        [this](const Call& call) { return tokens_api_.describe(call, studies_); });
    return routes;
  }

  void publish(std::vector<intake::Publication> events) {
    alert_streams_.publish(events);
    escalator_->changed();
    if (delivery_ != nullptr) delivery_->wake();
    subscriptions_.wake();
    const base::TimePoint now = clock_.now();
    for (const intake::Publication& event : events) {
      metrics_.alert_published(now - event.received);
      metrics_.alert_event(event.event);
    }
  }

  // Looks after the subscribers, and at the memory.
  Status sweep() {
    memory_.observe(runtime::resident_bytes());
    intake_.expire();
    // A transaction connects anew, when there is none to do it.
    if (intake_.unreached() && !recovering_.exchange(true) &&
        !intake_.drop_caches([this] { recovering_ = false; })) {
      recovering_ = false;
    }
    if (memory_.step() != runtime::MemoryStep::calm && sweeps_ % kSweepsPerDrop == 0) {
      // On the thread that had them, once they are gone.
      (void)intake_.drop_caches([] { runtime::return_freed_memory(); });
    }
    alert_streams_.end_unless([this](const Principal& principal) {
      return tokens_.admits(principal, clock_.utc_ms());
    });
    if (++sweeps_ % kSweepsPerHeartbeat == 0) alert_streams_.heartbeat();
    reports_api_->sweep();
    return {};
  }

  Metrics::Sample sample() const {
    Metrics::Sample sample{.lanes = intake_.lanes(),
                           .reads = reads_->stats(),
                           .http = main_stats_,
                           .streams = ndjson_.streams(),
                           .subscribers = alert_streams_.subscribers(),
                           .subscribers_cut_off = alert_streams_.cut_off(),
                           .memory = memory_.step(),
                           .store_failed = intake_.failed(),
                           .on_duty = on_duty(),
                           .targets = target_reports(),
                           .subscriptions = subscriptions_.report()};
    if (syncs_ != nullptr) sample.syncs = syncs_->reports();
    if (outbound_ != nullptr) sample.remotes = outbound_->stats();
    formulary_api_.sample(sample);
    if (reports_api_ != nullptr) reports_api_->sample(sample);
    if (ready_) {
      sample.waiting = escalator_->waiting();
      sample.escalations_in_flight = escalator_->in_flight();
    }
    for (const runtime::TaskInfo& task : tasks_.snapshot()) {
      ++sample.live_tasks;
      sample.overdue_tasks += task.overdue ? 1 : 0;
    }
    return sample;
  }

  std::string not_ready() const {
    if (intake_.failed()) return "the store cannot be written; restart the server";
    if (intake_.unreached()) return "the database cannot be reached; it is tried again";
    if (ready_ && cluster_ != nullptr && !cluster_->in_contact()) {
      return "the database does not answer; it is tried again";
    }
    if (intake_.at_work() >= kBatchMax) return "the store takes long to commit";
    if (commits_.refused(clock_.now())) return "the store does not take what it is given";
    return ready_ ? "" : "starting or stopping";
  }

  const AppOptions options_;
  runtime::TaskList& tasks_;
  const base::Clock& clock_;
  const Studies studies_;
  Metrics metrics_;
  TokenTable tokens_;
  const std::unique_ptr<ReadPool> reads_;
  AlertStreams alert_streams_;
  intake::Intake intake_;
  runtime::MemoryLadder memory_;
  NdjsonIntake ndjson_;
  Exports exports_;
  Admission admission_;
  RecordsApi records_api_;
  ReadsApi reads_api_;
  GradesApi grades_api_;
  ScheduleApi schedule_api_;
  SyncApi sync_api_;
  AlertsApi alerts_api_;
  TokensApi tokens_api_;
  Figures figures_;
  DeliveryLedger ledger_;
  DeliveriesApi deliveries_api_;
  OpsApi ops_api_;
  FormularyApi formulary_api_{clock_};
  FhirApi fhir_api_;
  PatientApi patient_api_;
  const Router router_;
  const Router ops_router_;
  std::atomic<bool> ready_ = false, recovering_ = false;
  Commits commits_;
  std::atomic<const http::Stats*> main_stats_ = nullptr;  // for the other listeners' threads
  int sweeps_ = 0;
  base::Random& random_;
  std::unique_ptr<monitor::Escalator> escalator_;
  std::unique_ptr<intake::DueSweep> due_sweep_;
  runtime::Periodic sweep_;
  runtime::Periodic dues_;
  // Set before the first thread starts; null without targets. Delivery outlives what it gave to
  // the intake, which is drained by stop().
  std::unique_ptr<http::OutboundClient> outbound_;
  std::unique_ptr<delivery::Delivery> delivery_;
  SubscriptionFeeds subscriptions_;
  std::unique_ptr<StudySyncs> syncs_;  // null without partners
  std::unique_ptr<ScheduleSignals> signals_;
  std::unique_ptr<Cluster> cluster_;  // null: no other node shares the store
  std::unique_ptr<ReportsApi> reports_api_;
  std::unique_ptr<http::Server> ops_, main_, control_;  // last: they call back
};

Result<std::unique_ptr<App>> App::start(store::Store& store, Studies studies, AppOptions options,
                                        runtime::TaskList& tasks, base::Random& random) {
  const Called called{.targets = options.targets != nullptr,
                      .partners = !options.partners.empty()};
  if (auto fitted = fit_connections(options.server, called); !fitted) return fitted.error();
  auto reads = ReadPool::open(store, options.reads, tasks, random);
  if (!reads) return reads.error();
  auto forms = read_forms(studies);
  if (!forms) return forms.error();
  auto impl = std::make_unique<Impl>(store, std::move(studies), std::move(options), tasks, random,
                                     std::move(*reads), std::move(*forms));
  std::unique_ptr<App> app(new App(std::move(impl)));
  if (auto started = app->impl_->start(store); !started) return started.error();
  return app;
}

App::App(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
App::~App() { stop(base::Duration::zero()); }

std::uint16_t App::port() const { return impl_->main().port(); }
std::uint16_t App::ops_port() const { return impl_->ops().port(); }
intake::Intake& App::intake() { return impl_->intake(); }
std::unique_ptr<store::Connection> App::background() { return impl_->reads().background(); }
void App::stop(base::Duration grace) { impl_->stop(grace); }

}  // namespace trialward::api
