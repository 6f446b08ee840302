// Connection: one peer's stream, request after request. A state machine that the stream's events,
// the exchange's calls and the clock drive, all on the thread of its loop; only closed(),
// try_buffer() and buffered_bytes() may be called by others. It reads ahead while a handler works,
// at most the read buffer, which is how it sees a peer leave.
//
// Shared by its roster, the operations that run on its stream, and its exchange.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/exchange.h"
#include "http/loop.h"
#include "http/read_buffer.h"
#include "http/request_parser.h"
#include "http/server.h"
#include "http/stats.h"
#include "http/stream.h"
#include "http/write_queue.h"

namespace trialward::http {

// What the connections of one server have in common. Shared: an exchange may outlive the server.
struct ConnectionContext {
  ConnectionContext(ServerOptions o, Admit a, const base::Clock& c)
      : options(std::move(o)), admit(std::move(a)), clock(c) {}

  const ServerOptions options;
  const Admit admit;
  const base::Clock& clock;
  Stats stats;
  std::atomic<bool> draining{false};  // the server stops: no request after the one that runs
};

class Connection final : public Stream::Events, public std::enable_shared_from_this<Connection> {
 public:
  using OnGone = std::function<void(Connection&)>;

  Connection(std::shared_ptr<ConnectionContext> context, std::shared_ptr<Loop> loop,
             std::shared_ptr<Stream> stream, std::string peer, OnGone on_gone);

  // Begins with the handshake, if there is one.
  void start();
  // Says why there is no room and closes; instead of start().
  void refuse(Response response);
  // It has not sent one whole head so far; of one that is refused nothing is expected.
  bool headless() const { return headless_; }
  base::TimePoint came() const { return came_; }
  // Acts on what is overdue; false when nothing is.
  bool sweep(base::TimePoint now);
  // Closes if no request runs, or after the answer to the one that does.
  void drain();
  void close();

  void on_ready(StreamError error) override;
  void on_read(StreamError error, std::size_t n) override;
  void on_write(StreamError error, std::size_t n) override;

  // For the exchange numbered `serial`; what comes from an earlier one is ignored.
  void respond(std::uint64_t serial, Response response);
  void start_answer(std::uint64_t serial, const Response& head);
  void write_answer(std::uint64_t serial, std::string bytes, WriteQueue::OnWritten on_written);
  void finish_answer(std::uint64_t serial);
  void read_body(std::uint64_t serial, std::function<void(ReadResult)> on_read);
  void watch(std::uint64_t serial, std::function<void()> on_closed);
  void abandoned(std::uint64_t serial);

  // Any thread.
  Loop& loop() { return *loop_; }
  const std::string& peer() const { return peer_; }
  bool closed() const { return closed_.load(std::memory_order_acquire); }
  // Reserves room for bytes that go to write_answer(); false when there is none.
  bool try_buffer(std::size_t bytes);
  std::size_t buffered_bytes() const { return answer_bytes_.load(std::memory_order_relaxed); }

 private:
  enum class Phase {
    handshake,
    idle,      // between requests
    head,      // some of a head is there
    body,      // of an admitted request, collected for its handler
    handling,  // there is an exchange, or its answer is being written
    discard,   // the answer is out; what is left of a small body is thrown away
    linger,    // the last answer is out; reading on, or a reset would destroy it on its way
    closed,
  };

  bool live(std::uint64_t serial) const {
    return phase_ == Phase::handling && serial == serial_ && !answered_;
  }
  base::TimePoint now() const { return context_->clock.now(); }

  // Does all that can be done now, then reads and writes on.
  void advance();
  // One step with what was read; false when more is needed.
  bool step();
  bool step_head();
  bool step_body();
  bool step_streamed_body();
  bool step_discard();
  bool step_linger();
  void handle_end();
  void on_deadline();

  void admit();
  void accept(Accepted accepted);
  void begin_body();
  void extend_body_deadline();
  void begin_exchange();
  void next_request();

  // An answer that comes from here, not from a handler.
  void answer(Response response, bool keep_alive);
  void refuse_fault();
  void push_answer(Response response);
  bool may_keep_alive() const;
  void answer_complete();
  void answer_written();
  void start_reading();
  void start_writing();
  void peer_left();
  void finish_read(ReadResult result);

  const std::shared_ptr<ConnectionContext> context_;
  const std::shared_ptr<Loop> loop_;
  const std::shared_ptr<Stream> stream_;
  const std::string peer_;
  const OnGone on_gone_;

  Phase phase_ = Phase::handshake;
  bool headless_ = true;
  base::TimePoint came_{};
  base::TimePoint deadline_ = base::TimePoint::max();        // of the phase
  base::TimePoint write_deadline_ = base::TimePoint::max();  // of the write that runs
  bool reading_ = false;
  bool writing_ = false;
  bool ended_ = false;  // the peer will send no more
  ReadBuffer in_;
  WriteQueue out_;
  std::size_t lingered_ = 0;

  RequestParser parser_;
  Accepted accepted_;
  std::string body_;  // collected, or the next piece of a streamed one
  std::uint64_t body_bytes_ = 0;
  base::TimePoint body_began_{};

  // The exchange.
  std::uint64_t serial_ = 0;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool http_1_0_ = false;
  bool started_ = false;   // the head of a streamed answer is out
  bool chunked_ = false;   // its framing
  bool answered_ = false;  // the whole answer is in out_
  bool body_failed_ = false;
  std::function<void(ReadResult)> on_body_read_;
  std::function<void()> on_closed_;

  std::atomic<bool> closed_{false};
  std::atomic<std::size_t> answer_bytes_{0};
};

}  // namespace trialward::http
