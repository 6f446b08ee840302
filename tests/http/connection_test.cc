// One connection, request after request: framing, limits, refusals, deadlines.
#include "http/connection.h"

#include "tests/http/harness.h"

namespace trialward::http {
namespace {

using std::chrono::milliseconds;

const std::string kHost = "Host: a\r\n";
const std::string kGet = "GET /a HTTP/1.1\r\n" + kHost + "\r\n";

std::string post(std::string_view body, const std::string& headers = {}) {
  return "POST /p HTTP/1.1\r\n" + kHost + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// Short, so that the server looks for what is late often; the clock stands still all the same.
ServerOptions quick_sweeps() {
  ServerOptions options;
  options.header_timeout = options.body_timeout = options.idle_timeout = milliseconds(40);
  options.write_timeout = milliseconds(40);
  return options;
}

TEST(Connection, IsKeptAlive) {
  TestServer server({}, echo());
  Peer peer(server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.send(post("body" + std::to_string(i))));
    const Answer answer = peer.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /p body" + std::to_string(i));
    EXPECT_FALSE(answer.headers.contains("connection"));
  }
  ASSERT_TRUE(peer.send("GET /a HTTP/1.1\r\n" + kHost + "Connection: close\r\n\r\n"));
  EXPECT_EQ(peer.read_answer().headers.at("connection"), "close");
  EXPECT_TRUE(peer.ended());
  EXPECT_EQ(server.stats().connections_accepted, 1U);
  EXPECT_EQ(server.stats().requests, 4U);
}

TEST(Connection, SpeaksHttp10) {
  TestServer server({}, echo());
  Peer once(server.port());
  ASSERT_TRUE(once.send("GET /a HTTP/1.0\r\n\r\n"));
  EXPECT_EQ(once.read_answer().headers.at("connection"), "close");
  EXPECT_TRUE(once.ended());
  Peer kept(server.port());
  ASSERT_TRUE(kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
  EXPECT_EQ(kept.read_answer().headers.at("connection"), "keep-alive");
  ASSERT_TRUE(kept.send(kGet));
  EXPECT_EQ(kept.read_answer().status, 200);
}

TEST(Connection, HeadGetsTheHeadOfGet) {
  TestServer server({}, echo());
  Peer peer(server.port());
  ASSERT_TRUE(peer.send("HEAD /a HTTP/1.1\r\n" + kHost + "\r\n"));
  EXPECT_EQ(peer.read_answer(true).headers.at("content-length"), "8");
  ASSERT_TRUE(peer.send(kGet));
  EXPECT_EQ(peer.read_answer().body, "GET /a ");
}

TEST(Connection, AnswersWithoutABodyHaveNoLength) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet));
  server.exchanges.take()->respond({.status = 204, .body = "not sent"});
  const Answer answer = peer.read_answer();
  EXPECT_EQ(answer.status, 204);
  EXPECT_FALSE(answer.headers.contains("content-length"));
  ASSERT_TRUE(peer.send(kGet));
  server.exchanges.take()->respond(text_response(200, "next"));
  EXPECT_EQ(peer.read_answer().body, "next");
}

TEST(Connection, HandlersSeeTheRequest) {
  TestServer server;
  Peer peer(server.port());
  const auto before = server.clock.now();
  server.clock.advance(milliseconds(5));
  ASSERT_TRUE(peer.send("PUT /a%2Fb?c=%20 HTTP/1.1\r\n" + kHost +
                        "X-Y:  z \r\nTransfer-Encoding: chunked\r\n\r\n"
                        "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"));
  const auto exchange = server.exchanges.take();
  const Request& request = exchange->request();
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.target, "/a%2Fb?c=%20");
  EXPECT_EQ(request.path, "/a%2Fb");
  EXPECT_EQ(request.query, "c=%20");
  EXPECT_EQ(*request.header("x-y"), "z");
  EXPECT_EQ(request.body, "abcd");
  EXPECT_EQ(request.peer, "127.0.0.1");
  EXPECT_FALSE(request.local);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(request.received, before + milliseconds(5));
  exchange->respond(text_response(200, ""));
  EXPECT_EQ(peer.read_answer().status, 200);
}

