// Where streams over real sockets come from: a Listener accepts them, connect() makes one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/host_port.h"
#include "http/loop.h"
#include "http/stream.h"
#include "http/tls.h"

namespace trialward::http {

struct ListenOptions {
  HostPort address;       // host: an IP address or "localhost"; port 0 takes any that is free
  std::string unix_path;  // when not empty, instead of the address; created with mode 0600
  std::shared_ptr<boost::asio::ssl::context> tls;  // null: plain
  int backlog = 1024;
};

// Accepts on the first loop and hands each stream to one of the loops in turn. Owns the listening
// socket and, on a unix socket, its file.
class Listener {
 public:
  // Called on the loop that the stream belongs to; `peer` is the IP address, empty on unix.
  using OnStream = std::function<void(std::size_t loop, std::shared_ptr<Stream>, std::string peer)>;

  virtual ~Listener() = default;
  // Before the loops run. Errc::unavailable: the address is taken or not ours.
  static base::Result<std::unique_ptr<Listener>> open(ListenOptions options,
                                                      std::vector<std::shared_ptr<Loop>> loops,
                                                      OnStream on_stream);
  virtual std::uint16_t port() const = 0;  // 0 on unix
  // Any thread, any number of times. Accepts nothing more from some moment soon after.
  virtual void close() = 0;
};

// Errc::invalid when the host is neither an IP address nor "localhost": names are not looked up.
base::Status check_address(const HostPort& address);

// Begins to connect; on the loop's thread. The callback comes later, with a reason when it failed.
// Closing the returned stream early ends the attempt.
using OnConnected = std::function<void(bool ok, std::string error)>;
base::Result<std::shared_ptr<Stream>> connect(Loop& loop, const HostPort& address,
                                              OnConnected on_connected);

}  // namespace trialward::http
