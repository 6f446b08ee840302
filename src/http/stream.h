// Stream: the bytes of one connection, whether plain TCP, a unix socket or TLS. A seam: a test may
// drive a Connection with a stream of its own (promise P11). All calls and all events happen on the
// thread of the stream's loop. At most one read and one write run at a time; both may.
//
// Shared, because the operations that run keep it and whoever hears of their end alive.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace trialward::http {

enum class StreamError {
  none,
  end,   // the peer will send no more
  lost,  // reset, closed by us, or TLS went wrong: the stream is of no use any more
};

class Stream {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_ready(StreamError error) = 0;
    virtual void on_read(StreamError error, std::size_t n) = 0;
    virtual void on_write(StreamError error, std::size_t n) = 0;
  };

  virtual ~Stream() = default;
  // TLS handshake; a plain stream is ready at once, before this returns.
  virtual void handshake(std::shared_ptr<Events> events) = 0;
  // Reads what is there, at most to.size() bytes. The buffer stays the caller's, until the event.
  virtual void read(std::span<char> to, std::shared_ptr<Events> events) = 0;
  static constexpr std::size_t kPiecesMax = 16;
  // Writes what fits, of the first kPiecesMax. The pieces' bytes must stay until the event; the
  // span itself need not.
  virtual void write(std::span<const std::string_view> pieces, std::shared_ptr<Events> events) = 0;
  // Tells the peer that nothing more comes; reading goes on.
  virtual void shutdown_write() = 0;
  // Gives the socket back. What still runs ends with StreamError::lost, later.
  virtual void close() = 0;
};

}  // namespace trialward::http
