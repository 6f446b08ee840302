// Asks a server whether drugs are covered, over kept-alive connections from one thread, and prints
// one line of JSON: how many answers a second, and how long they took. `trialward simulate` sends
// records and knows of each; here the answers come so fast that the generator must be next to
// nothing: epoll, requests made beforehand, and of an answer only its status and its length.
//
// --rate 0 is a closed loop. With a rate, latency counts from when a request was due (open loop).
// SIGTERM ends it early.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <deque>
#include <iostream>
#include <random>
#include <stdexcept>

#include "base/clock.h"
#include "base/json_writer.h"
#include "cli/latency.h"

namespace trialward::bench {
namespace {

constexpr std::size_t kRequests = 8192;  // different ones
volatile std::sig_atomic_t stopped = 0;

struct Options {
  int port = 0;
  std::string token, plan = "PLAN-0";
  std::size_t connections = 64;
  double seconds = 10, rate = 0;
  std::uint32_t first_code = 1, codes = 1;
};

struct Connection {
  int fd = -1;
  bool busy = false;
  base::TimePoint due;
  std::string in;
};

class Load {
 public:
  explicit Load(const Options& options) : options_(options), epoll_(::epoll_create1(0)) {
    std::mt19937 random(1);
    std::uniform_int_distribution<std::uint32_t> codes(0, options.codes - 1);
    for (std::size_t i = 0; i < kRequests; ++i) {
      requests_.push_back(
          "GET /v1/medications/" + std::to_string(options.first_code + codes(random)) +
          "/coverage?plan=" + options.plan +
          " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + options.token + "\r\n\r\n");
    }
    for (std::size_t i = 0; i < options.connections; ++i) connect();
    for (Connection& one : connections_) {
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &one}};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, one.fd, &event);
      idle_.push_back(&one);
    }
  }
  ~Load() {
    for (Connection& one : connections_) ::close(one.fd);
    ::close(epoll_);
  }

  void run() {
    const base::TimePoint begun = clock_.now();
    const auto length =
        std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(options_.seconds));
    const auto step = options_.rate > 0 ? std::chrono::duration_cast<base::Duration>(
                                              std::chrono::duration<double>(1 / options_.rate))
                                        : base::Duration::zero();
    base::TimePoint next = begun;
    while (true) {
      const base::TimePoint now = clock_.now();
      if (now - begun >= length || stopped != 0) break;
      while (!idle_.empty() && next <= now) {
        send(*idle_.front(), options_.rate > 0 ? next : now);
        idle_.pop_front();
        if (options_.rate > 0) next += step;
      }
      wait(options_.rate > 0 && !idle_.empty() ? next - now : std::chrono::milliseconds(10));
    }
    took_ = clock_.now() - begun;
  }

  std::string report() const {
    const auto ms = [&](double share) { return base::in_seconds(latency_.quantile(share)) * 1e3; };
    base::JsonWriter json;
    json.begin_object()
        .member("answers", latency_.count())
        .member("seconds", base::in_seconds(took_))
        .member("rate", static_cast<double>(latency_.count()) / base::in_seconds(took_))
        .member("wrong", wrong_)
        .key("answer_ms")
        .begin_object()
        .member("p50", ms(0.5))
        .member("p99", ms(0.99))
        .member("p99_9", ms(0.999))
        .member("max", base::in_seconds(latency_.max()) * 1e3)
        .end_object()
        .end_object();
    return json.take();
  }

 private:
  void connect() {
    Connection& one = connections_.emplace_back();
    one.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(options_.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(one.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(one.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
      throw std::runtime_error("no connection");
    }
  }

  void send(Connection& one, base::TimePoint due) {
    const std::string& request = requests_[sent_++ % kRequests];
    one.busy = true;
    one.due = due;
    if (::send(one.fd, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      throw std::runtime_error("a request could not be sent");
    }
  }

  void wait(base::Duration at_most) {
    epoll_event events[64];
    const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(at_most).count();
    // Finer than a millisecond, or an open loop would send in bursts.
    const timespec time{.tv_sec = 0, .tv_nsec = std::max<long>(micros, 0) * 1000};
    const int count = ::epoll_pwait2(epoll_, events, 64, &time, nullptr);
    for (int i = 0; i < count; ++i) read(*static_cast<Connection*>(events[i].data.ptr));
  }

  void read(Connection& one) {
    char bytes[16384];
    const ssize_t count = ::recv(one.fd, bytes, sizeof bytes, 0);
    if (count <= 0) throw std::runtime_error("the server closed a connection");
    one.in.append(bytes, static_cast<std::size_t>(count));
    const std::size_t head = one.in.find("\r\n\r\n");
    if (head == std::string::npos) return;
    const std::size_t length = one.in.find("Content-Length: ");
    if (length == std::string::npos || length > head) throw std::runtime_error("no length");
    const std::size_t body = std::stoul(one.in.substr(length + 16));
    if (one.in.size() < head + 4 + body) return;
    if (one.in.find("\"status\":\"covered\"", head) == std::string::npos) ++wrong_;
    one.in.clear();
    latency_.record(clock_.now() - one.due);
    one.busy = false;
    idle_.push_back(&one);
  }

  const Options options_;
  const int epoll_;
  const base::SystemClock clock_;
  std::vector<std::string> requests_;
  std::deque<Connection> connections_;
  std::deque<Connection*> idle_;
  cli::LatencyHistogram latency_;
  std::uint64_t sent_ = 0, wrong_ = 0;
  base::Duration took_{};
};

}  // namespace
}  // namespace trialward::bench

int main(int argc, char** argv) {
  using namespace trialward::bench;
  Options options;
  CLI::App app("Loads /v1/medications/{rxcui}/coverage.");
  app.add_option("--port", options.port)->required();
  app.add_option("--token", options.token)->required();
  app.add_option("--plan", options.plan);
  app.add_option("--connections", options.connections);
  app.add_option("--seconds", options.seconds);
  app.add_option("--rate", options.rate);
  app.add_option("--first-code", options.first_code);
  app.add_option("--codes", options.codes);
  CLI11_PARSE(app, argc, argv);
  std::signal(SIGTERM, [](int) { stopped = 1; });
  try {
    Load load(options);
    load.run();
    std::cout << load.report() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "coverage_load: " << error.what() << '\n';
    return 1;
  }
}
