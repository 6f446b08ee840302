#include "api/ops_api.h"

#include "base/json_writer.h"

namespace trialward::api {
namespace {

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::vector<Route> OpsApi::routes() {
  std::vector<Route> routes;
  routes.emplace_back("GET", "/livez", Permission::anyone, [](const Call&) {
    return answer_now([] { return http::text_response(200, "alive\n"); });
  });
  routes.emplace_back("GET", "/readyz", Permission::anyone, [this](const Call&) {
    return answer_now([this] {
      const std::string reason = sources_.not_ready();
      return reason.empty() ? http::text_response(200, "ready\n")
                            : http::text_response(503, reason + "\n");
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
  routes.emplace_back("GET", "/ops/routes", Permission::anyone, [this](const Call&) {
    return answer_now([this] { return http::json_response(200, sources_.routes_json()); });
  });
  return routes;
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
        .member("age_s", seconds(task.age));
    if (task.deadline) json.member("deadline_in_s", seconds(*task.deadline - now));
    json.member("overdue", task.overdue).end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace trialward::api
