// A request to end what a session of PostgreSQL does: sixteen bytes on a socket of its own, to
// where the session's server listens. The server closes that socket once it has passed the request
// on.
//
//   int32 16 | int32 80877102 | int32 process | int32 key      (most significant byte first)
//
// libpq 15 has this as PQcancel, which blocks for as long as a server hangs. Here nothing blocks:
// its owner polls, and gives it up when he likes. As with libpq 15 it is not encrypted, even if the
// session is; what it tells is of use to end statements of that session alone, and a server behind
// a proxy that insists on TLS does not hear it. The key is told to libpq alone, which shows it to
// whoever traces a connection's beginning.
//
// Of one thread. What fails is over, without the server's having heard of it perhaps.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

struct pg_conn;

namespace trialward::store {

class PostgresCancel {
 public:
  // A session, as it is found by who cancels.
  struct Target {
    sockaddr_storage address{};
    socklen_t address_bytes = 0;
    std::int32_t process = 0;
    std::int32_t key = 0;
  };
  // `trace`: what PQtrace wrote while the connection was made. Nothing when it does not tell.
  static std::optional<Target> target_of(const pg_conn* connection, std::string_view trace);

  PostgresCancel() = default;
  ~PostgresCancel() { close(); }
  PostgresCancel(const PostgresCancel&) = delete;
  PostgresCancel& operator=(const PostgresCancel&) = delete;

  // Not while one is under way. Errors: unavailable.
  base::Status begin(const Target& target);
  bool under_way() const { return file_ >= 0; }
  // For poll(): the socket, or -1, and what it waits for.
  int file() const { return file_; }
  short events() const;
  // Goes on as far as it can, after poll() had something to say of file(). Errors: unavailable; it
  // is over then.
  base::Status proceed();
  void close();

 private:
  int file_ = -1;
  std::array<std::byte, 16> request_{};
  std::size_t sent_ = 0;
};

}  // namespace trialward::store
