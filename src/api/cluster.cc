#include "api/cluster.h"

#include <utility>

#include "base/log.h"
#include "store/alert_rows.h"

namespace trialward::api {

using base::Status;

namespace {

// How often it tries to go on duty: as long as nobody may be, after who was has ended.
constexpr base::Duration kLook = std::chrono::milliseconds(250);
constexpr std::size_t kPage = 200;  // events

void add(store::Heard& all, const store::Heard& heard) {
  all.alerts |= heard.alerts;
  all.tokens |= heard.tokens;
  all.deliveries |= heard.deliveries;
}

}  // namespace

class Cluster::Listener final : public runtime::Worker {
 public:
  explicit Listener(Cluster& cluster) : cluster_(cluster) {}
  bool run_once(const runtime::Cancel&) override {
    cluster_.look();
    return false;
  }
  bool wait(const runtime::Cancel&) override {
    cluster_.listen();  // until Cluster::stop() ends it
    return true;
  }

 private:
  Cluster& cluster_;
};

Cluster::Cluster(std::unique_ptr<store::Node> node, Parts parts, runtime::TaskList& tasks)
    : node_(std::move(node)),
      parts_(std::move(parts)),
      tasks_(tasks),
      heard_{.alerts = true, .tokens = true, .deliveries = true} {}

void Cluster::start() {
  std::vector<std::unique_ptr<runtime::Worker>> workers;
  workers.push_back(std::make_unique<Listener>(*this));
  thread_ = std::make_unique<runtime::WorkerPool>(runtime::WorkerPoolOptions{.name = "node"},
                                                  tasks_, std::move(workers));
}

void Cluster::stop() {
  if (thread_ == nullptr) return;
  node_->stop();
  thread_->stop();
}

void Cluster::look_at_alerts() {
  behind_ = true;
  node_->interrupt();
}

void Cluster::listen() {
  const bool at_once = heard_.any() && !in_trouble_;
  auto heard = node_->wait(at_once ? base::Duration::zero() : kLook, parts_.fit());
  if (!heard) {
    heard_ = {.alerts = true, .tokens = true, .deliveries = true};
    return trouble(heard.error());
  }
  add(heard_, *heard);
}

void Cluster::look() {
  if (behind_.exchange(false)) heard_.alerts = true;
  const store::Heard heard = heard_;
  if (!heard.any()) return;
  bool events = false;
  Status done;
  if (heard.tokens) done = parts_.tokens.load(node_->connection());
  if (done && heard.alerts) done = read_alerts(events);
  if (!done) return trouble(done.error());
  heard_ = {};
  in_trouble_ = told_of_hang_ = false;
  const bool now = node_->on_duty();
  const bool came = std::exchange(was_on_duty_, now) != now && now;
  if (came) base::log_info("node: on duty, for escalation, what falls due and delivery");
  if (events || came || heard.deliveries) parts_.duty_calls(came || heard.deliveries);
}

Status Cluster::read_alerts(bool& any) {
  for (const auto& [id, study] : parts_.studies) {
    while (true) {
      auto events = store::read_alert_events(node_->connection(), study->row,
                                             parts_.alerts.last_number(study->row), kPage);
      if (!events) return events.error();
      if (events->empty()) break;
      any = true;
      const std::int64_t last = events->back().number;
      std::vector<intake::Publication> publications;
      for (model::AlertEvent& event : *events) {
        publications.push_back({.study = study, .event = std::move(event)});
      }
      parts_.alerts.publish(publications);
      if (parts_.alerts.last_number(study->row) >= last) continue;
      return base::Error{base::Errc::corrupt,
                         "alert event " + std::to_string(last) + " of '" + id +
                             "' has others before it that are missing"};
    }
  }
  return {};
}

// Once for each time.
void Cluster::trouble(const base::Error& error) {
  // What is out is to be taken back.
  if (std::exchange(was_on_duty_, false)) parts_.duty_calls(false);
  if (node_->hangs() && !std::exchange(told_of_hang_, true)) parts_.lost_contact();
  if (std::exchange(in_trouble_, true)) return;
  base::log_warning("node: other nodes are not heard: " + error.message);
}

}  // namespace trialward::api
