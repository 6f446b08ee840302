// OutboundClient: sends requests to other machines, over libcurl's multi interface and on one
// thread of its own; mail goes by http/mail_sender.h on its threads. The Client beside it
// (http/client.h) is another: it loads one server with requests.
//
//   - Bounded: what waits, in items; connections to a remote, and in all. A remote that is slow
//     holds its own connections and nobody else's; those who wait take turns by remote.
//   - Names are resolved by http/resolver.h, so that taking a request back never waits for that.
//   - A cancelled or overdue request has its socket closed before its `done` is called.
//   - A connection that is well is kept for the remote's next request, for idle_keep.
//   - No redirects, no proxy from the environment, no decompression, TLS verified always.
//   - Nothing is repeated: that is for whoever knows what may be.
//
// stop() ends everything with `cancelled` and returns when its threads have ended: at once but for
// a lookup that runs (see Resolver). The destructor calls it. What base::Outbound says holds.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/outbound.h"
#include "http/resolver.h"
#include "runtime/task_list.h"

namespace trialward::http {

struct OutboundOptions {
  std::size_t requests_max = 1024;  // waiting or in flight
  std::size_t in_flight_max = 128;  // connections in use
  std::size_t per_remote_max = 16;  // of them, to one host and port
  base::Duration idle_keep = std::chrono::seconds(5);  // a connection that nobody uses
  std::size_t mail_threads = 4;     // mails in flight to one server; each holds a thread
  std::size_t mails_max = 256;      // waiting for one server
  std::string proxy;                // http://HOST:PORT for all but mail; empty: none
  ResolverOptions resolver;
  Resolver::Lookup lookup = Resolver::system_lookup;
};

// Of one remote, since the start.
struct RemoteStats {
  std::string remote;  // "example.org:443"
  std::size_t waiting = 0, in_flight = 0;
  std::array<std::uint64_t, base::kOutboundFailures> ended{};  // by OutboundFailure
  std::uint64_t bytes_out = 0, bytes_in = 0;                   // of bodies; of answers
  base::Duration took{};                                       // of all that ended, together
};

class OutboundClient final : public base::Outbound {
 public:
  // Errors: invalid (the proxy), unavailable (libcurl). `tasks` must outlive it.
  static base::Result<std::unique_ptr<OutboundClient>> start(OutboundOptions options,
                                                             runtime::TaskList& tasks);
  ~OutboundClient() override;
  OutboundClient(const OutboundClient&) = delete;
  OutboundClient& operator=(const OutboundClient&) = delete;

  base::Result<Id> send(base::OutboundRequest request, Done done) override;
  base::Result<Id> mail(base::OutboundMail mail, Done done) override;
  void cancel(Id id) override;
  void stop();

  std::vector<RemoteStats> stats() const;

 private:
  class Impl;
  explicit OutboundClient(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace trialward::http