TEST(Connection, PipelinedRequestsAreAnsweredInOrderOneAtATime) {
  TestServer server;
  Peer peer(server.port());
  std::string all;
  for (int i = 0; i < 5; ++i) all += post("body" + std::to_string(i));
  ASSERT_TRUE(peer.send(all));
  for (int i = 0; i < 5; ++i) {
    const auto exchange = server.exchanges.take();
    EXPECT_EQ(exchange->request().body, "body" + std::to_string(i));
    EXPECT_EQ(server.exchanges.size(), 0U);
    EXPECT_EQ(server.stats().requests, static_cast<std::uint64_t>(i) + 1);
    exchange->respond(text_response(200, std::to_string(i)));
    EXPECT_EQ(peer.read_answer().body, std::to_string(i));
  }
}

// "printf … | nc": the requests before the end are all answered.
TEST(Connection, AnswersAPeerThatHasEndedItsSending) {
  TestServer server({}, echo());
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet + kGet + post("last", "Connection: close\r\n")));
  peer.end_sending();
  EXPECT_EQ(peer.read_answer().body, "GET /a ");
  EXPECT_EQ(peer.read_answer().body, "GET /a ");
  EXPECT_EQ(peer.read_answer().body, "POST /p last");
  EXPECT_TRUE(peer.ended());
}

