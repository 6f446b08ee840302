// What the tests of http/ share: a blocking peer over real sockets, a server whose handler hands
// the exchanges to the test, and waiting for what another thread will do.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "http/server.h"

namespace trialward::http {

inline constexpr auto kPatience = std::chrono::seconds(20);  // a test that hangs fails after it

// Waits for a condition that another thread will make true.
inline bool eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

// Values handed from one thread to another.
template <class T>
class Channel {
 public:
  void put(T value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
    changed_.notify_all();
  }
  T take() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, kPatience, [this] { return !values_.empty(); })) {
      ADD_FAILURE() << "nothing came";
      return {};
    }
    T value = std::move(values_.front());
    values_.pop_front();
    return value;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<T> values_;
};

struct Answer {
  int status = 0;                              // 0: the connection ended first
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// A client that blocks, and reads and writes exactly what it is told.
class Peer {
 public:
  explicit Peer(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    prepare(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  explicit Peer(const std::string& unix_path) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    unix_path.copy(to.sun_path, sizeof to.sun_path - 1);
    prepare(reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  ~Peer() { close(); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  int fd() const { return fd_; }
  // False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Sends what goes without waiting; the number of bytes that went.
  std::size_t send_some(std::string_view bytes) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }
  bool writable_within(std::chrono::milliseconds wait) {
    pollfd wanted{fd_, POLLOUT, 0};
    return ::poll(&wanted, 1, static_cast<int>(wait.count())) == 1;
  }
  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  // Closes so that the server sees a reset.
  void reset() {
    const linger none{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close();
  }

  Answer read_answer(bool to_head = false) {
    Answer answer;
    const std::string head = read_through("\r\n\r\n");
    if (head.empty()) return answer;
    answer.status = std::stoi(head.substr(9, 3));
    std::size_t at = head.find("\r\n") + 2;
    while (at + 2 < head.size()) {
      const std::size_t colon = head.find(": ", at);
      const std::size_t end = head.find("\r\n", at);
      std::string name = head.substr(at, colon - at);
      for (char& c : name) c = static_cast<char>(std::tolower(c));
      answer.headers[name] = head.substr(colon + 2, end - colon - 2);
      at = end + 2;
    }
    if (to_head || answer.status == 204 || answer.status / 100 == 1) return answer;
    if (answer.headers.contains("content-length")) {
      answer.body = read_bytes(std::stoul(answer.headers["content-length"]));
    } else if (answer.headers.contains("transfer-encoding")) {
      for (std::string chunk = read_chunk(); !chunk.empty(); chunk = read_chunk()) {
        answer.body += chunk;
      }
    } else {
      answer.body = read_all();
    }
    return answer;
  }
  // Empty at the last chunk, and at the end of the connection.
  std::string read_chunk() {
    const std::string size = read_through("\r\n");
    if (size.empty()) return {};
    const std::string chunk = read_bytes(std::stoul(size, nullptr, 16));
    read_through("\r\n");
    return chunk;
  }
  // Up to the end of the connection.
  std::string read_all() {
    while (fill()) {
    }
    return std::exchange(in_, {});
  }
  bool ended() { return in_.empty() && !fill(); }
  std::string read_bytes(std::size_t n) {
    while (in_.size() < n && fill()) {
    }
    std::string bytes = in_.substr(0, n);
    in_.erase(0, n);
    return bytes;
  }
  std::string read_through(std::string_view mark) {
    std::size_t at = in_.find(mark);
    while (at == std::string::npos) {
      if (!fill()) return {};
      at = in_.find(mark);
    }
    return read_bytes(at + mark.size());
  }

 private:
  void prepare(const sockaddr* to, socklen_t size) {
    const timeval patience{std::chrono::seconds(kPatience).count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd_, to, size), 0) << std::strerror(errno);
  }
  bool fill() {
    char bytes[16 * 1024];
    const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EAGAIN) ADD_FAILURE() << "the server sent nothing";
    if (n <= 0) return false;
    in_.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  int fd_ = -1;
  std::string in_;
};

// A server on any free port. By default it admits every request with a body of up to 1 MiB and
// hands its exchange to exchanges. Time is the test's: nothing is ever late unless clock.advance().
struct TestServer {
  explicit TestServer(ServerOptions wanted = {}, Admit admit = {}) {
    if (!admit) {
      admit = [this](const Request&) { return take(); };
    }
    auto started = Server::start(std::move(wanted), std::move(admit), tasks, clock);
    EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().message);
    server = std::move(*started);
  }

  Accepted take(std::size_t body_bytes_max = 1 << 20, bool stream_body = false) {
    return {body_bytes_max, stream_body,
            [this](std::shared_ptr<Exchange> exchange) { exchanges.put(std::move(exchange)); }};
  }
  std::uint16_t port() const { return server->port(); }
  const Stats& stats() const { return server->stats(); }

  base::FakeClock clock;
  runtime::TaskList tasks{clock};
  Channel<std::shared_ptr<Exchange>> exchanges;
  std::unique_ptr<Server> server;  // last: its handlers use the rest
};

// Answers every request at once with "METHOD PATH BODY".
inline Admit echo() {
  return [](const Request&) {
    return Accepted{1 << 20, false, [](const std::shared_ptr<Exchange>& exchange) {
                      const Request& request = exchange->request();
                      exchange->respond(text_response(
                          200, request.method + " " + request.path + " " + request.body));
                    }};
  };
}

}  // namespace trialward::http
