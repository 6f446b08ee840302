// The reading half of a connection: heads, bodies, deadlines, the end.
#include "http/connection.h"

#include <algorithm>
#include <exception>

#include "base/log.h"
#include "http/server_exchange.h"

namespace trialward::http {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kReserveBytesMax = 1024 * 1024;
constexpr std::size_t kLingerBytesMax = 4 * 1024 * 1024;

Response body_too_large(std::size_t max) {
  return fault_response(413, "a body here may have at most " + std::to_string(max) + " bytes");
}

}  // namespace

Connection::Connection(std::shared_ptr<ConnectionContext> context, std::shared_ptr<Loop> loop,
                       std::shared_ptr<Stream> stream, std::string peer, OnGone on_gone)
    : context_(std::move(context)),
      loop_(std::move(loop)),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      on_gone_(std::move(on_gone)),
      in_(std::max(kReadBytes, context_->options.header_bytes_max)),
      parser_(context_->options.header_bytes_max) {}

void Connection::start() {
  came_ = now();
  deadline_ = came_ + context_->options.header_timeout;
  stream_->handshake(shared_from_this());
}

void Connection::on_ready(StreamError error) {
  if (phase_ == Phase::closed) return;
  if (error != StreamError::none) return close();
  next_request();
  advance();
}

void Connection::on_read(StreamError error, std::size_t n) {
  reading_ = false;
  if (phase_ == Phase::closed) return;
  if (error == StreamError::lost) return close();
  ended_ = error == StreamError::end;
  in_.filled(n);
  advance();
  context_->stats.bytes_in.add(n);  // counted once it has had its effect: tests wait for it
}

void Connection::advance() {
  const auto self = shared_from_this();
  while (step()) {
  }
  if (ended_) handle_end();
  start_writing();
  start_reading();
}

bool Connection::step() {
  switch (phase_) {
    case Phase::idle:
      if (in_.empty()) return false;
      phase_ = Phase::head;
      deadline_ = now() + context_->options.header_timeout;
      return true;
    case Phase::head:
      return step_head();
    case Phase::body:
      return step_body();
    case Phase::handling:
      return step_streamed_body();
    case Phase::discard:
      return step_discard();
    case Phase::linger:
      return step_linger();
    case Phase::handshake:
    case Phase::closed:
      return false;
  }
  return false;
}

bool Connection::step_head() {
  in_.consume(parser_.parse_head(in_.view()));
  if (parser_.fault()) {
    refuse_fault();
    return true;
  }
  if (!parser_.head_done()) return false;
  headless_ = false;
  context_->stats.requests.add();
  Request& request = parser_.request();
  request.peer = peer_;
  request.local = !context_->options.unix_path.empty();
  request.tls = !context_->options.tls_cert_path.empty();
  request.received = now();
  keep_alive_ = request.keep_alive;
  http_1_0_ = request.http_1_0;
  head_only_ = request.method == "HEAD";
  admit();
  return true;
}

void Connection::admit() {
  Decision decision = fault_response(500, "the request could not be looked at");
  try {
    decision = context_->admit(parser_.request());
  } catch (const std::exception& thrown) {
    base::log_error(std::string("admitting a request threw: ") + thrown.what());
  }
  if (Accepted* accepted = std::get_if<Accepted>(&decision)) {
    accept(std::move(*accepted));
    return;
  }
  context_->stats.not_admitted.add();
  // A sender that waits for 100 may send the body after all, or not: only closing is unambiguous.
  answer(std::move(std::get<Response>(decision)), !parser_.expects_continue());
}

void Connection::accept(Accepted accepted) {
  accepted_ = std::move(accepted);
  const auto length = parser_.content_length();
  if (length && *length > accepted_.body_bytes_max) {
    context_->stats.body_too_large.add();
    answer(body_too_large(accepted_.body_bytes_max), !parser_.expects_continue());
    return;
  }
  if (parser_.expects_continue() && !parser_.done() && in_.empty()) {
    out_.push("HTTP/1.1 100 Continue\r\n\r\n");
  }
  body_.clear();
  body_bytes_ = 0;
  if (accepted_.stream_body || parser_.done()) return begin_exchange();
  phase_ = Phase::body;
  body_began_ = now();
  body_.reserve(std::min<std::uint64_t>(length.value_or(0), kReserveBytesMax));
  extend_body_deadline();
}

void Connection::extend_body_deadline() {
  const auto& options = context_->options;
  const auto earned = std::chrono::milliseconds(
      body_bytes_ * 1000 / std::max<std::size_t>(options.body_bytes_per_s_min, 1));
  deadline_ = body_began_ + options.body_timeout + earned;
}

bool Connection::step_body() {
  if (in_.empty()) return false;
  in_.consume(parser_.parse_body(in_.view(), body_));
  body_bytes_ = body_.size();
  if (parser_.fault()) {
    refuse_fault();
    return true;
  }
  if (body_bytes_ > accepted_.body_bytes_max) {
    context_->stats.body_too_large.add();
    answer(body_too_large(accepted_.body_bytes_max), false);
    return true;
  }
  if (!parser_.done()) {
    extend_body_deadline();
    return false;
  }
  parser_.request().body = std::move(body_);
  parser_.request().received = now();
  begin_exchange();
  return true;
}

