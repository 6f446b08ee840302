// Streamed bodies and answers: back-pressure, bounds, full duplex.
#include "http/exchange.h"

#include "tests/http/harness.h"

namespace trialward::http {
namespace {

using std::chrono::milliseconds;

const std::string kGetA = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string kChunkedPost =
    "POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

std::string post_head(std::size_t length) {
  return "POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
}

struct StreamServer : TestServer {
  explicit StreamServer(ServerOptions options = {}, std::size_t body_bytes_max = 1 << 30)
      : TestServer(std::move(options),
                   [this, body_bytes_max](const Request&) { return take(body_bytes_max, true); }) {}

  std::shared_ptr<Exchange> accept() { return exchanges.take(); }
  static ReadResult read(Exchange& exchange) {
    const auto results = std::make_shared<Channel<ReadResult>>();
    exchange.read([results](ReadResult result) { results->put(std::move(result)); });
    return results->take();
  }
  // Everything up to the end.
  static std::string read_all(Exchange& exchange) {
    std::string all;
    for (;;) {
      const ReadResult result = read(exchange);
      all += result.bytes;
      EXPECT_LE(result.bytes.size(), 64U * 1024);
      EXPECT_EQ(result.error, ReadError::none);
      if (result.end || result.error != ReadError::none) return all;
    }
  }
};

TEST(Exchange, AnswersInChunks) {
  TestServer server;
  Peer peer(server.port());
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(peer.send(kGetA));
    const auto exchange = server.exchanges.take();
    exchange->start({.status = 200, .content_type = "application/x-ndjson"});
    Channel<bool> written;
    const std::string large(100'000, 'x');
    ASSERT_TRUE(exchange->write("one", [&](bool ok) { written.put(ok); }));
    ASSERT_TRUE(exchange->write(large, [&](bool ok) { written.put(ok); }));
    EXPECT_TRUE(written.take());
    EXPECT_TRUE(written.take());
    EXPECT_TRUE(eventually([&] { return exchange->buffered_bytes() == 0; }));
    exchange->finish();
    const Answer answer = peer.read_answer();
    EXPECT_EQ(answer.headers.at("transfer-encoding"), "chunked");
    EXPECT_EQ(answer.body, "one" + large);
  }
}

TEST(Exchange, StreamsToHttp10UntilTheEnd) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  const auto exchange = server.exchanges.take();
  exchange->start({.status = 200});
  exchange->write("one");
  exchange->write("two");
  exchange->finish();
  const Answer answer = peer.read_answer();
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_EQ(answer.body, "onetwo");
}

TEST(Exchange, HeadOfAStreamHasNoBody) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n"));
  const auto exchange = server.exchanges.take();
  exchange->start({.status = 200});
  Channel<bool> written;
  exchange->write("one", [&](bool ok) { written.put(ok); });
  EXPECT_TRUE(written.take());
  EXPECT_EQ(peer.read_answer(true).status, 200);
  exchange->finish();
  ASSERT_TRUE(peer.send(kGetA));
  server.exchanges.take()->respond(text_response(200, "next"));
  EXPECT_EQ(peer.read_answer().body, "next");
}

TEST(Exchange, AStreamThatIsLetGoIsVisiblyBroken) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGetA));
  {
    const auto exchange = server.exchanges.take();
    exchange->start({.status = 200});
    Channel<bool> written;
    exchange->write("half", [&](bool ok) { written.put(ok); });
    EXPECT_TRUE(written.take());
  }
  peer.read_through("\r\n\r\n");
  EXPECT_EQ(peer.read_all(), "4\r\nhalf\r\n");  // the last chunk is missing
  EXPECT_EQ(server.stats().unanswered, 0U);
}

