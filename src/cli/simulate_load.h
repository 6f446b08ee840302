// Load: sends an invented trial to a server over a fixed number of connections, and measures.
//
// Open loop (a rate is given): each request has a moment at which it is due, and its latency is
// counted from there. When every connection is busy it is sent as soon as one is free; what could
// not be sent within kGrace after the end is reported as unsent, never forgotten. Closed loop (no
// rate): each connection sends its next request when the one before was answered, which tells the
// peak; a connection that was refused rests for kRest first.
//
// One thread owns the load: it invents, and hands to the client. Answers come on the client's I/O
// thread, which counts them and wakes the owner. What it holds is bounded by the connections.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/latency.h"
#include "cli/simulate_schedule.h"
#include "cli/simulate_trial.h"
#include "http/client.h"

namespace trialward::cli {

class AlertWatch;

struct LoadOptions {
  http::HostPort address;
  std::string target;  // where records are posted
  std::string token;
  std::size_t connections = 1;
  std::optional<double> records_per_s;  // none: closed loop
  double seconds = 10;
  std::uint64_t records_max = 0;  // then it is over, whatever `seconds` says; 0: no end
  std::size_t lines = 0;  // records in a request, as NDJSON or a Bundle; 0: single ones as JSON
  bool curve = false;
  SentAs sent_as = SentAs::records;  // observations: as FHIR transactions of `lines` entries
};

struct LoadFigures {
  std::uint64_t requests = 0, records = 0;  // sent
  // Of the records:
  std::uint64_t stored = 0, repeated = 0, refused = 0, unanswered = 0;
  std::uint64_t unsent = 0;  // due, but no connection was free
  // Of the refused: 429 or 503, and it does not say when to come again.
  std::uint64_t no_retry_after = 0;
  std::map<int, std::uint64_t> by_status;
  std::string first_failure;  // what the first answer that is no success said
  LatencyHistogram answers;   // of successes, from when they were due
  std::optional<LatencyCurve> curve;  // of the same, where it is asked for
  LatencyHistogram lateness;  // from when a request was due to when it was handed to the socket
  base::Duration took{};      // from the start to the last answer
  bool interrupted = false;

  std::uint64_t acknowledged() const { return stored + repeated; }
};

class Load {
 public:
  static constexpr std::chrono::seconds kGrace{10};
  static constexpr std::chrono::milliseconds kRest{100};

  // `trial` and `watch` (which may be null) must outlive the load. Errc::invalid: the options.
  static base::Result<std::unique_ptr<Load>> start(LoadOptions options, InventedTrial& trial,
                                                   AlertWatch* watch, runtime::TaskList& tasks,
                                                   const base::Clock& clock);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Sends one record outside of the figures; the error says why the server does not take it.
  base::Status try_one();
  // Blocks until the load is over, or `interrupted` says so (asked some 20 times a second); then
  // what is under way has a moment left.
  LoadFigures run(const std::function<bool()>& interrupted);

  // run(), a step at a time: sends what is due and can be sent; false when all is over.
  bool step();
  LoadFigures figures() const;

 private:
  struct Request {
    std::size_t connection = 0;
    std::size_t records = 0;
    base::TimePoint due;
    std::vector<std::string> alarming;  // source ids
  };

  Load(LoadOptions options, InventedTrial& trial, AlertWatch* watch, const base::Clock& clock);
  void begin();
  std::uint64_t requests_max() const;
  bool sending(base::TimePoint now) const;
  base::TimePoint next_due(base::TimePoint now) const;
  std::uint64_t unsent(base::TimePoint now) const;
  std::optional<std::size_t> take_connection(base::TimePoint now);
  bool bundles() const { return options_.sent_as == SentAs::observations; }
  std::string_view content_type() const;
  std::string make_body(Request& request);
  std::string request_text(std::string_view body, std::string_view type) const;
  void send(std::size_t connection, base::TimePoint due);
  void take_answer(const Request& request, const http::ClientAnswer& answer);
  void count(const Request& request, const http::ClientAnswer& answer);
  void wait_for_work();

  const LoadOptions options_;
  const std::optional<Schedule> schedule_;  // of requests
  InventedTrial& trial_;
  AlertWatch* const watch_;
  const base::Clock& clock_;
  // The owner's:
  base::TimePoint start_, end_;
  std::uint64_t sent_ = 0;
  bool begun_ = false;

  mutable std::mutex mutex_;  // guards all below but the client
  std::condition_variable changed_;
  bool answered_ = false;  // since the owner last looked
  std::deque<std::size_t> free_;
  std::deque<std::pair<base::TimePoint, std::size_t>> resting_;  // until when, in order
  std::size_t under_way_ = 0;
  LoadFigures figures_;
  std::unique_ptr<http::Client> client_;  // last: it calls back
};

}  // namespace trialward::cli
