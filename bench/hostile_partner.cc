// A partner of schedule sync (docs/schedule-sync.md) that is fast and does everything that a remote
// can do wrong: for a hundred thousand patients, for which tests/remote/hostile.py is too slow.
//
//   hostile_partner [--share 0.3] [--port 0]
//
// Whose requests end in which fault, and how many of them before it is well again, is in the hash
// of the patient's id; so a run is repeatable, and who needs more attempts than are made is to be
// reported. Of the lists of changes every third ends in a fault, each kind in its turn.
//
// Prints "partner at URL". Of its standard input a line "away" has every connection reset from then
// on, "back" ends that, and its end ends all. One thread, one epoll, no limits: it is for a
// benchmark of whoever calls it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/sha256.h"
#include "bench/partner_plans.h"

namespace trialward::bench {
namespace {

constexpr int kTickMs = 1000;  // between two bytes of a drip
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr unsigned kAttemptsMax = 6;  // that end in a patient's fault; four are made of a call

enum class Fault : std::uint8_t {
  none,
  hang,       // it never answers
  drip,       // a byte a second, for ever
  cut,        // resets in the middle of the body
  close,      // takes the request and closes
  lies,       // promises more bytes than come, and closes
  bomb,       // a gzip bomb
  huge,       // a body without end
  headers,    // headers without end
  redirect,   // to itself, for ever
  etag,       // the right answer, but that its ETag is another one each time
  garbage,    // no HTTP
  failed,     // 500
  busy,       // 503
  slow_down,  // 429
};
constexpr unsigned kFaults = 15;

struct Connection {
  int fd = -1;
  std::string in, out;  // out: what is still to be sent
  bool ends = false;    // once that is sent, or the socket is full: closed, or reset
  bool resets = false;
  bool hangs = false, drips = false, floods = false;
  // It takes no request any more.
  bool is_done() const { return ends || hangs || drips || floods; }
};

std::string answer(int status, std::string_view body, const std::string& headers = "") {
  return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + headers + "\r\n" + std::string(body);
}

// The value of a header of a request's head; "" when there is none.
std::string_view header(std::string_view head, std::string_view name) {
  for (std::size_t at = head.find("\r\n"); at != head.npos; at = head.find("\r\n", at)) {
    at += 2;
    const std::string_view line = head.substr(at, head.find("\r\n", at) - at);
    if (line.size() <= name.size() || line[name.size()] != ':') continue;
    if (::strncasecmp(line.data(), name.data(), name.size()) != 0) continue;
    const std::size_t from = line.find_first_not_of(' ', name.size() + 1);
    return from == line.npos ? std::string_view() : line.substr(from);
  }
  return {};
}

class HostilePartner {
 public:
  HostilePartner(const base::Clock& clock, double share)
      : plans_(clock), share_(static_cast<unsigned>(share * 1000)) {}

  bool listen(std::uint16_t port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    if (listener_ < 0 || epoll_ < 0 || ::bind(listener_, raw, bytes) != 0 ||
        ::listen(listener_, SOMAXCONN) != 0 || ::getsockname(listener_, raw, &bytes) != 0) {
      return false;
    }
    plans_.url = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/fhir";
    return watch(listener_, EPOLLIN) && watch(STDIN_FILENO, EPOLLIN);
  }
  const std::string& url() const { return plans_.url; }

  // Until its standard input ends.
  void run() {
    std::array<epoll_event, 256> events;
    auto next_tick = std::chrono::steady_clock::now() + std::chrono::milliseconds(kTickMs);
    while (!over_) {
      const int count = ::epoll_wait(epoll_, events.data(), events.size(), kTickMs / 4);
      for (int i = 0; i < count; ++i) take(events[static_cast<std::size_t>(i)]);
      if (std::chrono::steady_clock::now() < next_tick) continue;
      next_tick += std::chrono::milliseconds(kTickMs);
      drip();
    }
  }

