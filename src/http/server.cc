#include "http/server.h"

#include <algorithm>
#include <vector>

#include "base/log.h"
#include "http/census.h"
#include "http/roster.h"
#include "http/socket_stream.h"

namespace trialward::http {
namespace {

constexpr base::Duration kSweepMin = std::chrono::milliseconds(1);
constexpr base::Duration kSweepMax = std::chrono::milliseconds(250);
// Closing is local and quick; this only says when to complain that it was not.
constexpr base::Duration kCloseTime = std::chrono::seconds(5);

// Often enough that no timeout is late by more than an eighth of itself, unless a great many are
// over at once.
base::Duration sweep_period(const ServerOptions& options) {
  const base::Duration shortest = std::min(
      {options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout});
  return std::clamp(shortest / 8, kSweepMin, kSweepMax);
}

base::Status check(const ServerOptions& options, const Admit& admit) {
  const auto wrong = [](std::string why) { return base::Error{base::Errc::invalid, why}; };
  if (!admit) return wrong("a server needs an Admit");
  if (options.tls_cert_path.empty() != options.tls_key_path.empty()) {
    return wrong("TLS needs both a certificate and a key");
  }
  if (options.io_threads == 0 || options.io_threads > 64) {
    return wrong("io_threads must be from 1 to 64");
  }
  if (options.header_bytes_max < 256 || options.header_bytes_max > 1024 * 1024) {
    return wrong("header_bytes_max must be from 256 to 1048576");
  }
  if (options.connections_max == 0 || options.connections_per_address_max == 0) {
    return wrong("a server needs room for one connection at least");
  }
  if (sweep_period(options) <= base::Duration::zero() ||
      std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                options.write_timeout}) <= base::Duration::zero()) {
    return wrong("every timeout must be longer than nothing");
  }
  return {};
}

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, Admit admit, const base::Clock& clock)
      : context_(std::make_shared<ConnectionContext>(std::move(options), std::move(admit), clock)),
        census_(context_->options.connections_max, context_->options.connections_per_address_max) {
    for (std::size_t i = 0; i < context_->options.io_threads; ++i) {
      loops_.push_back(std::make_shared<Loop>());
      rosters_.push_back(std::make_unique<Roster>(context_, loops_.back(), census_));
      const base::Duration period = sweep_period(context_->options);
      loops_.back()->repeat(
          period, [roster = rosters_.back().get(), period] { return roster->sweep(period); });
    }
  }

  base::Status open(runtime::TaskList& tasks) {
    const ServerOptions& options = context_->options;
    ListenOptions listen{.address = options.address, .unix_path = options.unix_path};
    if (!options.tls_cert_path.empty()) {
      auto tls = load_tls(options.tls_cert_path, options.tls_key_path);
      if (!tls) return tls.error();
      listen.tls = *tls;
    }
    auto listener =
        Listener::open(std::move(listen), loops_,
                       [this](std::size_t loop, std::shared_ptr<Stream> stream, std::string peer) {
                         rosters_[loop]->adopt(std::move(stream), std::move(peer));
                       });
    if (!listener) return listener.error();
    listener_ = std::move(*listener);
    port_ = listener_->port();
    threads_ = run_loops(options.name, loops_, tasks);
    return {};
  }

  void stop(base::Duration grace) {
    if (!threads_) return;
    TW_CHECK(!threads_->on_own_thread());
    listener_->close();
    context_->draining = true;
    on_every_roster([](Roster& roster) { roster.drain(); });
    const bool all_gone = census_.wait_empty(grace);
    // Also those that are being turned away, whom the census does not count.
    on_every_roster([](Roster& roster) { roster.close_all(); });
    if (!all_gone && !census_.wait_empty(kCloseTime)) base::log_error("an I/O thread is blocked");
    threads_.reset();
    listener_.reset();
  }

  void stop_accepting() {
    if (listener_) listener_->close();
  }
  std::uint16_t port() const { return port_; }
  const Stats& stats() const { return context_->stats; }

 private:
  template <class F>
  void on_every_roster(F f) {
    for (std::size_t i = 0; i < loops_.size(); ++i) {
      loops_[i]->post([roster = rosters_[i].get(), f] { f(*roster); });
    }
  }

  const std::shared_ptr<ConnectionContext> context_;
  Census census_;
  std::vector<std::shared_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Roster>> rosters_;
  std::unique_ptr<Listener> listener_;
  std::uint16_t port_ = 0;
  std::unique_ptr<runtime::WorkerPool> threads_;  // last: it runs all the rest
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Server::~Server() { stop(base::Duration::zero()); }

base::Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Admit admit,
                                                    runtime::TaskList& tasks,
                                                    const base::Clock& clock) {
  if (const base::Status status = check(options, admit); !status) return status.error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(admit), clock);
  if (const base::Status status = impl->open(tasks); !status) return status.error();
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->port(); }
const Stats& Server::stats() const { return impl_->stats(); }
void Server::stop_accepting() { impl_->stop_accepting(); }
void Server::stop(base::Duration grace) { impl_->stop(grace); }

}  // namespace trialward::http
