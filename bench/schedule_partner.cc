// A fast partner of schedule sync (docs/schedule-sync.md), for the benchmark: it keeps of each
// CarePlan its bytes and version, and answers each request after a latency.
//
//   schedule_partner [--latency-ms 5] [--port 0]
//
// Prints "partner at URL"; ends with its standard input.
#include <CLI/CLI.hpp>
#include <condition_variable>
#include <deque>
#include <iostream>
#include <map>
#include <mutex>
#include <set>

#include "http/server.h"
#include "model/effective_time.h"
#include "runtime/wait.h"
#include "runtime/worker_pool.h"

namespace trialward {
namespace {

constexpr std::size_t kBodyMax = 4 << 20, kPageMax = 500;
constexpr std::string_view kPrefix = "/fhir/CarePlan";

class Partner {
 public:
  explicit Partner(const base::Clock& clock) : clock_(clock) {}

  http::Response act(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    if (request.path == kPrefix) return list(request.query);
    const std::string id = request.path.substr(kPrefix.size() + 1);
    const auto plan = plans_.find(id);
    const bool there = plan != plans_.end();
    if (request.method == "GET") {
      if (!there) return http::text_response(404, "");
      const std::string etag = etag_of(plan->second);
      const std::string* known = request.header("If-None-Match");
      http::Response response;
      response.status = known != nullptr && *known == etag ? 304 : 200;
      if (response.status == 200) response.body = plan->second.text;
      return response.with("ETag", etag);
    }
    const std::string* match = request.header("If-Match");
    if (match == nullptr ? there : !there || *match != etag_of(plan->second)) {
      return http::text_response(there ? 412 : 404, "");
    }
    Plan& stored = plans_[id];
    stored.version += 1;
    stored.text = request.body;
    by_time_.erase({stored.updated_ms, id});
    stored.updated_ms = std::max(clock_.utc_ms(), stored.updated_ms);
    by_time_.insert({stored.updated_ms, id});
    return http::text_response(there ? 200 : 201, "").with("ETag", etag_of(stored));
  }

 private:
  struct Plan {
    std::string text;
    std::int64_t version = 0, updated_ms = 0;
  };
  using Place = std::pair<std::int64_t, std::string>;

  static std::string etag_of(const Plan& plan) {
    return "W/\"" + std::to_string(plan.version) + "\"";
  }
  static std::string member(const std::string& query, const std::string& name) {
    const std::size_t at = query.find(name + "=");
    if (at == query.npos) return {};
    const std::size_t from = at + name.size() + 1;
    return query.substr(from, query.find('&', from) - from);
  }

  http::Response list(const std::string& query) {
    Place from{0, ""};
    if (const std::string since = member(query, "_lastUpdated"); since.starts_with("ge")) {
      from.first = model::parse_instant(since.substr(2)).value_or(0);
    }
    auto at = by_time_.lower_bound(from);
    if (const std::string after = member(query, "after"); !after.empty()) {
      const std::size_t bar = after.find('~');
      at = by_time_.upper_bound({std::stoll(after.substr(0, bar)), after.substr(bar + 1)});
    }
    std::string body = R"({"resourceType":"Bundle","type":"searchset","entry":[)";
    Place last;
    for (std::size_t i = 0; i < kPageMax && at != by_time_.end(); ++i, ++at) {
      last = *at;
      if (i > 0) body += ',';
      body += R"({"resource":{"resourceType":"CarePlan","id":")" + at->second +
              R"(","meta":{"versionId":")" + std::to_string(plans_.at(at->second).version) +
              R"(","lastUpdated":")" + model::format_utc(at->first) + R"("}}})";
    }
    body += "]";
    if (at != by_time_.end()) {
      body += R"(,"link":[{"relation":"next","url":")" + url + "/CarePlan?after=" +
              std::to_string(last.first) + "~" + last.second + R"("}])";
    }
    return http::json_response(200, body + "}");
  }

  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Plan> plans_;
  std::set<Place> by_time_;

 public:
  std::string url;
};

// Answers in the order of the requests, each when its latency is over.
class Answerer final : public runtime::Worker {
 public:
  Answerer(Partner& partner, base::Duration latency, const base::Clock& clock)
      : partner_(partner), latency_(latency), clock_(clock) {}

  void take(std::shared_ptr<http::Exchange> exchange) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace_back(clock_.now() + latency_, std::move(exchange));
    changed_.notify_one();
  }
  bool run_once(const runtime::Cancel&) override {
    std::shared_ptr<http::Exchange> exchange;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty() || waiting_.front().first > clock_.now()) return false;
      exchange = std::move(waiting_.front().second);
      waiting_.pop_front();
    }
    exchange->respond(partner_.act(exchange->request()));
    return true;
  }
  bool wait(const runtime::Cancel& stop) override {
    const auto wake = stop.on_fire([this](runtime::CancelReason) {
      const std::lock_guard lock(mutex_);
      changed_.notify_all();
    });
    std::unique_lock lock(mutex_);
    const auto until = waiting_.empty() ? clock_.now() + std::chrono::seconds(1)
                                        : waiting_.front().first;
    const bool idle = waiting_.empty();
    runtime::wait_until(changed_, lock, clock_, until,
                        [&] { return stop.fired() || (idle && !waiting_.empty()); });
    return true;
  }

 private:
  Partner& partner_;
  const base::Duration latency_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<base::TimePoint, std::shared_ptr<http::Exchange>>> waiting_;
};

int serve(int port, double latency_ms) {
  const base::SystemClock clock;
  runtime::TaskList tasks(clock);
  Partner partner(clock);
  auto made = std::make_unique<Answerer>(
      partner,
      std::chrono::duration_cast<base::Duration>(
          std::chrono::duration<double, std::milli>(latency_ms)),
      clock);
  Answerer& answerer = *made;
  std::vector<std::unique_ptr<runtime::Worker>> workers;
  workers.push_back(std::move(made));
  runtime::WorkerPool pool({.name = "answers"}, tasks, std::move(workers));
  http::ServerOptions options;
  options.address.port = static_cast<std::uint16_t>(port);
  auto server = http::Server::start(
      options,
      [&answerer](const http::Request&) -> http::Decision {
        return http::Accepted{.body_bytes_max = kBodyMax,
                              .handler = [&answerer](std::shared_ptr<http::Exchange> exchange) {
                                answerer.take(std::move(exchange));
                              }};
      },
      tasks, clock);
  if (!server) {
    std::cerr << server.error().message << '\n';
    return 1;
  }
  partner.url = "http://127.0.0.1:" + std::to_string((*server)->port()) + "/fhir";
  std::cout << "partner at " << partner.url << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  (*server)->stop(base::Duration::zero());
  return 0;
}

}  // namespace
}  // namespace trialward

int main(int argc, char** argv) {
  CLI::App app("A fast partner of schedule sync");
  double latency_ms = 5;
  int port = 0;
  app.add_option("--latency-ms", latency_ms, "Before each answer");
  app.add_option("--port", port, "0: a free one");
  CLI11_PARSE(app, argc, argv);
  return trialward::serve(port, latency_ms);
}