// P3, P5: what waits for a slow reader is bounded, and one that reads nothing is cut off.
TEST(Exchange, ASlowReaderIsBoundedAndCutOff) {
  ServerOptions options;
  options.header_timeout = options.write_timeout = milliseconds(40);
  options.answer_buffer_bytes_max = 200'000;
  TestServer server(options);
  Peer peer(server.port(), 4096);
  ASSERT_TRUE(peer.send(kGetA));
  const auto exchange = server.exchanges.take();
  Channel<int> closed;
  exchange->on_closed([&] { closed.put(1); });
  exchange->start({.status = 200});
  const std::string piece(60'000, 'x');
  // Until the socket takes no more and the buffer is full.
  std::atomic<std::uint64_t> failed = 0;
  std::uint64_t taken = 0;
  std::uint64_t bytes_out = 0;
  do {
    bytes_out = server.stats().bytes_out;
    while (exchange->write(piece, [&](bool ok) { failed += ok ? 0 : 1; })) ++taken;
    EXPECT_LE(exchange->buffered_bytes(), options.answer_buffer_bytes_max);
    pollfd nothing{-1, 0, 0};
    ::poll(&nothing, 1, 100);  // time for the kernel to move what it can
  } while (server.stats().bytes_out != bytes_out);
  EXPECT_GT(exchange->buffered_bytes(), options.answer_buffer_bytes_max - piece.size());

  server.clock.advance(milliseconds(41));
  EXPECT_EQ(closed.take(), 1);
  EXPECT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
  EXPECT_EQ(server.stats().write_timeouts, 1U);
  EXPECT_GE(failed, 3U);  // each piece that waited was told so
  EXPECT_FALSE(exchange->write(piece));
}

TEST(Exchange, OneLargeWriteIsTaken) {
  ServerOptions options;
  options.answer_buffer_bytes_max = 1000;
  TestServer server(options);
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGetA));
  const auto exchange = server.exchanges.take();
  exchange->start({.status = 200});
  ASSERT_TRUE(exchange->write(std::string(5'000'000, 'x')));
  EXPECT_FALSE(exchange->write("x"));
  Channel<std::size_t> read;
  EXPECT_EQ(peer.read_through("\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_EQ(peer.read_chunk().size(), 5'000'000U);
  ASSERT_TRUE(eventually([&] { return exchange->buffered_bytes() == 0; }));
  EXPECT_TRUE(exchange->write("x"));
  exchange->finish();
  EXPECT_EQ(peer.read_chunk(), "x");
}

TEST(Exchange, ReadsAStreamedBody) {
  StreamServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(post_head(6) + "abc"));
  const auto exchange = server.accept();
  EXPECT_EQ(StreamServer::read(*exchange).bytes, "abc");
  ASSERT_TRUE(peer.send("def"));
  EXPECT_EQ(StreamServer::read_all(*exchange), "def");
  EXPECT_TRUE(StreamServer::read(*exchange).end);
  exchange->respond(text_response(200, "x"));
  EXPECT_EQ(peer.read_answer().body, "x");

  ASSERT_TRUE(peer.send(kChunkedPost + "3\r\nabc\r\n"));
  const auto chunked = server.accept();
  EXPECT_EQ(StreamServer::read(*chunked).bytes, "abc");
  ASSERT_TRUE(peer.send("2\r\nde\r\n0\r\n\r\n"));
  EXPECT_EQ(StreamServer::read_all(*chunked), "de");
  chunked->respond(text_response(200, "y"));
  EXPECT_EQ(peer.read_answer().body, "y");
}

// The sender is held back by TCP while nobody reads, and the server holds no more than its buffer.
TEST(Exchange, AFastSenderIsHeldBack) {
  StreamServer server;
  Peer peer(server.port());
  const std::size_t length = 64'000'000;
  ASSERT_TRUE(peer.send(post_head(length)));
  const auto exchange = server.accept();
  const std::string piece(100'000, 'x');
  std::size_t sent = 0;
  while (sent < length && peer.writable_within(milliseconds(200))) {
    sent += peer.send_some(std::string_view(piece).substr(0, length - sent));
  }
  EXPECT_LT(sent, length);
  EXPECT_LE(server.stats().bytes_in, 128U * 1024);

  // Once somebody reads, all of it comes.
  std::size_t got = 0;
  for (bool end = false; !end;) {
    const ReadResult result = StreamServer::read(*exchange);
    ASSERT_EQ(result.error, ReadError::none);
    got += result.bytes.size();
    end = result.end;
    while (sent < length) {
      const std::size_t n = peer.send_some(std::string_view(piece).substr(0, length - sent));
      if (n == 0) break;
      sent += n;
    }
  }
  EXPECT_EQ(got, length);
  exchange->respond(text_response(200, "x"));
  EXPECT_EQ(peer.read_answer().status, 200);
}

TEST(Exchange, ReadsAndWritesAtTheSameTime) {
  StreamServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kChunkedPost));
  const auto exchange = server.accept();
  exchange->start({.status = 200});
  EXPECT_EQ(peer.read_through("\r\n\r\n").substr(0, 15), "HTTP/1.1 200 OK");
  for (const std::string line : {"one", "two", "six"}) {
    ASSERT_TRUE(peer.send("3\r\n" + line + "\r\n"));
    EXPECT_EQ(StreamServer::read(*exchange).bytes, line);
    ASSERT_TRUE(exchange->write(line + "!"));
    EXPECT_EQ(peer.read_chunk(), line + "!");
  }
  ASSERT_TRUE(peer.send("0\r\n\r\n"));
  EXPECT_TRUE(StreamServer::read(*exchange).end);
  exchange->finish();
  EXPECT_EQ(peer.read_chunk(), "");
  ASSERT_TRUE(peer.send(post_head(0)));
  server.accept()->respond(text_response(200, "kept alive"));
  EXPECT_EQ(peer.read_answer().body, "kept alive");
}

