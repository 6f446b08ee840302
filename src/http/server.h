// Server: HTTP/1.1 (and 1.0) on one TCP address, with or without TLS, or on one unix socket.
//
// A few I/O threads own the connections; each stays on its thread. Nothing on them may block. One
// request at a time is handled per connection, in order: the next one is looked at when the answer
// before it was written. Everything a peer can make the server hold or wait for is limited by
// ServerOptions; what goes beyond is refused as {"faults":[…]} with a fitting status.
//
// start() fails with Errc::invalid (options, certificate) or Errc::unavailable (address).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "http/exchange.h"
#include "http/host_port.h"
#include "http/message.h"
#include "http/stats.h"
#include "runtime/task_list.h"

namespace trialward::http {

struct ServerOptions {
  HostPort address = loopback();  // an IP address or "localhost"; port 0 takes a free one
  std::string unix_path;          // when not empty, instead of the address; mode 0600
  std::string tls_cert_path;      // PEM chain; both or neither
  std::string tls_key_path;

  std::string name = "http";  // of its threads and of its lines in the TaskList
  std::size_t io_threads = 1;

  std::size_t header_bytes_max = 16 * 1024;
  std::size_t connections_max = 4096;
  std::size_t connections_per_address_max = 1024;
  // What a handler may have waiting for a peer that reads slowly.
  std::size_t answer_buffer_bytes_max = 1024 * 1024;

  base::Duration header_timeout = std::chrono::seconds(10);  // for a whole head, or TLS handshake
  // A body may take body_timeout, and longer only while it comes at body_bytes_per_s_min. Of a
  // streamed body, body_timeout is the longest silence while the handler waits for more.
  base::Duration body_timeout = std::chrono::seconds(30);
  std::size_t body_bytes_per_s_min = 1024;
  base::Duration idle_timeout = std::chrono::seconds(75);
  base::Duration write_timeout = std::chrono::seconds(30);  // without the peer taking a byte
};

// What happens to a request whose head was read.
struct Accepted {
  std::size_t body_bytes_max = 0;
  bool stream_body = false;  // handler runs before the body, which Exchange::read() gets
  // Runs on an I/O thread; must not block. Dropped without having been called when the body does
  // not come, so what it owns (a ticket) is given back by its destructor.
  std::function<void(std::shared_ptr<Exchange>)> handler;
};

// Called on an I/O thread after the head and before the body. Must not block. A Response refuses
// the request without its body being kept.
using Decision = std::variant<Response, Accepted>;
using Admit = std::function<Decision(const Request& head)>;

class Server {
 public:
  // `tasks` and `clock` must outlive the server. Timeouts follow `clock`.
  static base::Result<std::unique_ptr<Server>> start(ServerOptions options, Admit admit,
                                                     runtime::TaskList& tasks,
                                                     const base::Clock& clock);
  // As stop() with no grace.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  const Stats& stats() const;

  // New connections are not accepted from soon after on; the others go on.
  void stop_accepting();
  // Also closes the connections without a request at once and the others after their answer; what
  // is not answered after `grace` is cancelled (Exchange::on_closed) and closed. Returns when no
  // connection and no thread is left. Not from an I/O thread.
  void stop(base::Duration grace);

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace trialward::http
