#include "http/server_exchange.h"

#include "base/check.h"

namespace trialward::http {

ServerExchange::ServerExchange(std::shared_ptr<Connection> connection, std::uint64_t serial,
                               Request request)
    : connection_(std::move(connection)), serial_(serial), request_(std::move(request)) {}

ServerExchange::~ServerExchange() {
  if (answer_ == Answer::complete) return;
  connection_->loop().post([to = connection_, serial = serial_] { to->abandoned(serial); });
}

void ServerExchange::respond(Response response) {
  TW_CHECK(answer_.exchange(Answer::complete) == Answer::none);
  connection_->loop().post(
      [to = connection_, serial = serial_, response = std::move(response)]() mutable {
        to->respond(serial, std::move(response));
      });
}

void ServerExchange::start(Response head) {
  TW_CHECK(answer_.exchange(Answer::started) == Answer::none);
  connection_->loop().post([to = connection_, serial = serial_, head = std::move(head)] {
    to->start_answer(serial, head);
  });
}

bool ServerExchange::write(std::string bytes, std::function<void(bool ok)> on_written) {
  TW_CHECK(answer_ == Answer::started);
  if (!connection_->try_buffer(bytes.size())) return false;
  return connection_->loop().post([to = connection_, serial = serial_, bytes = std::move(bytes),
                                   done = std::move(on_written)]() mutable {
    to->write_answer(serial, std::move(bytes), std::move(done));
  });
}

void ServerExchange::finish() {
  TW_CHECK(answer_.exchange(Answer::complete) == Answer::started);
  connection_->loop().post([to = connection_, serial = serial_] { to->finish_answer(serial); });
}

void ServerExchange::read(std::function<void(ReadResult)> on_read) {
  const bool posted = connection_->loop().post(
      [to = connection_, serial = serial_, on_read] { to->read_body(serial, on_read); });
  if (!posted) on_read({.error = ReadError::closed});
}

void ServerExchange::post(std::function<void()> task) {
  (void)connection_->loop().post(std::move(task));
}

void ServerExchange::on_closed(std::function<void()> callback) {
  const bool posted = connection_->loop().post(
      [to = connection_, serial = serial_, callback] { to->watch(serial, callback); });
  if (!posted) callback();
}

}  // namespace trialward::http
