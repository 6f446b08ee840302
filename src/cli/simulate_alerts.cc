#include "cli/simulate_alerts.h"

#include <simdjson.h>

#include <algorithm>

#include "cli/simulate_target.h"
#include "cli/stop_signal.h"
#include "runtime/wait.h"

namespace trialward::cli {
namespace {

constexpr base::Duration kSubscribeMax = std::chrono::seconds(10);
constexpr base::Duration kLook = std::chrono::milliseconds(50);  // how often it looks for a signal

// runtime::wait_until that a stop signal ends, too.
template <class Done>
bool wait_or_signal(std::condition_variable& changed, std::unique_lock<std::mutex>& lock,
                    const base::Clock& clock, base::TimePoint until, Done done) {
  while (!StopSignal::requested()) {
    const base::TimePoint look = std::min(until, clock.now() + kLook);
    if (runtime::wait_until(changed, lock, clock, look, done)) return true;
    if (look == until) return false;
  }
  return done();
}

// Calls `found` with the source id of each record of `source` among an event's causes.
template <class Found>
void for_each_cause(std::string_view event, std::string_view source, Found found) {
  simdjson::dom::parser parser;
  simdjson::dom::array records;
  if (parser.parse(simdjson::padded_string(event))["records"].get(records) != simdjson::SUCCESS) {
    return;
  }
  for (const simdjson::dom::element record : records) {
    std::string_view from, id;
    if (record["source"].get(from) == simdjson::SUCCESS && from == source &&
        record["source_id"].get(id) == simdjson::SUCCESS) {
      found(id);
    }
  }
}

}  // namespace

base::Result<std::unique_ptr<AlertWatch>> AlertWatch::start(const AlertWatchOptions& options,
                                                            runtime::TaskList& tasks,
                                                            const base::Clock& clock) {
  std::unique_ptr<AlertWatch> watch(new AlertWatch(options.source, clock));
  auto client =
      http::Client::start({.address = options.address, .name = "sim-alerts"}, tasks, clock);
  if (!client) return client.error();
  watch->client_ = std::move(*client);
  AlertWatch& self = *watch;
  self.client_->follow(
      http::request_bytes("GET", options.target, options.address,
                          {bearer(options.token), {"Accept", "text/event-stream"}}),
      [&self](std::string_view line) { self.take_line(line); },
      [&self](http::ClientAnswer answer) { self.take_end(answer); });

  std::unique_lock lock(self.mutex_);
  const bool known = wait_or_signal(
      self.changed_, lock, clock, clock.now() + kSubscribeMax,
      [&self] { return self.subscribed_ || !self.figures_.ended.empty(); });
  if (!known && StopSignal::requested()) {
    return base::Error{base::Errc::cancelled, "stopped by a signal"};
  }
  if (!known) return base::Error{base::Errc::unavailable, "the alert stream does not begin"};
  if (!self.subscribed_) return base::Error{base::Errc::refused, self.figures_.ended};
  lock.unlock();
  return watch;
}

void AlertWatch::expect(const std::string& source_id, base::TimePoint due, base::TimePoint sent) {
  const std::lock_guard lock(mutex_);
  if (expected_.size() >= kExpectedMax) {
    ++figures_.left_out;
    return;
  }
  expected_.emplace(source_id, Expected{due, sent});
}

void AlertWatch::forget(const std::string& source_id) {
  const std::lock_guard lock(mutex_);
  expected_.erase(source_id);
  changed_.notify_all();
}

void AlertWatch::take_line(std::string_view line) {
  const base::TimePoint now = clock_.now();
  constexpr std::string_view kData = "data: ";
  if (line.starts_with(kData)) {
    for_each_cause(line.substr(kData.size()), source_,
                   [&](std::string_view id) { take_cause(id, now); });
  }
  const std::lock_guard lock(mutex_);
  // Whatever the stream begins with, from there on no event is missed.
  subscribed_ = true;
  changed_.notify_all();
}

void AlertWatch::take_cause(std::string_view source_id, base::TimePoint now) {
  const std::lock_guard lock(mutex_);
  // A record may be the cause of more than one event; the first is what it waits for.
  const auto found = expected_.find(std::string(source_id));
  if (found == expected_.end()) return;
  figures_.from_due.record(now - found->second.due);
  figures_.from_sent.record(now - found->second.sent);
  expected_.erase(found);
}

void AlertWatch::take_end(const http::ClientAnswer& answer) {
  const std::lock_guard lock(mutex_);
  figures_.ended = answer.status == 200 ? "the server ended the alert stream" : why_not(answer);
  changed_.notify_all();
}

bool AlertWatch::wait_for_all(base::TimePoint until) {
  std::unique_lock lock(mutex_);
  wait_or_signal(changed_, lock, clock_, until,
                 [this] { return expected_.empty() || !figures_.ended.empty(); });
  return expected_.empty();
}

AlertFigures AlertWatch::figures() const {
  const std::lock_guard lock(mutex_);
  AlertFigures figures = figures_;
  figures.missing = expected_.size();
  figures.expected = figures.missing + figures.from_due.count();
  return figures;
}

}  // namespace trialward::cli
