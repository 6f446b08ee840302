#include "http/client.h"

#include <algorithm>
#include <list>
#include <vector>

#include "http/client_connection.h"
#include "http/socket_stream.h"

namespace trialward::http {
namespace {

constexpr base::Duration kSweepPeriod = std::chrono::milliseconds(10);

}  // namespace

std::string request_bytes(std::string_view method, std::string_view target, const HostPort& address,
                          const Headers& headers, std::string_view body) {
  std::string out;
  out.reserve(256 + body.size());
  const bool v6 = address.host.find(':') != std::string::npos;
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  out.append(v6 ? "[" : "").append(address.host).append(v6 ? "]:" : ":");
  out.append(std::to_string(address.port)).append("\r\n");
  for (const auto& [name, value] : headers) {
    out.append(name).append(": ").append(value).append("\r\n");
  }
  if (!body.empty()) {
    out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  return out.append("\r\n").append(body);
}

class Client::Impl {
 public:
  Impl(ClientOptions options, runtime::TaskList& tasks, const base::Clock& clock)
      : options_(std::move(options)), clock_(clock), loop_(std::make_shared<Loop>()) {
    for (std::size_t i = 0; i < options_.connections; ++i) {
      connections_.push_back(std::make_unique<ClientConnection>(*loop_, options_));
    }
    loop_->every(kSweepPeriod, [this] { sweep(); });
    thread_ = run_loops(options_.name, {loop_}, tasks);
  }

  ~Impl() {
    thread_->stop();
    // No other thread is left.
    for (auto& connection : connections_) connection->close("the client was stopped");
    for (auto& follower : followers_) follower->close("the client was stopped");
  }

  void send(std::size_t connection, std::string request, base::Duration deadline,
            OnAnswer on_answer) {
    TW_CHECK(connection < connections_.size());
    const base::TimePoint until = clock_.now() + deadline;
    post(*connections_[connection], ClientJob{std::move(request), until, std::move(on_answer), {}});
  }

  void follow(std::string request, OnLine on_line, OnAnswer on_end) {
    TW_CHECK(on_line);
    auto job = std::make_shared<ClientJob>(ClientJob{std::move(request), base::TimePoint::max(),
                                                     std::move(on_end), std::move(on_line)});
    const bool posted = loop_->post([this, job] {
      if (followers_.size() >= options_.followed_max) {
        return job->on_answer({.error = "too many streams are followed"});
      }
      followers_.push_back(std::make_unique<ClientConnection>(*loop_, options_));
      followers_.back()->send(std::move(*job));
    });
    if (!posted) job->on_answer({.error = "the client was stopped"});
  }

 private:
  void post(ClientConnection& connection, ClientJob job) {
    // Shared, because tasks are copyable; and if it is not taken, the answer must still be given.
    auto shared = std::make_shared<ClientJob>(std::move(job));
    if (!loop_->post([&connection, shared] { connection.send(std::move(*shared)); })) {
      shared->on_answer({.error = "the client was stopped"});
    }
  }

  void sweep() {
    const base::TimePoint now = clock_.now();
    for (const auto& connection : connections_) connection->sweep(now);
    followers_.remove_if([](const auto& follower) { return follower->idle(); });
  }

  const ClientOptions options_;
  const base::Clock& clock_;
  const std::shared_ptr<Loop> loop_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  std::list<std::unique_ptr<ClientConnection>> followers_;
  std::unique_ptr<runtime::WorkerPool> thread_;  // last: it runs all the rest
};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Client::~Client() = default;

base::Result<std::unique_ptr<Client>> Client::start(ClientOptions options, runtime::TaskList& tasks,
                                                    const base::Clock& clock) {
  if (options.connections == 0) {
    return base::Error{base::Errc::invalid, "a client needs one connection at least"};
  }
  if (const base::Status status = check_address(options.address); !status) return status.error();
  return std::unique_ptr<Client>(
      new Client(std::make_unique<Impl>(std::move(options), tasks, clock)));
}

void Client::send(std::size_t connection, std::string request, base::Duration deadline,
                  OnAnswer on_answer) {
  impl_->send(connection, std::move(request), deadline, std::move(on_answer));
}

void Client::follow(std::string request, OnLine on_line, OnAnswer on_end) {
  impl_->follow(std::move(request), std::move(on_line), std::move(on_end));
}

}  // namespace trialward::http
