#include "store/postgres_cancel.h"

#include <arpa/inet.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Status;

namespace {

constexpr std::int32_t kCancelCode = 1234 << 16 | 5678;
constexpr std::string_view kKeyData = "BackendKeyData";

// Two whole numbers after spaces.
std::optional<std::pair<std::int32_t, std::int32_t>> two_numbers(std::string_view text) {
  std::int32_t numbers[2] = {};
  for (std::int32_t& number : numbers) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (fault != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return std::pair(numbers[0], numbers[1]);
}

// The server may have bound its socket by a name that is not ours: in a container, for instance.
bool socket_file(const pg_conn* connection, PostgresCancel::Target& target) {
  const char* host = PQhost(connection);
  const char* port = PQport(connection);
  if (host == nullptr || port == nullptr) return false;
  const std::string path = std::string(host) + "/.s.PGSQL." + port;
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  std::size_t bytes = offsetof(sockaddr_un, sun_path) + path.size();
  if (path.front() == '@') {
    address.sun_path[0] = '\0';  // no file: a name of Linux's own, of just so many bytes
  } else {
    ++bytes;
  }
  std::memcpy(&target.address, &address, sizeof address);
  target.address_bytes = static_cast<socklen_t>(bytes);
  return true;
}

Error failed(const char* what, int error) {
  return {Errc::unavailable, std::string(what) + ": " + std::generic_category().message(error)};
}

}  // namespace

std::optional<PostgresCancel::Target> PostgresCancel::target_of(const pg_conn* connection,
                                                                std::string_view trace) {
  const std::size_t at = trace.rfind(kKeyData);  // of the last server that was tried
  if (at == trace.npos) return std::nullopt;
  const auto numbers = two_numbers(trace.substr(at + kKeyData.size()));
  if (!numbers || numbers->first != PQbackendPID(connection)) return std::nullopt;
  Target target{.process = numbers->first, .key = numbers->second};
  target.address_bytes = sizeof target.address;
  if (::getpeername(PQsocket(connection), reinterpret_cast<sockaddr*>(&target.address),
                    &target.address_bytes) != 0) {
    return std::nullopt;
  }
  if (target.address.ss_family == AF_UNIX && !socket_file(connection, target)) return std::nullopt;
  return target;
}

Status PostgresCancel::begin(const Target& target) {
  TW_CHECK(!under_way());
  const std::uint32_t words[4] = {htonl(sizeof request_), htonl(kCancelCode),
                                  htonl(static_cast<std::uint32_t>(target.process)),
                                  htonl(static_cast<std::uint32_t>(target.key))};
  std::memcpy(request_.data(), words, sizeof words);
  sent_ = 0;
  file_ = ::socket(target.address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file_ < 0) return failed("socket", errno);
  if (::connect(file_, reinterpret_cast<const sockaddr*>(&target.address),
                target.address_bytes) == 0 ||
      errno == EINPROGRESS) {
    return {};
  }
  // EAGAIN: a unix socket at which too many wait. Like any failure, it is for the next attempt.
  const int error = errno;
  close();
  return failed("connect", error);
}

short PostgresCancel::events() const {
  return static_cast<short>(sent_ < request_.size() ? POLLOUT : POLLIN);
}

Status PostgresCancel::proceed() {
  if (!under_way()) return {};
  while (sent_ < request_.size()) {
    const ssize_t count = ::send(file_, request_.data() + sent_, request_.size() - sent_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (count < 0) {
      const int error = errno;
      close();
      return failed("send", error);
    }
    sent_ += static_cast<std::size_t>(count);
  }
  std::array<std::byte, 64> nothing{};
  const ssize_t count = ::recv(file_, nothing.data(), nothing.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  close();  // it has been heard; what the server may have said besides is no answer
  return {};
}

void PostgresCancel::close() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

}  // namespace trialward::store