 private:
  bool watch(int fd, std::uint32_t events) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
  }
  void watch_again(const Connection& connection) {
    epoll_event event{};
    event.events = EPOLLIN;
    if (!connection.out.empty() || connection.floods) event.events |= EPOLLOUT;
    event.data.fd = connection.fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }

  void take(const epoll_event& event) {
    const int fd = event.data.fd;
    if (fd == listener_) return accept();
    if (fd == STDIN_FILENO) return command();
    const auto found = connections_.find(fd);
    if (found == connections_.end()) return;
    Connection& connection = *found->second;
    bool lives = (event.events & (EPOLLERR | EPOLLHUP)) == 0;
    if (lives && (event.events & EPOLLIN) != 0) lives = read(connection);
    if (lives) lives = write(connection);
    if (lives) return watch_again(connection);
    drop(connection);
  }

  void accept() {
    while (true) {
      const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      auto connection = std::make_unique<Connection>();
      connection->fd = fd;
      connection->resets = away_;
      if (away_ || !watch(fd, EPOLLIN)) {
        drop(*connection);
        continue;
      }
      connections_[fd] = std::move(connection);
    }
  }

  void command() {
    std::array<char, 256> bytes;
    const ssize_t n = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (n <= 0) {
      over_ = true;
      return;
    }
    const std::string_view said(bytes.data(), static_cast<std::size_t>(n));
    away_ = said.find("away") != said.npos;
    if (!away_) return;
    while (!connections_.empty()) {
      connections_.begin()->second->resets = true;
      drop(*connections_.begin()->second);
    }
  }

