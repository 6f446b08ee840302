#include "api/ops_api.h"

#include "api/sync_api.h"
#include "api/web_pages.h"
#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::api {
namespace {

constexpr std::string_view kOperatorHeader = "X-Trialward";

}  // namespace

std::vector<Route> OpsApi::routes() {
  std::vector<Route> routes;
  routes.emplace_back("GET", "/livez", Permission::anyone, [](const Call&) {
    return answer_now([] { return http::text_response(200, "alive\n"); });
  });
  routes.emplace_back("GET", "/readyz", Permission::anyone, [this](const Call&) {
    return answer_now([this] {
      const std::string reason = sources_.not_ready();
      if (!reason.empty()) return http::text_response(503, reason + "\n");
      const std::string store = sources_.durability ? sources_.durability() : "";
      return http::text_response(200, store.empty() ? "ready\n" : "ready\n" + store + "\n");
    });
  });
  routes.emplace_back("GET", "/metrics", Permission::anyone, [this](const Call&) {
    return answer_now([this] {
      metrics_.sample(sources_.sample());
      http::Response response = http::text_response(200, metrics_.text());
      response.content_type = "text/plain; version=0.0.4";
      return response;
    });
  });
  routes.emplace_back("GET", "/ops/tasks", Permission::anyone, [this](const Call&) {
    return answer_now([this] { return http::json_response(200, tasks_json()); });
  });
  routes.emplace_back("GET", "/ops/deliveries", Permission::anyone, [this](const Call&) {
    return answer_now([this] { return http::json_response(200, deliveries_json()); });
  });
  routes.emplace_back("GET", "/ops/formulary", Permission::anyone, [this](const Call&) {
    return answer_now([this] { return http::json_response(200, sources_.formulary_json()); });
  });
  routes.emplace_back("GET", "/ops/routes", Permission::anyone, [this](const Call&) {
    return answer_now([this] { return http::json_response(200, sources_.routes_json()); });
  });
  routes.emplace_back("GET", "/ops/remotes", Permission::anyone, [this](const Call&) {
    return answer_now([this] { return http::json_response(200, remotes_json()); });
  });
  routes.emplace_back("POST", "/ops/tasks/{task}/run", Permission::anyone,
                      [this](const Call& call) -> http::Decision {
                        // A page of another origin cannot send a header of its own choice.
                        if (call.head.header(kOperatorHeader) == nullptr) {
                          return http::fault_response(403, "the header X-Trialward is missing");
                        }
                        return run(call.parameters.front());
                      });
  for (Route& route : ops_pages()) routes.push_back(std::move(route));
  return routes;
}

http::Decision OpsApi::run(const std::string& task) {
  if (!tasks_.run_now(task)) {
    return http::fault_response(404, "no task '" + task + "' runs again and again");
  }
  return answer_now([] { return http::json_response(202, R"({"accepted":true})"); });
}

std::string OpsApi::tasks_json() const {
  const base::TimePoint now = tasks_.clock().now();
  base::JsonWriter json;
  json.begin_object().key("tasks").begin_array();
  for (const runtime::TaskInfo& task : tasks_.snapshot()) {
    json.begin_object()
        .member("name", task.name)
        .member("owner", task.owner)
        .member_if("where", task.where)
        .member("age_s", base::in_seconds(task.age));
    if (task.deadline) json.member("deadline_in_s", base::in_seconds(*task.deadline - now));
    json.member("overdue", task.overdue).end_object();
  }
  json.end_array().key("recurring").begin_array();
  for (const runtime::RecurringInfo& one : tasks_.recurring()) {
    json.begin_object()
        .member("name", one.name)
        .member("every_s", base::in_seconds(one.interval))
        .member("runs", one.runs)
        .member("failures", one.failures)
        .member("running", one.running)
        .member("next_in_s", std::max(0.0, base::in_seconds(one.next_due - now)))
        .member("lag_s", base::in_seconds(one.lag));
    if (one.last_started_utc_ms) {
      json.member("last_started_at", model::format_utc(*one.last_started_utc_ms))
          .member("last_took_s", base::in_seconds(one.last_duration));
    }
    if (one.last_error) json.member("last_error", one.last_error->message);
    json.end_object();
  }
  return json.end_array().end_object().take();
}

// Who is called: the partners of schedules with their breakers, and each machine with its calls.
std::string OpsApi::remotes_json() const {
  const base::TimePoint now = tasks_.clock().now();
  const Metrics::Sample sample = sources_.sample();
  base::JsonWriter json;
  json.begin_object().key("partners").begin_array();
  for (const auto& [study, report] : sample.syncs) {
    const runtime::RemoteReport& remote = report.remote;
    json.begin_object().member("study", study);
    write_sync(json, report, now);
    json.member("breaker", to_string(remote.breaker.state))
        .member("breaker_opened", remote.breaker.opened)
        .member("in_flight", std::uint64_t{remote.breaker.in_flight})
        .member("in_flight_max", std::uint64_t{remote.in_flight_max})
        .member("hanging", std::uint64_t{remote.breaker.hanging})
        .member("retry_budget", remote.budget)
        .member("paused_s", base::in_seconds(remote.paused));
    if (report.last) json.raw_member("last_cycle", to_json(*report.last));
    json.end_object();
  }
  json.end_array().key("machines").begin_array();
  for (const http::RemoteStats& remote : sample.remotes) {
    json.begin_object()
        .member("remote", remote.remote)
        .member("waiting", std::uint64_t{remote.waiting})
        .member("in_flight", std::uint64_t{remote.in_flight})
        .key("ended")
        .begin_object();
    for (std::size_t i = 0; i < remote.ended.size(); ++i) {
      if (remote.ended[i] == 0) continue;
      json.member(base::to_string(static_cast<base::OutboundFailure>(i)), remote.ended[i]);
    }
    json.end_object().end_object();
  }
  return json.end_array().end_object().take();
}

std::string OpsApi::deliveries_json() const {
  base::JsonWriter json;
  json.begin_object().key("targets").begin_array();
  for (const delivery::TargetReport& target : sources_.targets()) {
    json.begin_object()
        .member("name", target.name)
        .member("configured", target.configured)
        .member("pending", target.pending)
        .member("dead", target.dead)
        .member("oldest_pending_s", base::in_seconds(target.oldest_pending));
    if (target.configured) {
      json.member("kind", target.kind == delivery::TargetKind::email ? "email" : "webhook")
          .member("in_flight", std::uint64_t{target.in_flight})
          .member("breaker", to_string(target.breaker.state))
          .member("breaker_opened", target.breaker.opened)
          .member("retry_budget", target.budget)
          .member("delivered", target.delivered)
          .member("failed", target.failed)
          .member("refused", target.refused)
          .member_if("last_error", target.last_error);
    }
    if (target.last_error_ms != 0) {
      json.member("last_error_at", model::format_utc(target.last_error_ms));
    }
    if (target.last_delivered_ms != 0) {
      json.member("last_delivered_at", model::format_utc(target.last_delivered_ms));
    }
    json.end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace trialward::api
