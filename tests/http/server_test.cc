// A server's life: limits on connections, stopping, unix sockets, options.
#include "http/server.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/http/harness.h"

namespace trialward::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string kPlainGet = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";

TEST(Server, RefusesOptionsThatCannotBe) {
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  const auto started = [&](const std::function<void(ServerOptions&)>& change, Admit admit) {
    ServerOptions options;
    change(options);
    return Server::start(options, std::move(admit), tasks, clock);
  };
  const std::function<void(ServerOptions&)> wrong[] = {
      [](ServerOptions& o) { o.address.host = "example.org"; },
      [](ServerOptions& o) { o.io_threads = 0; },
      [](ServerOptions& o) { o.tls_cert_path = "/nowhere"; },
      [](ServerOptions& o) { o.tls_cert_path = o.tls_key_path = "/nowhere"; },
      [](ServerOptions& o) { o.header_bytes_max = 0; },
      [](ServerOptions& o) { o.connections_max = 0; },
      [](ServerOptions& o) { o.idle_timeout = {}; },
      [](ServerOptions& o) { o.unix_path = std::string(200, 'a'); },
  };
  for (const auto& change : wrong) {
    const auto result = started(change, echo());
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, base::Errc::invalid);
    EXPECT_FALSE(result.error().message.empty());
  }
  EXPECT_FALSE(started([](ServerOptions&) {}, {}).ok());

  TestServer taken;
  const auto twice = started([&](ServerOptions& o) { o.address.port = taken.port(); }, echo());
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().code, base::Errc::unavailable);
}

TEST(Server, ConnectionsAreLimited) {
  const struct {
    std::size_t max;
    std::size_t per_address_max;
    int status;
    const char* why;
  } cases[] = {{1, 10, 503, "no room"}, {10, 1, 429, "this address"}};
  for (const auto& c : cases) {
    ServerOptions options;
    options.connections_max = c.max;
    options.connections_per_address_max = c.per_address_max;
    TestServer server(options, echo());
    auto first = std::make_unique<Peer>(server.port());
    ASSERT_TRUE(first->send(kPlainGet));
    ASSERT_EQ(first->read_answer().status, 200);

    Peer second(server.port());
    second.send(kPlainGet);
    const Answer answer = second.read_answer();
    EXPECT_EQ(answer.status, c.status);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_EQ(answer.headers.at("retry-after"), "1");
    EXPECT_NE(answer.body.find(c.why), std::string::npos) << answer.body;
    EXPECT_TRUE(second.ended());
    EXPECT_EQ(server.stats().refused_total + server.stats().refused_per_address, 1U);

    // The place of one that leaves is free again.
    first.reset();
    ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
    Peer third(server.port());
    ASSERT_TRUE(third.send(kPlainGet));
    EXPECT_EQ(third.read_answer().status, 200);
  }
}

// P10: a place that is held without a request is a newcomer's.
TEST(Server, SlowHeadsDoNotHoldAllPlaces) {
  ServerOptions options;
  options.connections_max = 2;
  options.header_timeout = options.idle_timeout = seconds(60);
  TestServer server(options, echo());
  std::vector<std::unique_ptr<Peer>> slow;
  for (std::size_t i = 1; i <= options.connections_max; ++i) {
    slow.push_back(std::make_unique<Peer>(server.port()));
    ASSERT_TRUE(slow.back()->send("GET / HTTP/1.1\r\nHo"));
    ASSERT_TRUE(eventually([&] { return server.stats().connections_open == i; }));
  }
  server.clock.advance(seconds(1));
  Peer newcomer(server.port());
  ASSERT_TRUE(newcomer.send(kPlainGet));
  EXPECT_EQ(newcomer.read_answer().status, 200);
  EXPECT_EQ(server.stats().gave_way, 1U);
  EXPECT_EQ(server.stats().refused_total, 0U);
  EXPECT_TRUE(slow[0]->ended());
  ASSERT_TRUE(slow[1]->send("st: a\r\n\r\n"));
  EXPECT_EQ(slow[1]->read_answer().status, 200);
}

TEST(Server, ManyMayBeTurnedAwayAtOnce) {
  ServerOptions options;
  options.connections_max = 1;
  TestServer server(options, echo());
  Peer first(server.port());
  ASSERT_TRUE(first.send(kPlainGet));
  ASSERT_EQ(first.read_answer().status, 200);
  std::vector<std::unique_ptr<Peer>> others;
  for (int i = 0; i < 200; ++i) others.push_back(std::make_unique<Peer>(server.port()));
  for (auto& other : others) {
    const std::string all = other->read_all();
    EXPECT_TRUE(all.empty() || all.starts_with("HTTP/1.1 503 ")) << all;
  }
  EXPECT_EQ(server.stats().refused_total, 200U);
  ASSERT_TRUE(first.send(kPlainGet));
  EXPECT_EQ(first.read_answer().status, 200);
}