  void drop(Connection& connection) {
    if (connection.resets) {
      const linger none{1, 0};
      ::setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    ::close(connection.fd);
    connections_.erase(connection.fd);
  }

  // False: the other side has closed.
  bool read(Connection& connection) {
    std::array<char, kPieceBytes> bytes;
    while (true) {
      const ssize_t n = ::recv(connection.fd, bytes.data(), bytes.size(), 0);
      if (n == 0) return false;
      if (n < 0) break;
      if (!connection.is_done()) connection.in.append(bytes.data(), static_cast<std::size_t>(n));
    }
    if (errno != EAGAIN) return false;
    while (act(connection)) {
    }
    return true;
  }

  // True: a request was there.
  bool act(Connection& connection) {
    const std::size_t end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const std::string_view head = std::string_view(connection.in).substr(0, end + 2);
    std::size_t length = 0;
    const std::string_view told = header(head, "Content-Length");
    std::from_chars(told.data(), told.data() + told.size(), length);
    const std::size_t whole = end + 4 + length;
    if (connection.in.size() < whole) return false;
    const std::size_t first = head.find(' '), second = head.find(' ', first + 1);
    if (second == head.npos) return false;
    const std::string_view target = head.substr(first + 1, second - first - 1);
    const std::size_t question = std::min(target.find('?'), target.size());
    PartnerPlans::Asked asked{
        .method = head.substr(0, first),
        .path = target.substr(0, question),
        .query = target.substr(std::min(question + 1, target.size())),
        .match = header(head, "If-Match"),
        .none_match = header(head, "If-None-Match"),
        .body = std::string_view(connection.in).substr(end + 4, length)};
    respond(connection, asked);
    connection.in.erase(0, whole);
    return !connection.is_done();
  }

  Fault fault_of(std::string_view path) {
    if (share_ == 0) return Fault::none;
    if (path == PartnerPlans::kPath) {
      if (++lists_ % 3 != 0) return Fault::none;
      return static_cast<Fault>(1 + lists_ / 3 % (kFaults - 1));
    }
    const base::Digest hash = base::sha256(path);
    if ((hash[0] * 256u + hash[1]) % 1000 >= share_) return Fault::none;
    unsigned& attempts = attempts_[std::string(path)];
    if (attempts >= 1 + hash[2] % kAttemptsMax) return Fault::none;
    ++attempts;
    return static_cast<Fault>(1 + hash[3] % (kFaults - 1));
  }

  void respond(Connection& connection, const PartnerPlans::Asked& asked) {
    const Fault fault = fault_of(asked.path);
    if (fault == Fault::none || fault == Fault::etag) {
      PartnerPlans::Said said = plans_.act(asked);
      if (fault == Fault::etag) said.etag = "W/\"x" + std::to_string(++others_) + "\"";
      connection.out += answer(said.status, said.body,
                               said.etag.empty() ? "" : "ETag: " + said.etag + "\r\n");
      return;
    }
    misbehave(connection, fault);
  }

  void misbehave(Connection& connection, Fault fault) {
    static const std::string kBomb("\x1f\x8b\x08\0\0\0\0\0\0\3", 10);
    std::string& out = connection.out;
    switch (fault) {
      case Fault::hang:
        connection.hangs = true;
        return;
      case Fault::drip:
        connection.drips = true;
        out += "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n";
        return;
      case Fault::cut:
        connection.resets = connection.ends = true;
        out += answer(200, std::string(1000, 'x')).substr(0, 600);
        return;
      case Fault::close:
        connection.ends = true;
        return;
      case Fault::lies:
        connection.ends = true;
        out += "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nshort";
        return;
      case Fault::bomb:
        out += answer(200, kBomb + std::string(kPieceBytes, '\0'), "Content-Encoding: gzip\r\n");
        return;
      case Fault::huge:
        connection.floods = true;
        out += "HTTP/1.1 200 OK\r\nETag: W/\"1\"\r\n\r\n";
        return;
      case Fault::headers:
        connection.floods = true;
        out += "HTTP/1.1 200 OK\r\nX-Y: ";
        return;
      case Fault::redirect:
        out += answer(302, "", "Location: " + plans_.url + "/CarePlan/again\r\n");
        return;
      case Fault::garbage:
        connection.ends = true;
        out += std::string("\0\xff\x13\x37", 4);
        return;
      default:
        out += answer(fault == Fault::failed ? 500 : fault == Fault::busy ? 503 : 429, "no\n");
    }
  }

  // False: it is over.
  bool write(Connection& connection) {
    static const std::string kPiece(kPieceBytes, ' ');
    while (true) {
      if (connection.out.empty() && connection.floods) connection.out = kPiece;
      if (connection.out.empty()) return !connection.ends;
      const ssize_t n = ::send(connection.fd, connection.out.data(), connection.out.size(),
                               MSG_NOSIGNAL);
      if (n < 0) return errno == EAGAIN;
      connection.out.erase(0, static_cast<std::size_t>(n));
    }
  }

  void drip() {
    for (const auto& [fd, connection] : connections_) {
      if (connection->drips) (void)::send(fd, " ", 1, MSG_NOSIGNAL);
    }
  }

  PartnerPlans plans_;
  const unsigned share_;  // of a thousand patients
  int listener_ = -1, epoll_ = -1;
  bool over_ = false, away_ = false;
  std::unordered_map<int, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::string, unsigned> attempts_;  // that ended in a fault, by path
  unsigned lists_ = 0;
  std::uint64_t others_ = 0;
};

}  // namespace
}  // namespace trialward::bench

int main(int argc, char** argv) {
  CLI::App app("A hostile partner of schedule sync");
  double share = 0.3;
  std::uint16_t port = 0;
  app.add_option("--share", share, "Of the patients, whose requests end in faults");
  app.add_option("--port", port, "0: a free one");
  CLI11_PARSE(app, argc, argv);
  const trialward::base::SystemClock clock;
  trialward::bench::HostilePartner partner(clock, share);
  if (!partner.listen(port)) {
    std::cerr << "it cannot listen\n";
    return 1;
  }
  std::cout << "partner at " << partner.url() << std::endl;
  partner.run();
  return 0;
}