TEST(Connection, ContinueIsSentOnceTheRequestIsAccepted) {
  TestServer server({}, [&](const Request& head) -> Decision {
    if (head.path == "/no") return fault_response(401, "who are you?");
    return server.take();
  });
  Peer peer(server.port());
  ASSERT_TRUE(peer.send("POST /p HTTP/1.1\r\n" + kHost +
                        "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  EXPECT_EQ(peer.read_answer().status, 100);
  ASSERT_TRUE(peer.send("ok"));
  const auto exchange = server.exchanges.take();
  EXPECT_EQ(exchange->request().body, "ok");
  exchange->respond(text_response(200, "done"));
  EXPECT_EQ(peer.read_answer().body, "done");

  ASSERT_TRUE(peer.send("POST /no HTTP/1.1\r\n" + kHost +
                        "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
  const Answer refusal = peer.read_answer();
  EXPECT_EQ(refusal.status, 401);
  EXPECT_EQ(refusal.headers.at("connection"), "close");
  EXPECT_TRUE(peer.ended());
}

TEST(Connection, MalformedRequestsAreRefusedAndTheConnectionEnds) {
  ServerOptions options;
  options.header_bytes_max = 1024;
  TestServer server(options, echo());
  const struct {
    std::string input;
    int status;
  } cases[] = {
      {"nonsense\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"GET /" + std::string(2000, 'a') + " HTTP/1.1\r\n", 414},
      {"GET / HTTP/1.1\r\nA: " + std::string(2000, 'a'), 431},
      {"POST / HTTP/1.1\r\n" + kHost + "Expect: x\r\n\r\n", 417},
      {"POST / HTTP/1.1\r\n" + kHost + "Transfer-Encoding: gzip\r\n\r\n", 501},
      {"GET / HTTP/3.0\r\n" + kHost + "\r\n", 505},
  };
  for (const auto& c : cases) {
    Peer peer(server.port());
    // What comes behind the fault must not be taken for a request.
    peer.send(c.input + kGet);
    const Answer answer = peer.read_answer();
    EXPECT_EQ(answer.status, c.status) << c.input;
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
    EXPECT_TRUE(answer.body.starts_with(R"({"faults":[{"path":"","reason":")")) << answer.body;
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_TRUE(peer.ended());
  }
  EXPECT_EQ(server.stats().malformed, 5U);
  EXPECT_EQ(server.stats().head_too_large, 2U);
}

TEST(Connection, BodiesAreLimited) {
  TestServer server({}, [&](const Request&) { return server.take(10); });
  const struct {
    std::string input;
    bool kept;  // a small body is thrown away, and the connection lives on
  } cases[] = {
      {post(std::string(11, 'a')), true},
      {"POST /p HTTP/1.1\r\n" + kHost + "Content-Length: 99999999999\r\n\r\n", false},
      {"POST /p HTTP/1.1\r\n" + kHost + "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n" +
           "ghijk\r\n0\r\n\r\n",
       false},
  };
  for (const auto& c : cases) {
    Peer peer(server.port());
    ASSERT_TRUE(peer.send(c.input));
    const Answer answer = peer.read_answer();
    EXPECT_EQ(answer.status, 413);
    EXPECT_NE(answer.body.find("at most 10 bytes"), std::string::npos) << answer.body;
    if (c.kept) {
      ASSERT_TRUE(peer.send(post(std::string(10, 'b'))));
      server.exchanges.take()->respond(text_response(200, "ok"));
      EXPECT_EQ(peer.read_answer().status, 200);
    } else {
      EXPECT_EQ(answer.headers.at("connection"), "close");
      EXPECT_TRUE(peer.ended());
    }
  }
  EXPECT_EQ(server.stats().body_too_large, 3U);
}

TEST(Connection, RefusedRequestsCostTheirSmallBodiesOnly) {
  TestServer server(
      {}, [](const Request&) { return fault_response(429, "later").with("Retry-After", "1"); });
  Peer peer(server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(peer.send(post(std::string(64 * 1024, 'x'))));
    const Answer answer = peer.read_answer();
    EXPECT_EQ(answer.status, 429);
    EXPECT_FALSE(answer.headers.contains("connection"));
  }
  // A large body is not waited for; the answer arrives although the peer is still sending.
  ASSERT_TRUE(peer.send("POST /p HTTP/1.1\r\n" + kHost + "Content-Length: 1000000\r\n\r\n"));
  ASSERT_TRUE(peer.send(std::string(100'000, 'x')));
  const Answer answer = peer.read_answer();
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_EQ(server.stats().not_admitted, 4U);
}

TEST(Connection, WhatAcceptedOwnsIsGivenBackWhenTheBodyDoesNotCome) {
  const auto ticket = std::make_shared<int>();
  TestServer server({}, [&](const Request&) {
    return Accepted{100, false, [ticket](const std::shared_ptr<Exchange>&) {}};
  });
  Peer peer(server.port());
  const long before = ticket.use_count();
  ASSERT_TRUE(peer.send("POST /p HTTP/1.1\r\n" + kHost + "Content-Length: 9\r\n\r\nhalf"));
  ASSERT_TRUE(eventually([&] { return ticket.use_count() > before; }));
  peer.close();
  EXPECT_TRUE(eventually([&] { return ticket.use_count() == before; }));
}

TEST(Connection, RequestsThatAreLetGoAreAnswered500) {
  TestServer server({}, [](const Request& head) {
    return Accepted{100, false, [path = head.path](const std::shared_ptr<Exchange>&) {
                      if (path == "/throw") throw std::runtime_error("broken");
                    }};
  });
  Peer peer(server.port());
  for (const std::string path : {"/drop", "/throw"}) {
    ASSERT_TRUE(peer.send("GET " + path + " HTTP/1.1\r\n" + kHost + "\r\n"));
    EXPECT_EQ(peer.read_answer().status, 500);
  }
  EXPECT_EQ(server.stats().unanswered, 2U);
}

TEST(Connection, AnAdmitThatThrowsIsAnswered500) {
  TestServer server({}, [](const Request&) -> Decision { throw std::runtime_error("broken"); });
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet));
  EXPECT_EQ(peer.read_answer().status, 500);
}

TEST(Connection, EveryPhaseHasItsTimeout) {
  const struct {
    const char* name;
    std::string sent;
    int status;  // 0: closed without a word
    Counter Stats::*counter;
  } cases[] = {
      {"idle", "", 0, &Stats::idle_timeouts},
      {"head", "GET / HTTP/1.1\r\nHo", 408, &Stats::header_timeouts},
      {"body", "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 5\r\n\r\nhe", 408,
       &Stats::body_timeouts},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    TestServer server(quick_sweeps());
    Peer peer(server.port());
    ASSERT_TRUE(peer.send(c.sent));
    ASSERT_TRUE(eventually([&] {
      return server.stats().connections_open == 1 && server.stats().bytes_in == c.sent.size();
    }));
    server.clock.advance(milliseconds(41));
    const Answer answer = peer.read_answer();
    EXPECT_EQ(answer.status, c.status);
    EXPECT_EQ((server.stats().*c.counter).get(), 1U);
    EXPECT_TRUE(peer.ended());
  }
}

// P10: a head is due in one time, however steadily its bytes drip (slowloris).
TEST(Connection, ADrippingHeadIsCutOff) {
  TestServer server(quick_sweeps());
  Peer peer(server.port());
  const std::string head = "GET / HTTP/1.1\r\n";
  for (std::size_t i = 0; i < 10; ++i) {
    ASSERT_TRUE(peer.send(head.substr(i, 1)));
    ASSERT_TRUE(eventually([&] { return server.stats().bytes_in == i + 1; }));
    server.clock.advance(milliseconds(3));
  }
  EXPECT_EQ(server.stats().header_timeouts, 0U);
  server.clock.advance(milliseconds(15));
  EXPECT_EQ(peer.read_answer().status, 408);
}

// A body earns time by coming; one that drips earns too little.
TEST(Connection, ABodyMustKeepItsRate) {
  ServerOptions options = quick_sweeps();
  options.body_bytes_per_s_min = 1000;
  TestServer server(options);
  const std::string head = "POST / HTTP/1.1\r\n" + kHost + "Content-Length: 1000\r\n\r\n";
  Peer fast(server.port());
  ASSERT_TRUE(fast.send(head));
  std::size_t sent = head.size();
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(fast.send(std::string(100, 'x')));
    sent += 100;
    ASSERT_TRUE(eventually([&] { return server.stats().bytes_in == sent; }));
    server.clock.advance(milliseconds(100));
  }
  const auto exchange = server.exchanges.take();
  EXPECT_EQ(exchange->request().body.size(), 1000U);

  Peer slow(server.port());
  ASSERT_TRUE(slow.send(head));
  ASSERT_TRUE(eventually([&] { return server.stats().bytes_in == sent + head.size(); }));
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(slow.send("x"));
    server.clock.advance(milliseconds(15));
  }
  EXPECT_EQ(slow.read_answer().status, 408);
}

TEST(Connection, AHandlerMayTakeItsTime) {
  TestServer server(quick_sweeps());
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet));
  const auto exchange = server.exchanges.take();
  server.clock.advance(std::chrono::hours(1));
  Peer other(server.port());  // proof that the server has looked for what is late since
  ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 2; }));
  server.clock.advance(milliseconds(41));
  EXPECT_TRUE(other.ended());
  exchange->respond(text_response(200, "at last"));
  EXPECT_EQ(peer.read_answer().body, "at last");
}