void Connection::begin_exchange() {
  phase_ = Phase::handling;
  deadline_ = base::TimePoint::max();
  ++serial_;
  started_ = chunked_ = answered_ = body_failed_ = false;
  auto exchange =
      std::make_shared<ServerExchange>(shared_from_this(), serial_, std::move(parser_.request()));
  // Dropped after the call: what the handler captured belongs to this request.
  const auto handler = std::move(accepted_.handler);
  try {
    handler(std::move(exchange));
  } catch (const std::exception& thrown) {
    // If it let the exchange go, that is answered 500.
    base::log_error(std::string("a handler threw: ") + thrown.what());
  }
}

bool Connection::step_streamed_body() {
  if (!on_body_read_ || body_failed_) return false;
  while (!in_.empty() && !parser_.done() && body_.size() < kReadBytes) {
    const std::size_t taken =
        parser_.parse_body(in_.view().substr(0, kReadBytes - body_.size()), body_);
    in_.consume(taken);
    if (parser_.fault() || taken == 0) break;
  }
  if (parser_.fault()) {
    finish_read({.error = ReadError::malformed});
  } else if (body_bytes_ + body_.size() > accepted_.body_bytes_max) {
    context_->stats.body_too_large.add();
    finish_read({.error = ReadError::too_large});
  } else if (parser_.done() || !body_.empty()) {
    body_bytes_ += body_.size();
    finish_read({.bytes = std::exchange(body_, {}), .end = parser_.done()});
  }
  return false;
}

void Connection::finish_read(ReadResult result) {
  body_failed_ = result.error != ReadError::none;
  if (!ended_) deadline_ = base::TimePoint::max();
  std::exchange(on_body_read_, {})(std::move(result));
}

void Connection::read_body(std::uint64_t serial, std::function<void(ReadResult)> on_read) {
  if (!live(serial)) return on_read({.error = ReadError::closed});
  if (body_failed_) return on_read({.error = ReadError::malformed});
  if (parser_.done() && body_.empty()) return on_read({.end = true});
  TW_CHECK(!on_body_read_);
  on_body_read_ = std::move(on_read);
  if (!ended_) deadline_ = now() + context_->options.body_timeout;
  advance();
}

bool Connection::step_discard() {
  body_.clear();
  in_.consume(parser_.parse_body(in_.view(), body_));
  if (parser_.fault()) {
    close();
  } else if (parser_.done()) {
    next_request();
    return true;
  }
  return false;
}

bool Connection::step_linger() {
  lingered_ += in_.view().size();
  in_.consume(in_.view().size());
  if (lingered_ > kLingerBytesMax) close();
  return false;
}

void Connection::next_request() {
  if (context_->draining) return close();
  parser_.reset();
  phase_ = Phase::idle;
  deadline_ = now() + context_->options.idle_timeout;
}

// The peer has ended, and what it sent has been used as far as it can be.
void Connection::handle_end() {
  switch (phase_) {
    case Phase::handling:
      return peer_left();
    case Phase::closed:
      return;
    default:
      return close();
  }
}

// It may have closed, or only its sending half: the answer is still tried, but not waited for
// longer than a write would be.
void Connection::peer_left() {
  if (deadline_ == base::TimePoint::max() || on_body_read_) {
    deadline_ = now() + context_->options.write_timeout;
  }
  if (on_body_read_) finish_read({.error = ReadError::closed});
  if (on_closed_ && !answered_) std::exchange(on_closed_, {})();
}

bool Connection::sweep(base::TimePoint now) {
  if (now >= write_deadline_) {
    context_->stats.write_timeouts.add();
    close();
    return true;
  }
  if (now < deadline_) return false;
  on_deadline();
  return true;
}

void Connection::on_deadline() {
  const auto self = shared_from_this();
  Stats& stats = context_->stats;
  deadline_ = base::TimePoint::max();
  switch (phase_) {
    case Phase::handshake:
      stats.handshake_timeouts.add();
      return close();
    case Phase::idle:
      stats.idle_timeouts.add();
      return close();
    case Phase::head:
      stats.header_timeouts.add();
      answer(fault_response(408, "the head of the request did not come in time"), false);
      return advance();
    case Phase::body:
      stats.body_timeouts.add();
      answer(fault_response(408, "the body of the request did not come in time"), false);
      return advance();
    case Phase::handling:
      if (!on_body_read_) return close();  // its peer had left
      stats.body_timeouts.add();
      finish_read({.error = ReadError::deadline});
      return;
    default:
      return close();
  }
}

void Connection::start_reading() {
  if (phase_ == Phase::closed || phase_ == Phase::handshake || reading_ || ended_) return;
  const bool within_a_body = parser_.head_done() && !parser_.done();
  if (in_.empty() && !within_a_body) in_.shrink();
  const auto room = in_.room();
  if (room.empty()) return;
  reading_ = true;
  stream_->read(room, shared_from_this());
}

void Connection::drain() {
  if (phase_ == Phase::handshake || phase_ == Phase::idle || phase_ == Phase::head) close();
}

void Connection::close() {
  if (phase_ == Phase::closed) return;
  const auto self = shared_from_this();
  phase_ = Phase::closed;
  closed_.store(true, std::memory_order_release);
  stream_->close();
  accepted_ = {};
  out_.fail();
  if (on_body_read_) std::exchange(on_body_read_, {})({.error = ReadError::closed});
  if (on_closed_) std::exchange(on_closed_, {})();
  on_gone_(*this);
}

}  // namespace trialward::http
