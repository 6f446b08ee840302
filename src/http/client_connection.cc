#include "http/client_connection.h"

#include <algorithm>

#include "http/socket_stream.h"

namespace trialward::http {

void ClientConnection::send(ClientJob job) {
  if (jobs_.size() >= options_.queued_max) {
    return job.on_answer({.error = "too many requests wait on this connection"});
  }
  jobs_.push_back(std::move(job));
  if (under_way_) return;
  if (!link_) {
    open();
  } else if (ready_) {
    begin();
  }
}

void ClientConnection::open() {
  link_ = std::make_shared<Link>(*this);
  ready_ = false;
  auto stream = connect(loop_, options_.address, [link = link_](bool, std::string error) {
    if (link->owner != nullptr) link->owner->connected(error);
  });
  TW_CHECK(stream.ok());  // Client::start() has checked the address
  link_->stream = *stream;
}

void ClientConnection::connected(const std::string& error) {
  if (!error.empty()) return close("cannot connect: " + error);
  ready_ = true;
  link_->read();
  begin();
}

void ClientConnection::begin() {
  if (jobs_.empty()) return;
  under_way_ = true;
  link_->request = std::move(jobs_.front().request);
  link_->written = 0;
  parser_.reset(link_->request.starts_with("HEAD "));
  body_.clear();
  link_->write();
}

void ClientConnection::Link::write() {
  const std::string_view rest = std::string_view(request).substr(written);
  stream->write({&rest, 1}, shared_from_this());
}

void ClientConnection::Link::read() { stream->read(in.room(), shared_from_this()); }

void ClientConnection::Link::on_write(StreamError error, std::size_t n) {
  if (owner == nullptr || error != StreamError::none) return;  // the read will say why, too
  written += n;
  if (written < request.size()) write();
}

void ClientConnection::Link::on_read(StreamError error, std::size_t n) {
  if (owner == nullptr) return;
  in.filled(n);
  const auto self = shared_from_this();
  owner->take_answer(error);
  if (owner == nullptr) return;
  if (in.room().empty()) return owner->fail("the head of the answer is too large");
  read();
}

void ClientConnection::take_answer(StreamError error) {
  ReadBuffer& in = link_->in;
  if (!under_way_) {
    // Closed between requests, or bytes that nobody asked for: a later request connects anew.
    if (error != StreamError::none || !in.empty()) drop_link();
    return;
  }
  in.consume(parser_.parse(in.view(), body_));
  if (error == StreamError::end) parser_.parse_end();
  if (jobs_.front().on_line && parser_.head_done() && parser_.status() == 200) take_lines();
  if (parser_.done()) {
    if (!parser_.keep_alive() || error != StreamError::none) drop_link();
    return finish({.status = parser_.status(),
                   .retry_after = parser_.retry_after(),
                   .body = std::move(body_)});
  }
  if (parser_.failed() || error != StreamError::none) {
    return fail("the connection ended before the answer did");
  }
  if (body_.size() > options_.answer_bytes_max) fail("the answer is too large");
}

void ClientConnection::take_lines() {
  std::size_t begin = 0;
  for (;;) {
    const std::size_t end = body_.find('\n', begin);
    if (end == std::string::npos) break;
    std::string_view line(body_.data() + begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    jobs_.front().on_line(line);
    begin = end + 1;
  }
  body_.erase(0, begin);
}

void ClientConnection::finish(ClientAnswer answer) {
  const ClientJob job = std::move(jobs_.front());
  jobs_.pop_front();
  under_way_ = false;
  if (!jobs_.empty()) {
    if (link_) {
      begin();
    } else {
      open();
    }
  }
  job.on_answer(std::move(answer));
}

void ClientConnection::fail(std::string error) {
  drop_link();
  finish({.error = std::move(error)});
}

void ClientConnection::sweep(base::TimePoint now) {
  // Those that wait behind the first may have shorter deadlines.
  std::deque<ClientJob> overdue;
  const std::size_t first = under_way_ ? 1 : 0;
  for (std::size_t i = first; i < jobs_.size();) {
    if (jobs_[i].deadline > now) {
      ++i;
      continue;
    }
    overdue.push_back(std::move(jobs_[i]));
    jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(i));
  }
  for (const ClientJob& job : overdue) job.on_answer({.error = "the deadline passed"});
  if (under_way_ && jobs_.front().deadline <= now) fail("the deadline passed");
  if (jobs_.empty() && link_ && !ready_) drop_link();  // nobody waits for it to connect any more
}

void ClientConnection::close(const std::string& error) {
  drop_link();
  under_way_ = false;
  const std::deque<ClientJob> jobs = std::exchange(jobs_, {});
  for (const ClientJob& job : jobs) job.on_answer({.error = error});
}

void ClientConnection::drop_link() {
  if (!link_) return;
  link_->owner = nullptr;
  link_->stream->close();
  link_.reset();
  ready_ = false;
}

}  // namespace trialward::http
