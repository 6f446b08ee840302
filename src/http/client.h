// Client: sends requests to one address over a fixed number of kept-alive connections, from one
// I/O thread of its own; what `trialward simulate` loads a server with. Plain TCP, no redirects, no
// retries: each request has exactly one outcome, reported once.
//
// Any thread may call anything. Callbacks run on the I/O thread; they must not block, and may send.
// Requests of one connection are sent one after the other, in order.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/host_port.h"
#include "http/message.h"
#include "runtime/task_list.h"

namespace trialward::http {

struct ClientOptions {
  HostPort address = loopback();  // an IP address or "localhost"
  std::size_t connections = 1;
  std::string name = "client";              // of its thread
  std::size_t queued_max = 10'000;          // requests that wait on one connection
  std::size_t followed_max = 1000;          // streams
  std::size_t answer_bytes_max = 64 << 20;  // of one answer, and of one line of a stream
};

struct ClientAnswer {
  int status = 0;  // 0: there is none, and `error` says why
  bool retry_after = false;  // whether it says when to come again
  std::string body;
  std::string error;
};

// The bytes of a request with a Host, and a Content-Length when there is a body.
std::string request_bytes(std::string_view method, std::string_view target, const HostPort& address,
                          const Headers& headers = {}, std::string_view body = {});

class Client {
 public:
  using OnAnswer = std::function<void(ClientAnswer)>;
  using OnLine = std::function<void(std::string_view line)>;  // without its end of line

  // `tasks` and `clock` must outlive the client. Does not connect yet. Errc::invalid: the address.
  static base::Result<std::unique_ptr<Client>> start(ClientOptions options,
                                                     runtime::TaskList& tasks,
                                                     const base::Clock& clock);
  // What has no outcome yet is reported as failed.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // `connection` is below ClientOptions::connections (checked). `deadline` counts from now, also
  // while the request waits for those before it.
  void send(std::size_t connection, std::string request, base::Duration deadline,
            OnAnswer on_answer);
  // Over a connection of its own: reports each line of the answer's body as it comes (SSE, NDJSON)
  // and at last how it ended; an answer that is not 200 is reported by on_end with its body.
  void follow(std::string request, OnLine on_line, OnAnswer on_end);

 private:
  class Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace trialward::http