// Reads a body to its end, answering a line for every piece.
void count_pieces(const std::shared_ptr<Exchange>& exchange) {
  exchange->read([exchange](const ReadResult& result) {
    if (!result.bytes.empty()) exchange->write(std::to_string(result.bytes.size()) + "\n");
    if (result.end || result.error != ReadError::none) return exchange->finish();
    count_pieces(exchange);
  });
}

TEST(Exchange, APeerThatWritesEverythingBeforeItReadsIsServed) {
  TestServer server({}, [](const Request&) {
    return Accepted{1 << 30, true, [](const std::shared_ptr<Exchange>& exchange) {
                      exchange->start({.status = 200});
                      count_pieces(exchange);
                    }};
  });
  Peer peer(server.port());
  const std::size_t length = 20'000'000;
  ASSERT_TRUE(peer.send(post_head(length)));
  ASSERT_TRUE(peer.send(std::string(length, 'x')));
  const Answer answer = peer.read_answer();
  EXPECT_EQ(answer.status, 200);
  std::size_t sum = 0;
  for (std::size_t at = 0; at < answer.body.size(); at = answer.body.find('\n', at) + 1) {
    sum += std::stoul(answer.body.substr(at));
  }
  EXPECT_EQ(sum, length);
}

TEST(Exchange, ReadsSayWhatWentWrong) {
  const struct {
    const char* name;
    std::string sent;
    bool close;
    bool late;
    ReadError error;
  } cases[] = {
      {"malformed", "zzz\r\n", false, false, ReadError::malformed},
      {"too large", "b\r\nhello world\r\n", false, false, ReadError::too_large},
      {"closed", "", true, false, ReadError::closed},
      {"late", "", false, true, ReadError::deadline},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ServerOptions options;
    options.header_timeout = options.body_timeout = milliseconds(40);
    StreamServer server(options, 10);
    Peer peer(server.port());
    ASSERT_TRUE(peer.send(kChunkedPost));
    const auto exchange = server.accept();
    Channel<ReadResult> results;
    ASSERT_TRUE(peer.send(c.sent));
    exchange->read([&](ReadResult result) { results.put(std::move(result)); });
    if (c.close) peer.close();
    if (c.late) {
      Channel<int> posted;  // the read has begun once a later call has come round
      exchange->on_closed([] {});
      exchange->start({.status = 200});
      exchange->write("x", [&](bool) { posted.put(1); });
      posted.take();
      server.clock.advance(milliseconds(41));
    }
    EXPECT_EQ(results.take().error, c.error);
    if (c.late) {
      exchange->finish();
      peer.read_answer();
      EXPECT_EQ(server.stats().body_timeouts, 1U);
    } else {
      exchange->respond(fault_response(400, c.name));
      if (!c.close) {
        EXPECT_EQ(peer.read_answer().headers.at("connection"), "close");
      }
    }
    if (!c.close) {
      EXPECT_TRUE(peer.ended());
    }
  }
}

TEST(Exchange, AnAnswerBeforeTheBodyIsReadEndsTheConnection) {
  StreamServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(post_head(1'000'000) + "abc"));
  server.accept()->respond(fault_response(422, "no"));
  const Answer answer = peer.read_answer();
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(peer.ended());

  // Unless little of it is left.
  Peer small(server.port());
  ASSERT_TRUE(small.send(post_head(6) + "abc"));
  server.accept()->respond(fault_response(422, "no"));
  EXPECT_EQ(small.read_answer().status, 422);
  ASSERT_TRUE(small.send("def" + post_head(0)));
  server.accept()->respond(text_response(200, "next"));
  EXPECT_EQ(small.read_answer().body, "next");
}

TEST(ExchangeDeathTest, ASecondAnswerIsABrokenInvariant) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        TestServer server;
        Peer peer(server.port());
        peer.send(kGetA);
        const auto exchange = server.exchanges.take();
        exchange->respond(text_response(200, "x"));
        exchange->respond(text_response(200, "y"));
      },
      "broken invariant");
}

}  // namespace
}  // namespace trialward::http
