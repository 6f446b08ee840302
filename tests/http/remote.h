// A remote that misbehaves as it is told: a listening socket, and a thread for each connection that
// runs the test's script on it. What the script does with the socket is all that happens.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "tests/http/harness.h"

namespace trialward::http {

// One connection, as the remote sees it. Blocking.
class Line {
 public:
  explicit Line(int fd) : fd_(fd) {}
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  // Up to and with the mark; empty when the connection ended before.
  std::string read_through(std::string_view mark) {
    std::size_t at = in_.find(mark);
    while (at == std::string::npos) {
      char bytes[4096];
      const ssize_t n = ::recv(fd_, bytes, sizeof bytes, 0);
      if (n <= 0) return {};
      in_.append(bytes, static_cast<std::size_t>(n));
      at = in_.find(mark);
    }
    std::string taken = in_.substr(0, at + mark.size());
    in_.erase(0, taken.size());
    return taken;
  }
  // Waits until the other side has closed.
  void until_closed() {
    char bytes[4096];
    while (::recv(fd_, bytes, sizeof bytes, 0) > 0) {
    }
  }
  void reset() {
    const linger none{1, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  }

 private:
  const int fd_;
  std::string in_;
};

class Remote {
 public:
  using Script = std::function<void(Line&)>;

  explicit Remote(Script script) : script_(std::move(script)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(fd_, 1024), 0);
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept(); });
  }
  ~Remote() {
    ::shutdown(fd_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (Connection& one : connections_) {
        if (one.fd >= 0) ::shutdown(one.fd, SHUT_RDWR);
      }
    }
    for (Connection& one : connections_) one.thread.join();
    ::close(fd_);
  }
  Remote(const Remote&) = delete;
  Remote& operator=(const Remote&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  int accepted() const { return accepted_.load(); }
  int open() const { return open_.load(); }  // connections whose script has not ended

 private:
  struct Connection {
    int fd = -1;
    std::thread thread;
  };

  void accept() {
    while (true) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++open_;
      ++accepted_;
      const std::lock_guard lock(mutex_);
      Connection& one = connections_.emplace_back();
      one.fd = fd;
      one.thread = std::thread([this, &one] {
        Line line(one.fd);
        script_(line);
        const std::lock_guard end(mutex_);
        ::close(std::exchange(one.fd, -1));
        --open_;
      });
    }
  }

  const Script script_;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0, open_ = 0;
  std::mutex mutex_;
  std::list<Connection> connections_;  // guarded by mutex_; their threads outlive it
  std::thread acceptor_;
};

}  // namespace trialward::http
