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
#include <mutex>

#include "bench/partner_plans.h"
#include "http/server.h"
#include "runtime/wait.h"
#include "runtime/worker_pool.h"

namespace trialward {
namespace {

constexpr std::size_t kBodyMax = 4 << 20;

http::Response answer_of(bench::PartnerPlans& plans, const http::Request& request) {
  const auto header = [&request](const char* name) {
    const std::string* value = request.header(name);
    return value == nullptr ? std::string_view() : std::string_view(*value);
  };
  bench::PartnerPlans::Said said = plans.act({.method = request.method,
                                              .path = request.path,
                                              .query = request.query,
                                              .match = header("If-Match"),
                                              .none_match = header("If-None-Match"),
                                              .body = request.body});
  http::Response response = http::json_response(said.status, std::move(said.body));
  if (!said.etag.empty()) response.with("ETag", said.etag);
  return response;
}

// Answers in the order of the requests, each when its latency is over.
class Answerer final : public runtime::Worker {
 public:
  Answerer(bench::PartnerPlans& partner, base::Duration latency, const base::Clock& clock)
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
    exchange->respond(answer_of(partner_, exchange->request()));
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
  bench::PartnerPlans& partner_;  // this thread's
  const base::Duration latency_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<base::TimePoint, std::shared_ptr<http::Exchange>>> waiting_;
};

int serve(int port, double latency_ms) {
  const base::SystemClock clock;
  runtime::TaskList tasks(clock);
  bench::PartnerPlans partner(clock);
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
