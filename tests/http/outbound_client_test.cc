#include "http/outbound_client.h"

#include <cstdlib>
#include <future>

#include "tests/http/identity.h"
#include "tests/http/remote.h"

namespace trialward::http {
namespace {

constexpr std::size_t kOutboundPieceMax = 512 << 10;  // libcurl's largest

using base::OutboundAnswer;
using base::OutboundFailure;
using base::OutboundRequest;
using std::chrono::milliseconds;
using std::chrono::seconds;

class OutboundClientTest : public ::testing::Test {
 protected:
  void start(OutboundOptions options = {}) {
    client_.reset();
    auto started = OutboundClient::start(std::move(options), tasks_);
    ASSERT_TRUE(started.ok()) << started.error().message;
    client_ = std::move(*started);
  }
  void SetUp() override { start(); }

  static OutboundRequest request(const std::string& url) {
    OutboundRequest request;
    request.name = "a test";
    request.url = url;
    request.body = "{}";
    return request;
  }
  using Answers = std::shared_ptr<Channel<OutboundAnswer>>;
  struct Sent {
    base::Result<base::Outbound::Id> id;
    Answers answers;
  };
  Sent send(OutboundRequest wanted) {
    const auto answers = std::make_shared<Channel<OutboundAnswer>>();
    auto id = client_->send(std::move(wanted), [answers](OutboundAnswer answer) {
      answers->put(std::move(answer));
    });
    return {id, answers};
  }
  OutboundAnswer call(OutboundRequest wanted) { return send(std::move(wanted)).answers->take(); }
  OutboundFailure failure_against(const Remote::Script& script, OutboundRequest wanted) {
    Remote remote(script);
    wanted.url = remote.url();
    return call(std::move(wanted)).failure;
  }

