// Exchange: one request and its answer, as a handler sees them. A handler keeps it by shared_ptr
// for as long as it works, and hands it to whatever thread has the answer. Any thread may call
// anything; calls made by one thread take effect in their order.
//
// There is one answer: either respond(), or start(), write()… and finish(). A second one is a
// broken invariant. An exchange that is let go unanswered is answered 500; one let go between
// start() and finish() breaks the connection, so that the client sees that something is missing.
//
// Callbacks run on the connection's I/O thread and must not block. (Only when the server has
// stopped already they run at once, on the caller's.) They may call the exchange. One that
// captures it keeps it alive until it has run, so on_closed() should capture a weak_ptr.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "http/message.h"

namespace trialward::http {

enum class ReadError {
  none,
  deadline,   // the sender was silent for too long
  malformed,  // not chunked coding
  too_large,  // more than Accepted::body_bytes_max
  closed,     // the connection is gone, or the server stops
};

// A piece of a streamed request body, at most 64 KiB.
struct ReadResult {
  std::string bytes;
  bool end = false;  // nothing comes after `bytes`
  ReadError error = ReadError::none;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;

  // The whole answer. To a HEAD, give what GET would: the body is counted but not sent.
  virtual void respond(Response response) = 0;

  // The head of a streamed answer; its body is ignored.
  virtual void start(Response head) = 0;
  // More of the answer. False, and then nothing was taken and on_written is not called: the
  // connection is gone, or more than answer_buffer_bytes_max would wait for the peer. A single
  // write may be larger than that, if nothing else waits. on_written says whether the bytes went
  // to the operating system; that is the moment to write more.
  virtual bool write(std::string bytes, std::function<void(bool ok)> on_written = {}) = 0;
  virtual void finish() = 0;
  // Bytes given to write() that the peer has not taken yet.
  virtual std::size_t buffered_bytes() const = 0;

  // The next piece of a streamed body (Accepted::stream_body), one read at a time. The body is
  // read from the socket no faster than this is called. After `end` or an error nothing comes.
  virtual void read(std::function<void(ReadResult)> on_read) = 0;

  // Runs `task` on the connection's I/O thread; however many are posted at once, the thread is
  // woken once. Dropped unrun when the server has stopped.
  virtual void post(std::function<void()> task) = 0;

  // Called once when the answer has become useless: the peer is gone, it took too long to read, or
  // the server stops. Not called when the answer went out. One callback per exchange.
  virtual void on_closed(std::function<void()> callback) = 0;
};

}  // namespace trialward::http
