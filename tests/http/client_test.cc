#include "http/client.h"

#include "tests/http/harness.h"

namespace trialward::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

struct ClientFixture {
  explicit ClientFixture(std::uint16_t port, ClientOptions options = {}) {
    options.address = {"127.0.0.1", port};
    address = options.address;
    client = Client::start(std::move(options), tasks, clock).value();
  }
  std::shared_ptr<Channel<ClientAnswer>> send(const std::string& path, std::size_t connection = 0,
                                              std::string_view body = {}) {
    const auto answers = std::make_shared<Channel<ClientAnswer>>();
    client->send(connection, request_bytes(body.empty() ? "GET" : "POST", path, address, {}, body),
                 minutes(1), [answers](ClientAnswer answer) { answers->put(std::move(answer)); });
    return answers;
  }

  base::FakeClock clock;
  runtime::TaskList tasks{clock};
  HostPort address;
  std::unique_ptr<Client> client;
};

TEST(RequestBytes, AreARequest) {
  EXPECT_EQ(request_bytes("GET", "/a", {"::1", 80}), "GET /a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
  EXPECT_EQ(request_bytes("POST", "/a", {"h", 1}, {{"A", "b"}}, "xyz"),
            "POST /a HTTP/1.1\r\nHost: h:1\r\nA: b\r\nContent-Length: 3\r\n\r\nxyz");
}

TEST(Client, RefusesNamesThatItWouldHaveToLookUp) {
  base::SystemClock clock;
  runtime::TaskList tasks(clock);
  ClientOptions options;
  options.address = {"example.org", 80};
  EXPECT_FALSE(Client::start(options, tasks, clock).ok());
  options.address.host = "localhost";
  options.connections = 0;
  EXPECT_FALSE(Client::start(options, tasks, clock).ok());
}

TEST(Client, KeepsItsConnectionsAndTheOrderOnEach) {
  TestServer server({}, echo());
  ClientOptions options;
  options.connections = 4;
  ClientFixture fixture(server.port(), options);
  std::vector<std::shared_ptr<Channel<ClientAnswer>>> answers;
  for (int i = 0; i < 400; ++i) {
    const std::string path = std::string("/").append(std::to_string(i));
    answers.push_back(fixture.send(path, static_cast<std::size_t>(i) % 4, "b"));
  }
  for (int i = 0; i < 400; ++i) {
    const ClientAnswer answer = answers[static_cast<std::size_t>(i)]->take();
    EXPECT_EQ(answer.status, 200) << answer.error;
    EXPECT_EQ(answer.body, std::string("POST /").append(std::to_string(i)).append(" b"));
  }
  EXPECT_EQ(server.stats().connections_accepted, 4U);
}

TEST(Client, ConnectsAnewAfterTheServerHasClosed) {
  TestServer server({}, [](const Request& head) {
    Response response = text_response(200, head.path);
    return response;
  });
  ClientFixture fixture(server.port());
  const auto closing = std::make_shared<Channel<ClientAnswer>>();
  fixture.client->send(0, "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", minutes(1),
                       [closing](ClientAnswer answer) { closing->put(std::move(answer)); });
  const auto next = fixture.send("/2");
  EXPECT_EQ(closing->take().body, "/1");
  EXPECT_EQ(next->take().body, "/2");
  EXPECT_EQ(server.stats().connections_accepted, 2U);
}

TEST(Client, EveryRequestHasAnOutcome) {
  TestServer server;
  ClientFixture fixture(server.port());
  const auto late = fixture.send("/late");
  const auto behind = fixture.send("/behind");
  server.exchanges.take();  // let go: 500
  EXPECT_EQ(late->take().status, 500);
  const auto held = server.exchanges.take();
  fixture.clock.advance(minutes(2));
  EXPECT_EQ(behind->take().error, "the deadline passed");

  const auto cut = fixture.send("/cut");
  const auto exchange = server.exchanges.take();
  const auto waits = fixture.send("/waits");
  exchange->start({.status = 200});
  server.server->stop({});
  EXPECT_EQ(cut->take().error, "the connection ended before the answer did");
  EXPECT_NE(waits->take().error.find("cannot connect"), std::string::npos);
  const auto refused = fixture.send("/refused");
  EXPECT_NE(refused->take().error.find("cannot connect"), std::string::npos);
}

TEST(Client, ItsEndIsAnOutcomeToo) {
  TestServer server;
  ClientFixture fixture(server.port());
  const auto first = fixture.send("/first");
  const auto second = fixture.send("/second");
  server.exchanges.take();
  fixture.client.reset();
  EXPECT_FALSE(first->take().error.empty() && second->take().error.empty());
}

TEST(Client, QueuesAreBounded) {
  TestServer server;
  ClientOptions options;
  options.queued_max = 2;
  ClientFixture fixture(server.port(), options);
  fixture.send("/1");
  fixture.send("/2");
  EXPECT_NE(fixture.send("/3")->take().error.find("too many"), std::string::npos);
}

TEST(Client, FollowsAStreamLineByLine) {
  TestServer server;
  ClientFixture fixture(server.port());
  Channel<std::string> lines;
  Channel<ClientAnswer> end;
  fixture.client->follow(
      request_bytes("GET", "/events", fixture.address),
      [&](std::string_view line) { lines.put(std::string(line)); },
      [&](ClientAnswer answer) { end.put(std::move(answer)); });
  const auto exchange = server.exchanges.take();
  exchange->start({.status = 200, .content_type = "text/event-stream"});
  exchange->write("id: 1\r\nda");
  EXPECT_EQ(lines.take(), "id: 1");
  exchange->write("ta: x\n\n");
  EXPECT_EQ(lines.take(), "data: x");
  EXPECT_EQ(lines.take(), "");
  EXPECT_EQ(end.size(), 0U);
  exchange->finish();
  EXPECT_EQ(end.take().status, 200);

  fixture.client->follow(
      request_bytes("GET", "/events", fixture.address), [&](std::string_view) { FAIL(); },
      [&](ClientAnswer answer) { end.put(std::move(answer)); });
  server.exchanges.take()->respond(fault_response(429, "later"));
  const ClientAnswer refused = end.take();
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.body.find("later"), std::string::npos);
}

}  // namespace
}  // namespace trialward::http