  base::SystemClock clock_;
  runtime::TaskList tasks_{clock_};
  std::unique_ptr<OutboundClient> client_;
};

Remote::Script answer(const std::string& bytes) {
  return [bytes](Line& line) {
    while (!line.read_through("{}").empty() && line.send(bytes)) {
    }
  };
}

TEST_F(OutboundClientTest, SendsARequestAndGivesTheAnswer) {
  std::promise<std::string> got;
  Remote remote([&](Line& line) {
    got.set_value(line.read_through("{}"));
    line.send("HTTP/1.1 201 Created\r\nETag: \"x\"\r\nContent-Length: 5\r\n\r\nhello");
  });
  OutboundRequest wanted = request(remote.url("/hook?a=b"));
  wanted.headers = {{"Idempotency-Key", "k-1"}, {"Content-Type", "application/json"}};
  const OutboundAnswer answer = call(wanted);
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "hello");
  EXPECT_EQ(answer.failure, OutboundFailure::none) << answer.error;
  ASSERT_NE(find_header(answer.headers, "etag"), nullptr);
  EXPECT_EQ(*find_header(answer.headers, "etag"), "\"x\"");
  const std::string sent = got.get_future().get();
  EXPECT_TRUE(sent.starts_with("POST /hook?a=b HTTP/1.1\r\n")) << sent;
  EXPECT_NE(sent.find("\r\nIdempotency-Key: k-1\r\n"), std::string::npos) << sent;
  EXPECT_NE(sent.find("\r\nContent-Type: application/json\r\n"), std::string::npos) << sent;
  EXPECT_EQ(sent.find("Expect"), std::string::npos) << sent;
  const auto stats = client_->stats();
  ASSERT_EQ(stats.size(), 1u);
  EXPECT_EQ(stats[0].remote, "127.0.0.1:" + std::to_string(remote.port()));
  EXPECT_EQ(stats[0].ended[0], 1u);
  EXPECT_EQ(stats[0].bytes_out, 2u);
}

TEST_F(OutboundClientTest, ConnectionsAreKept) {
  Remote remote(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(call(request(remote.url())).status, 200);
  EXPECT_EQ(remote.accepted(), 1);
}

TEST_F(OutboundClientTest, ASinkTakesAnAnswerThatIsLargerThanMemoryIsFor) {
  constexpr std::size_t kBytes = 8 << 20;
  Remote remote(answer("HTTP/1.1 200 OK\r\nETag: \"x\"\r\nContent-Length: " +
                       std::to_string(kBytes) + "\r\n\r\n" + std::string(kBytes, 'x')));
  OutboundRequest wanted = request(remote.url());
  wanted.answer_bytes_max = kBytes;
  std::size_t got = 0, largest = 0;
  wanted.sink = [&](std::string_view piece) {
    got += piece.size();
    largest = std::max(largest, piece.size());
    return true;
  };
  OutboundAnswer whole = call(wanted);
  EXPECT_EQ(whole.failure, OutboundFailure::none) << whole.error;
  EXPECT_EQ(whole.body, "");
  EXPECT_EQ(got, kBytes);
  EXPECT_LE(largest, kOutboundPieceMax);

  got = 0;
  wanted.answer_bytes_max = kBytes - 1;
  whole = call(wanted);
  EXPECT_EQ(whole.failure, OutboundFailure::too_large);
  EXPECT_EQ(got, kBytes - 1);

  int pieces = 0;
  wanted.sink = [&](std::string_view) { return ++pieces < 3; };
  whole = call(wanted);
  EXPECT_EQ(whole.failure, OutboundFailure::cancelled);
  EXPECT_EQ(whole.status, 200);  // its head is whole
  EXPECT_NE(find_header(whole.headers, "etag"), nullptr);
  EXPECT_EQ(pieces, 3);
}

TEST_F(OutboundClientTest, ASinkGetsNothingButTheBodyOfA200) {
  OutboundRequest wanted = request("");
  bool sunk = false;
  wanted.answer_bytes_max = 1 << 30;
  wanted.sink = [&](std::string_view) { return sunk = true; };
  Remote missing(answer("HTTP/1.1 404 X\r\nContent-Length: 2\r\n\r\nno"));
  wanted.url = missing.url();
  EXPECT_EQ(call(wanted).body, "no");
  // Of which no more is kept than without a sink.
  Remote endless([](Line& line) {
    line.read_through("{}");
    line.send("HTTP/1.1 500 X\r\n\r\n");
    while (line.send(std::string(65536, 'x'))) {
    }
  });
  wanted.url = endless.url();
  const OutboundAnswer cut = call(wanted);
  EXPECT_EQ(cut.failure, OutboundFailure::too_large);
  EXPECT_EQ(cut.body.size(), base::kOutboundAnswerBytes);
  EXPECT_FALSE(sunk);
}

TEST_F(OutboundClientTest, HostileAnswersHaveTheirNames) {
  struct Case {
    const char* what;
    Remote::Script script;
    OutboundFailure failure;
    int status;
  };
  const std::string head = "HTTP/1.1 200 OK\r\n";
  const Case cases[] = {
      {"closes at once", [](Line&) {}, OutboundFailure::broken, 0},
      // Not at once: whether that is a connection at all is a matter of luck.
      {"resets",
       [](Line& line) {
         line.read_through("{}");
         line.reset();
       },
       OutboundFailure::broken, 0},
      {"lies about its length",
       [&](Line& line) {
         line.read_through("{}");
         line.send(head + "Content-Length: 1000\r\n\r\nshort");
       },
       OutboundFailure::broken, 200},
      {"resets in mid-body",
       [&](Line& line) {
         line.read_through("{}");
         line.send(head + "Content-Length: 1000\r\n\r\nshort");
         line.reset();
       },
       OutboundFailure::broken, 200},
      {"sends for ever",
       [&](Line& line) {
         line.read_through("{}");
         line.send(head + "\r\n");
         while (line.send(std::string(65536, 'x'))) {
         }
       },
       OutboundFailure::too_large, 200},
      {"has headers without end",
       [&](Line& line) {
         line.read_through("{}");
         line.send(head);
         while (line.send("X-Y: " + std::string(1000, 'x') + "\r\n")) {
         }
       },
       OutboundFailure::too_large, 0},
      {"speaks something else",
       [](Line& line) {
         line.send("SSH-2.0-OpenSSH_9.2\r\n");
         line.until_closed();
       },
       OutboundFailure::broken, 0},
      {"redirects",
       [&](Line& line) {
         line.read_through("{}");
         line.send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n");
       },
       OutboundFailure::none, 302},
      {"interims for a while, then answers",
       [&](Line& line) {
         line.read_through("{}");
         for (int i = 0; i < 10; ++i) line.send("HTTP/1.1 102 Processing\r\n\r\n");
         line.send("HTTP/1.1 204 No Content\r\n\r\n");
       },
       OutboundFailure::none, 204},
  };
  for (const Case& one : cases) {
    Remote remote(one.script);
    const OutboundAnswer answer = call(request(remote.url()));
    EXPECT_EQ(to_string(answer.failure), to_string(one.failure)) << one.what << answer.error;
    EXPECT_EQ(answer.status, one.status) << one.what;
    EXPECT_EQ(answer.error.empty(), one.failure == OutboundFailure::none) << one.what;
    EXPECT_LE(answer.body.size(), request("").answer_bytes_max) << one.what;
  }
}

TEST_F(OutboundClientTest, EachDeadlineHolds) {
  OutboundRequest quick = request("");
  quick.deadlines = {.connect = milliseconds(50), .header = milliseconds(100),
                     .stall = milliseconds(150), .total = seconds(20)};
  EXPECT_EQ(failure_against([](Line& line) { line.until_closed(); }, quick),
            OutboundFailure::deadline);
  const auto stalls = [](Line& line) {
    line.read_through("{}");
    line.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
    line.until_closed();
  };
  EXPECT_EQ(failure_against(stalls, quick), OutboundFailure::stalled);
  // Slow enough never to stall, and never to end: only the total deadline ends it.
  quick.deadlines.total = milliseconds(600);
  const auto drips = [](Line& line) {
    line.read_through("{}");
    line.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    std::mutex mutex;
    std::condition_variable never;
    std::unique_lock lock(mutex);
    while (line.send("x")) never.wait_for(lock, milliseconds(20));
  };
  Remote remote(drips);
  quick.url = remote.url();
  const OutboundAnswer cut_short = call(quick);
  EXPECT_EQ(cut_short.failure, OutboundFailure::deadline);
  EXPECT_EQ(cut_short.status, 200) << "the head is told, whatever becomes of the body";
  EXPECT_EQ(tasks_.snapshot().size(), 1u + 4 + 1) << "outbound, resolve and its watchdog";
}

// The bar of the operations issue: cancel while 256 calls hang in recv returns everything in 1 s.
TEST_F(OutboundClientTest, P5CancelClosesEverySocketAtOnce) {
  constexpr int kCalls = 256;
  start({.in_flight_max = kCalls, .per_remote_max = kCalls});
  const std::size_t before = tasks_.count();
  Remote remote([](Line& line) { line.until_closed(); });
  std::vector<Sent> sent;
  for (int i = 0; i < kCalls; ++i) sent.push_back(send(request(remote.url())));
  ASSERT_TRUE(eventually([&] { return remote.open() == kCalls; }));
  const auto began = clock_.now();
  for (const Sent& one : sent) client_->cancel(*one.id);
  for (const Sent& one : sent) {
    EXPECT_EQ(one.answers->take().failure, OutboundFailure::cancelled);
  }
  EXPECT_TRUE(eventually([&] { return remote.open() == 0; }));
  EXPECT_LT(clock_.now() - began, seconds(1));
  EXPECT_EQ(tasks_.count(), before);
}

TEST_F(OutboundClientTest, StoppingEndsAllAndRefusesTheNext) {
  Remote remote([](Line& line) { line.until_closed(); });
  const Sent one = send(request(remote.url()));
  ASSERT_TRUE(eventually([&] { return remote.open() == 1; }));
  const auto began = clock_.now();
  client_->stop();
  EXPECT_LT(clock_.now() - began, seconds(1));
  EXPECT_EQ(one.answers->take().failure, OutboundFailure::cancelled);
  EXPECT_EQ(tasks_.count(), 0u);
  const Sent late = send(request(remote.url()));
  ASSERT_FALSE(late.id.ok());
  EXPECT_EQ(late.id.error().code, base::Errc::cancelled);
}

TEST_F(OutboundClientTest, ASlowRemoteHoldsItsOwnConnectionsOnly) {
  start({.in_flight_max = 8, .per_remote_max = 2});
  Remote slow([](Line& line) { line.until_closed(); });
  Remote quick(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  std::vector<Sent> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(send(request(slow.url())));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(call(request(quick.url())).status, 200);
  EXPECT_EQ(slow.accepted(), 2);
}

TEST_F(OutboundClientTest, WhatWaitsIsBounded) {
  start({.requests_max = 3});
  Remote remote([](Line& line) { line.until_closed(); });
  std::vector<Sent> sent;
  for (int i = 0; i < 4; ++i) sent.push_back(send(request(remote.url())));
  EXPECT_TRUE(sent[2].id.ok());
  ASSERT_FALSE(sent[3].id.ok());
  EXPECT_EQ(sent[3].id.error().code, base::Errc::refused);
  client_->cancel(*sent[0].id);
  sent[0].answers->take();
  EXPECT_TRUE(send(request(remote.url())).id.ok());
}

TEST_F(OutboundClientTest, WhatIsNoRequestIsRefused) {
  const char* urls[] = {"", "nonsense", "ftp://a/", "file:///etc/passwd", "http://u:p@a/",
                        "http://", "smtp://a/", "http://a:0/", "http://a:99999/"};
  for (const char* url : urls) {
    const Sent sent = send(request(url));
    ASSERT_FALSE(sent.id.ok()) << url;
    EXPECT_EQ(sent.id.error().code, base::Errc::invalid) << url;
  }
}

TEST_F(OutboundClientTest, NoHeaderMakesAnother) {
  const std::pair<std::string, std::string> headers[] = {
      {"X", "a\r\nHost: other"}, {"X\nY", "a"}, {"", "a"}, {"X: a", "b"}, {"X;", "b"}};
  for (const auto& header : headers) {
    OutboundRequest wanted = request("http://127.0.0.1:1/");
    wanted.headers = {header};
    EXPECT_FALSE(send(wanted).id.ok()) << header.first;
  }
  OutboundRequest wanted = request("http://127.0.0.1:1/");
  wanted.method = "GET / HTTP/1.1\r\nX: ";
  EXPECT_FALSE(send(wanted).id.ok());
}

TEST_F(OutboundClientTest, TheEnvironmentsProxyIsNotUsed) {
  Remote trap([](Line& line) { line.until_closed(); });
  ::setenv("http_proxy", trap.url().c_str(), 1);
  ::setenv("ALL_PROXY", trap.url().c_str(), 1);
  start();
  Remote remote(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(call(request(remote.url())).status, 200);
  ::unsetenv("http_proxy");
  ::unsetenv("ALL_PROXY");
  EXPECT_EQ(trap.accepted(), 0);
}

TEST_F(OutboundClientTest, AConfiguredProxyIs) {
  std::promise<std::string> got;
  Remote proxy([&](Line& line) {
    got.set_value(line.read_through("\r\n"));
    line.read_through("{}");
    line.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  });
  start({.proxy = proxy.url("")});
  EXPECT_EQ(call(request("http://somewhere.invalid/x")).status, 200);
  EXPECT_EQ(got.get_future().get(), "POST http://somewhere.invalid/x HTTP/1.1\r\n");
}

TEST_F(OutboundClientTest, NamesAreLookedUpOnceAndHandedOver) {
  std::atomic<int> lookups = 0;
  start({.lookup = [&](const std::string& host) -> Resolver::Answer {
    ++lookups;
    if (host == "hook.example") return Resolver::Addresses{"127.0.0.1"};
    return base::Error{base::Errc::not_found, "'" + host + "': no such name"};
  }});
  std::promise<std::string> got;
  Remote remote(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  const std::string port = std::to_string(remote.port());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(call(request("http://Hook.example:" + port + "/")).status, 200);
  }
  EXPECT_EQ(lookups.load(), 1);
  const OutboundAnswer unknown = call(request("http://other.example:" + port + "/"));
  EXPECT_EQ(unknown.failure, OutboundFailure::unresolved);
  EXPECT_EQ(unknown.error, "'other.example': no such name");
}

// libcurl's own look-up could not be left: taking the request back would wait for getaddrinfo.
TEST_F(OutboundClientTest, P5ALookupThatHangsHoldsNothingUp) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  start({.lookup = [released](const std::string&) -> Resolver::Answer {
    released.wait();
    return base::Error{base::Errc::unavailable, "the name servers do not answer"};
  }});
  OutboundRequest wanted = request("http://hangs.example/");
  const Sent cancelled = send(wanted);
  client_->cancel(*cancelled.id);
  EXPECT_EQ(cancelled.answers->take().failure, OutboundFailure::cancelled);
  wanted.deadlines.connect = milliseconds(50);
  EXPECT_EQ(call(wanted).failure, OutboundFailure::unresolved);
  Remote remote(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_EQ(call(request(remote.url())).status, 200);
  release.set_value();
}

class OutboundTlsTest : public OutboundClientTest {
 protected:
  OutboundRequest to_server(const std::string& host) {
    return request("https://" + host + ":" + std::to_string(server_.port()) + "/");
  }
  void SetUp() override {
    start({.lookup = [](const std::string&) -> Resolver::Answer {
      return Resolver::Addresses{"127.0.0.1"};
    }});
  }

  Identity identity_{"outbound"};
  TestServer server_{identity_.options(), echo()};
};

TEST_F(OutboundTlsTest, WhoIsNotVouchedForGetsNothing) {
  const OutboundAnswer stranger = call(to_server("localhost"));
  EXPECT_EQ(stranger.failure, OutboundFailure::tls) << stranger.error;
  OutboundRequest known = to_server("localhost");
  known.ca_file = identity_.cert_path;
  const OutboundAnswer answer = call(known);
  EXPECT_EQ(answer.status, 200) << answer.error;
  EXPECT_EQ(answer.body, "POST / {}");
  known = to_server("other.example");
  known.ca_file = identity_.cert_path;
  EXPECT_EQ(call(known).failure, OutboundFailure::tls) << "the name is another";
  known.ca_file = "/nowhere.pem";
  EXPECT_EQ(call(known).failure, OutboundFailure::tls);
}

TEST_F(OutboundTlsTest, AHandshakeThatNeverEndsDoes) {
  Remote silent([](Line& line) { line.until_closed(); });
  OutboundRequest wanted = request("https://localhost:" + std::to_string(silent.port()) + "/");
  wanted.deadlines.connect = milliseconds(100);
  EXPECT_EQ(call(wanted).failure, OutboundFailure::connect);
  Remote closes([](Line& line) { line.read_through("\n"); });
  wanted.url = "https://localhost:" + std::to_string(closes.port()) + "/";
  wanted.deadlines.connect = seconds(5);
  Remote garbage([](Line& line) { line.send("HTTP/1.1 400 Bad Request\r\n\r\n"); });
  wanted.url = "https://localhost:" + std::to_string(garbage.port()) + "/";
  EXPECT_EQ(call(wanted).failure, OutboundFailure::tls);
}

TEST_F(OutboundClientTest, AnIdleConnectionIsKeptForAWhileAndThenClosed) {
  start({.idle_keep = milliseconds(500)});
  Remote remote(answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
  std::vector<Sent> sent;
  for (int i = 0; i < 8; ++i) sent.push_back(send(request(remote.url())));
  for (const Sent& one : sent) EXPECT_EQ(one.answers->take().status, 200);
  EXPECT_GT(remote.open(), 0);
  EXPECT_TRUE(eventually([&] { return remote.open() == 0; }));
  // And it goes on as before.
  EXPECT_EQ(call(request(remote.url())).status, 200);
  EXPECT_EQ(remote.open(), 1);
}

TEST_F(OutboundClientTest, AnIdleConnectionIsClosedWhileOthersAreUsed) {
  start({.idle_keep = seconds(1)});
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  Remote idle(answer(ok)), busy(answer(ok));
  EXPECT_EQ(call(request(idle.url())).status, 200);
  const base::TimePoint until = clock_.now() + seconds(8);
  while (idle.open() > 0 && clock_.now() < until) {
    EXPECT_EQ(call(request(busy.url())).status, 200);
    (void)runtime::Cancel().wait_until(clock_, clock_.now() + milliseconds(100));
  }
  EXPECT_EQ(idle.open(), 0);
}

}  // namespace
}  // namespace trialward::http