TEST(Server, SpreadsConnectionsOverItsThreads) {
  ServerOptions options;
  options.io_threads = 3;
  Channel<std::thread::id> threads;
  TestServer server(options, [&](const Request&) {
    threads.put(std::this_thread::get_id());
    return text_response(200, "x");
  });
  EXPECT_TRUE(eventually([&] { return server.tasks.count() == 3; }));
  std::map<std::thread::id, int> seen;
  for (int i = 0; i < 6; ++i) {
    Peer peer(server.port());
    ASSERT_TRUE(peer.send(kPlainGet));
    EXPECT_EQ(peer.read_answer().status, 200);
    ++seen[threads.take()];
  }
  EXPECT_EQ(seen.size(), 3U);
  for (const auto& [id, count] : seen) EXPECT_EQ(count, 2);
}

TEST(Server, UnixSocketIsForItsOwnerAlone) {
  const std::string path = ::testing::TempDir() + "trialward-" + std::to_string(::getpid());
  ServerOptions options;
  options.unix_path = path;
  for (int round = 0; round < 2; ++round) {
    TestServer server(options);
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_TRUE(S_ISSOCK(info.st_mode));
    EXPECT_EQ(info.st_mode & 0777, 0600U);
    Peer peer(path);
    ASSERT_TRUE(peer.send(kPlainGet));
    const auto exchange = server.exchanges.take();
    EXPECT_TRUE(exchange->request().local);
    EXPECT_EQ(exchange->request().peer, "");
    exchange->respond(text_response(200, "x"));
    EXPECT_EQ(peer.read_answer().body, "x");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Server, UnixSocketTakesOverTheOneOfAKilledServerButNoOtherFile) {
  const std::string path = ::testing::TempDir() + "trialward-left-" + std::to_string(::getpid());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(fd);
  ServerOptions options;
  options.unix_path = path;
  { TestServer server(options); }

  std::ofstream(path) << "somebody's";
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  EXPECT_FALSE(Server::start(options, echo(), tasks, clock).ok());
  EXPECT_TRUE(std::filesystem::exists(path));
  std::filesystem::remove(path);
}

TEST(Server, StopClosesIdleConnectionsAtOnce) {
  TestServer server({}, echo());
  Peer used(server.port());
  ASSERT_TRUE(used.send(kPlainGet));
  ASSERT_EQ(used.read_answer().status, 200);
  Peer half(server.port());
  ASSERT_TRUE(half.send("GET / HT"));
  ASSERT_TRUE(eventually([&] { return server.stats().bytes_in == kPlainGet.size() + 8; }));
  server.server->stop(kPatience * 10);  // returns long before, or the test times out
  EXPECT_TRUE(used.ended());
  EXPECT_TRUE(half.ended());
  EXPECT_EQ(server.tasks.count(), 0U);
  EXPECT_EQ(server.stats().connections_open, 0U);
}

TEST(Server, StopWaitsForTheAnswerThatIsUnderWay) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kPlainGet));
  const auto exchange = server.exchanges.take();
  bool closed = false;
  exchange->on_closed([&] { closed = true; });
  server.server->stop_accepting();
  exchange->respond(text_response(200, "late"));
  server.server->stop(kPatience);
  const Answer answer = peer.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "late");
  EXPECT_FALSE(closed);
}

// P5: also when neither the handler nor the peer ever says anything again.
TEST(Server, StopEndsAfterTheGraceWithAPeerThatNeverAnswers) {
  TestServer server({}, [&](const Request& head) -> Decision {
    return server.take(1 << 20, head.path == "/stream");
  });
  Peer waits(server.port());
  ASSERT_TRUE(waits.send(kPlainGet));
  const auto unanswered = server.exchanges.take();
  Channel<int> closed;
  unanswered->on_closed([&] { closed.put(1); });

  Peer silent(server.port());
  ASSERT_TRUE(silent.send("POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"));
  const auto reading = server.exchanges.take();
  Channel<ReadError> read;
  reading->read([&](const ReadResult& result) { read.put(result.error); });

  const auto begin = std::chrono::steady_clock::now();
  server.server->stop(milliseconds(50));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, seconds(5));
  EXPECT_EQ(closed.take(), 1);
  EXPECT_EQ(read.take(), ReadError::closed);
  EXPECT_TRUE(waits.ended());
  EXPECT_TRUE(silent.ended());

  // What is still held afterwards does no harm.
  unanswered->respond(text_response(200, "too late"));
  Channel<ReadError> after;
  reading->read([&](const ReadResult& result) { after.put(result.error); });
  EXPECT_EQ(after.take(), ReadError::closed);
  reading->start({});
  EXPECT_FALSE(reading->write("x"));
}

TEST(Server, ExchangesMayOutliveTheServer) {
  std::shared_ptr<Exchange> exchange;
  {
    TestServer server;
    Peer peer(server.port());
    ASSERT_TRUE(peer.send(kPlainGet));
    exchange = server.exchanges.take();
  }
  EXPECT_EQ(exchange->request().path, "/a");
  Channel<int> closed;
  exchange->on_closed([&] { closed.put(1); });
  EXPECT_EQ(closed.take(), 1);
  exchange->respond(text_response(200, "x"));
}

}  // namespace
}  // namespace trialward::http
