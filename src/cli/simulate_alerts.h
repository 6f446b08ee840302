// AlertWatch: follows a study's alert stream and measures how long after a record its alert came.
// A record is expected before it is sent, and is known again by its source and source id among the
// causes of an event. It owns its own client and so its own I/O thread, that a busy load does not
// delay what it measures.
//
// Any thread may call anything; start() blocks until the server has the subscription. What it holds
// is bounded: an alarming record beyond kExpectedMax is not measured, but counted as left out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cli/latency.h"
#include "http/client.h"

namespace trialward::cli {

struct AlertWatchOptions {
  http::HostPort address;
  std::string target;  // of the stream
  std::string token;
  std::string source;  // of the records that are measured
};

struct AlertFigures {
  std::uint64_t expected = 0;  // records that were acknowledged as stored, or whose alert came
  std::uint64_t missing = 0;   // of them, without an alert
  std::uint64_t left_out = 0;
  LatencyHistogram from_due;   // from when the record was due
  LatencyHistogram from_sent;  // from when its request was handed to the socket
  std::string ended;           // why the stream ended early; empty when it did not
};

class AlertWatch {
 public:
  static constexpr std::size_t kExpectedMax = 100'000;

  // Errors: unavailable (no connection, no answer in time), refused (what the server said),
  // cancelled (a signal came first).
  static base::Result<std::unique_ptr<AlertWatch>> start(const AlertWatchOptions& options,
                                                         runtime::TaskList& tasks,
                                                         const base::Clock& clock);
  AlertWatch(const AlertWatch&) = delete;
  AlertWatch& operator=(const AlertWatch&) = delete;

  void expect(const std::string& source_id, base::TimePoint due, base::TimePoint sent);
  // The record was not stored, or had been before: it raises no alert.
  void forget(const std::string& source_id);
  // Blocks until every alert that is expected has come; false when the time is over first, the
  // stream has ended, or a signal asks the program to stop.
  bool wait_for_all(base::TimePoint until);
  AlertFigures figures() const;

 private:
  struct Expected {
    base::TimePoint due, sent;
  };

  AlertWatch(std::string source, const base::Clock& clock)
      : source_(std::move(source)), clock_(clock) {}
  void take_line(std::string_view line);
  void take_cause(std::string_view source_id, base::TimePoint now);
  void take_end(const http::ClientAnswer& answer);

  const std::string source_;
  const base::Clock& clock_;
  mutable std::mutex mutex_;  // guards all below but the client
  std::condition_variable changed_;
  std::unordered_map<std::string, Expected> expected_;
  AlertFigures figures_;
  bool subscribed_ = false;
  std::unique_ptr<http::Client> client_;  // last: it calls back
};

}  // namespace trialward::cli
