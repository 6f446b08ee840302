// What a server counts about itself. Written by its I/O threads, read by anyone; each number is
// right by itself, together they are no snapshot.
#pragma once

#include <atomic>
#include <cstdint>

namespace trialward::http {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void sub(std::uint64_t n = 1) { value_.fetch_sub(n, std::memory_order_relaxed); }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }
  operator std::uint64_t() const { return get(); }  // NOLINT: implicit, it is a number

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Stats {
  Counter connections_open;
  Counter connections_accepted;
  Counter gave_way;  // closed for a newcomer, as all places were taken
  // Connections beyond a limit.
  Counter refused_total;
  Counter refused_per_address;
  Counter requests;  // whose head was well-formed
  // Requests that came to no handler.
  Counter malformed;       // 400, 417, 501, 505
  Counter head_too_large;  // 414, 431
  Counter body_too_large;  // 413
  Counter not_admitted;    // by Admit
  Counter unanswered;      // let go by their handler, answered 500
  // Timeouts, by what was waited for.
  Counter handshake_timeouts;
  Counter header_timeouts;
  Counter body_timeouts;
  Counter idle_timeouts;
  Counter write_timeouts;
  Counter bytes_in;
  Counter bytes_out;
};

}  // namespace trialward::http
