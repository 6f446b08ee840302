// One connection of a Client: a queue of requests and a stream that is opened when one waits. All
// on the loop's thread. Owned by the client's Impl. A callback that sends comes back through the
// loop.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "http/client.h"
#include "http/loop.h"
#include "http/read_buffer.h"
#include "http/response_parser.h"
#include "http/stream.h"

namespace trialward::http {

struct ClientJob {
  std::string request;
  base::TimePoint deadline;
  Client::OnAnswer on_answer;
  Client::OnLine on_line;  // set: the answer is a stream of lines
};

class ClientConnection {
 public:
  // Both outlive the connection.
  ClientConnection(Loop& loop, const ClientOptions& options) : loop_(loop), options_(options) {}
  ~ClientConnection() { drop_link(); }
  ClientConnection(const ClientConnection&) = delete;
  ClientConnection& operator=(const ClientConnection&) = delete;

  void send(ClientJob job);
  void sweep(base::TimePoint now);
  // Reports all that waits as failed.
  void close(const std::string& error);
  bool idle() const { return jobs_.empty(); }

 private:
  // What the operations of one stream need, for as long as they run; `owner` is null from the
  // moment when the connection has given this stream up.
  struct Link final : Stream::Events, std::enable_shared_from_this<Link> {
    explicit Link(ClientConnection& o) : owner(&o) {}
    void on_ready(StreamError) override {}
    void on_read(StreamError error, std::size_t n) override;
    void on_write(StreamError error, std::size_t n) override;
    void write();
    void read();

    ClientConnection* owner;
    std::shared_ptr<Stream> stream;
    std::string request;
    std::size_t written = 0;
    ReadBuffer in{64 * 1024};
  };

  void open();
  void connected(const std::string& error);
  void begin();  // the first job
  void take_answer(StreamError error);
  void take_lines();
  // Ends the job under way and begins the next.
  void finish(ClientAnswer answer);
  void fail(std::string error);
  void drop_link();

  Loop& loop_;
  const ClientOptions& options_;
  std::deque<ClientJob> jobs_;  // the first is under way when under_way_
  std::shared_ptr<Link> link_;  // null: not connected
  bool ready_ = false;          // link_ is connected
  bool under_way_ = false;
  ResponseParser parser_;
  std::string body_;
};

}  // namespace trialward::http
