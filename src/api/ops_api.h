// The operations listener's routes: is it alive, is it ready, its numbers, its tasks. They touch no
// database and no queue, so overload cannot reach them.
#pragma once

#include <functional>

#include "api/metrics.h"
#include "api/route.h"
#include "runtime/task_list.h"

namespace trialward::api {

class OpsApi {
 public:
  struct Sources {
    std::function<Metrics::Sample()> sample;
    std::function<std::string()> not_ready;    // the reason why it is not ready, or ""
    // What it says of the store when it is, or "".
    std::function<std::string()> durability;
    std::function<std::string()> routes_json;  // every route of every listener
    std::function<std::vector<delivery::TargetReport>()> targets;
    std::function<std::string()> formulary_json;  // the list of drugs, and how fresh it is
  };
  OpsApi(Metrics& metrics, runtime::TaskList& tasks, Sources sources)
      : metrics_(metrics), tasks_(tasks), sources_(std::move(sources)) {}

  // GET /livez, /readyz, /metrics, /ops/tasks, /ops/deliveries, /ops/remotes, /ops/formulary and
  // /ops/routes, the page /operations and its files, and POST /ops/tasks/{task}/run, of what runs
  // again and again; for anyone: the listener is what is guarded.
  std::vector<Route> routes();

 private:
  http::Decision run(const std::string& task);
  std::string tasks_json() const;
  std::string deliveries_json() const;
  std::string remotes_json() const;

  Metrics& metrics_;
  runtime::TaskList& tasks_;
  const Sources sources_;
};

}  // namespace trialward::api
