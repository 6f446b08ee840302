// The answering half of a connection: what exchanges call, and the writing.
#include <array>

#include "base/log.h"
#include "http/answer_head.h"
#include "http/connection.h"

namespace trialward::http {
namespace {

// A body that nobody wants and that is no longer than this is read and thrown away, so that the
// connection lives on.
constexpr std::uint64_t kDiscardBytesMax = 64 * 1024;
constexpr auto kLingerTime = std::chrono::seconds(2);
constexpr std::string_view kLastChunk = "0\r\n\r\n";

bool has_no_body(int status) { return status == 204 || status == 304 || status / 100 == 1; }

// One string for one chunk: its bytes and the lines around them.
std::string as_chunk(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() + 20);
  int shift = 60;
  while (shift > 0 && (bytes.size() >> shift) == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) out.push_back(kDigits[(bytes.size() >> shift) & 15]);
  return out.append("\r\n").append(bytes).append("\r\n");
}

}  // namespace

void Connection::refuse(Response response) {
  headless_ = false;
  phase_ = Phase::head;
  answer(std::move(response), false);
  advance();
}

void Connection::refuse_fault() {
  const RequestParser::Fault& fault = *parser_.fault();
  Stats& stats = context_->stats;
  (fault.status == 414 || fault.status == 431 ? stats.head_too_large : stats.malformed).add();
  answer(fault_response(fault.status, fault.reason), false);
}

void Connection::answer(Response response, bool keep_alive) {
  accepted_ = {};
  phase_ = Phase::handling;
  deadline_ = base::TimePoint::max();
  ++serial_;  // of an exchange that nobody has
  keep_alive_ = keep_alive && keep_alive_;
  started_ = body_failed_ = false;
  push_answer(std::move(response));
}

bool Connection::may_keep_alive() const {
  if (!keep_alive_ || body_failed_ || context_->draining) return false;
  if (!parser_.head_done() || (ended_ && in_.empty())) return false;
  const auto remaining = parser_.remaining();
  return remaining && *remaining <= kDiscardBytesMax;
}

void Connection::push_answer(Response response) {
  keep_alive_ = may_keep_alive();
  const bool no_body = has_no_body(response.status);
  out_.push(answer_head(
      response, {no_body ? Framing::no_body : Framing::content_length, keep_alive_, http_1_0_}));
  if (!no_body && !head_only_ && !response.body.empty()) out_.push(std::move(response.body));
  answer_complete();
}

void Connection::respond(std::uint64_t serial, Response response) {
  if (!live(serial)) return;
  push_answer(std::move(response));
  advance();
}

void Connection::start_answer(std::uint64_t serial, const Response& head) {
  if (!live(serial)) return;
  started_ = true;
  // The body may be read while the answer is written, so whether enough of it was is seen at the
  // end; a connection may be closed after a whole answer without having said so.
  keep_alive_ = keep_alive_ && !http_1_0_ && !body_failed_ && !context_->draining;
  const bool no_body = has_no_body(head.status);
  chunked_ = !http_1_0_ && !no_body;
  const Framing framing = no_body    ? Framing::no_body
                          : chunked_ ? Framing::chunked
                                     : Framing::until_close;
  out_.push(answer_head(head, {framing, keep_alive_, http_1_0_}));
  head_only_ = head_only_ || no_body;
  start_writing();
}

bool Connection::try_buffer(std::size_t bytes) {
  if (closed()) return false;
  const std::size_t before = answer_bytes_.fetch_add(bytes, std::memory_order_relaxed);
  if (before == 0 || before + bytes <= context_->options.answer_buffer_bytes_max) return true;
  answer_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  return false;
}

void Connection::write_answer(std::uint64_t serial, std::string bytes,
                              WriteQueue::OnWritten on_written) {
  const std::size_t payload = bytes.size();
  const bool alive = live(serial);
  if (!alive || head_only_ || bytes.empty()) {
    answer_bytes_.fetch_sub(payload, std::memory_order_relaxed);
    if (on_written) on_written(alive);
    return;
  }
  out_.push(chunked_ ? as_chunk(bytes) : std::move(bytes), payload, std::move(on_written));
  start_writing();
}

void Connection::finish_answer(std::uint64_t serial) {
  if (!live(serial)) return;
  if (chunked_ && !head_only_) out_.push(std::string(kLastChunk));
  keep_alive_ = may_keep_alive();
  answer_complete();
  if (out_.empty()) answer_written();
  advance();
}

void Connection::watch(std::uint64_t serial, std::function<void()> on_closed) {
  if (phase_ == Phase::closed || (live(serial) && ended_)) return on_closed();
  if (live(serial)) on_closed_ = std::move(on_closed);
}

void Connection::abandoned(std::uint64_t serial) {
  if (!live(serial)) return;
  // How a handler breaks off a stream: the peer is gone, too slow, or the rest cannot be had.
  if (started_) return close();
  context_->stats.unanswered.add();
  base::log_error("a request was let go without an answer");
  respond(serial, fault_response(500, "the request could not be answered"));
}

void Connection::answer_complete() {
  answered_ = true;
  if (on_body_read_) finish_read({.error = ReadError::closed});
  on_closed_ = {};
}

void Connection::start_writing() {
  if (phase_ == Phase::closed || writing_ || out_.empty()) return;
  writing_ = true;
  write_deadline_ = now() + context_->options.write_timeout;
  std::array<std::string_view, Stream::kPiecesMax> room;
  stream_->write(out_.front(room), shared_from_this());
}

void Connection::on_write(StreamError error, std::size_t n) {
  writing_ = false;
  if (phase_ == Phase::closed) return;
  if (error != StreamError::none) return close();
  write_deadline_ = base::TimePoint::max();
  context_->stats.bytes_out.add(n);
  const WriteQueue::Finished finished = out_.consume(n);
  answer_bytes_.fetch_sub(finished.payload, std::memory_order_relaxed);
  for (const WriteQueue::OnWritten& on_written : finished.callbacks) on_written(true);
  if (out_.empty() && phase_ == Phase::handling && answered_) answer_written();
  advance();
}

void Connection::answer_written() {
  if (!keep_alive_) {
    const bool nothing_unread = parser_.done() && in_.empty();
    if (ended_ || (context_->draining && nothing_unread)) return close();
    phase_ = Phase::linger;
    deadline_ = now() + kLingerTime;
    stream_->shutdown_write();
  } else if (!parser_.done()) {
    phase_ = Phase::discard;
    deadline_ = now() + context_->options.body_timeout;
  } else {
    next_request();
  }
}

}  // namespace trialward::http
