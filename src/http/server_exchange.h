// The Exchange of a Server: hands every call over to the connection's loop. It holds no state of
// the connection but a reference to it, so it may outlive the server.
#pragma once

#include <atomic>
#include <memory>

#include "http/connection.h"

namespace trialward::http {

class ServerExchange final : public Exchange {
 public:
  ServerExchange(std::shared_ptr<Connection> connection, std::uint64_t serial, Request request);
  ~ServerExchange() override;

  const Request& request() const override { return request_; }
  void respond(Response response) override;
  void start(Response head) override;
  bool write(std::string bytes, std::function<void(bool ok)> on_written) override;
  void finish() override;
  std::size_t buffered_bytes() const override { return connection_->buffered_bytes(); }
  void read(std::function<void(ReadResult)> on_read) override;
  void post(std::function<void()> task) override;
  void on_closed(std::function<void()> callback) override;

 private:
  enum class Answer { none, started, complete };

  const std::shared_ptr<Connection> connection_;
  const std::uint64_t serial_;
  const Request request_;
  std::atomic<Answer> answer_{Answer::none};
};

}  // namespace trialward::http