TEST(Connection, HandlersHearThatThePeerIsGone) {
  TestServer server;
  for (const bool reset : {false, true}) {
    Peer peer(server.port());
    ASSERT_TRUE(peer.send(kGet));
    const auto exchange = server.exchanges.take();
    Channel<int> closed;
    exchange->on_closed([&] { closed.put(1); });
    reset ? peer.reset() : peer.close();
    EXPECT_EQ(closed.take(), 1);
    // One that asks too late is told at once.
    exchange->on_closed([&] { closed.put(2); });
    EXPECT_EQ(closed.take(), 2);
    exchange->respond(text_response(200, "nobody reads this"));
    EXPECT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
  }
}

// P5: the socket of a peer that left is given back although the handler never answers.
TEST(Connection, ThePlaceOfAPeerThatLeftIsGivenBack) {
  TestServer server(quick_sweeps());
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet));
  const auto exchange = server.exchanges.take();
  Channel<int> closed;
  exchange->on_closed([&] { closed.put(1); });
  peer.close();
  closed.take();
  EXPECT_EQ(server.stats().connections_open, 1U);
  server.clock.advance(milliseconds(41));
  EXPECT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
}

TEST(Connection, OnClosedIsNotCalledAfterTheAnswer) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet));
  std::atomic<int> closed = 0;
  {
    const auto exchange = server.exchanges.take();
    exchange->on_closed([&] { ++closed; });
    exchange->respond(text_response(200, "x"));
  }
  EXPECT_EQ(peer.read_answer().body, "x");
  peer.close();
  ASSERT_TRUE(eventually([&] { return server.stats().connections_open == 0; }));
  EXPECT_EQ(closed, 0);
}

TEST(Connection, LargeAnswersArriveWhole) {
  TestServer server;
  Peer peer(server.port());
  ASSERT_TRUE(peer.send(kGet));
  std::string body(20'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i % 23);
  server.exchanges.take()->respond(text_response(200, body));
  EXPECT_TRUE(peer.read_answer().body == body);
  EXPECT_GE(server.stats().bytes_out, body.size());
}

}  // namespace
}  // namespace trialward::http
