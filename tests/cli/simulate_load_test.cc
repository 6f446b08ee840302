#include "cli/simulate_load.h"

#include "tests/http/harness.h"

namespace trialward::cli {
namespace {

using http::Channel;
using http::eventually;
using http::Exchange;
using http::TestServer;
using std::chrono::milliseconds;
using std::chrono::seconds;

// A load with a clock that the test moves, and a server that answers when the test says so.
struct LoadFixture {
  explicit LoadFixture(LoadOptions options, http::Admit admit = {})
      : server({}, std::move(admit)), trial({.seed = 1}) {
    options.address = {"127.0.0.1", server.port()};
    options.target = "/records";
    options.token = "t";
    load = Load::start(std::move(options), trial, nullptr, tasks, clock).value();
  }

  // Answers the next request, and waits until the load has seen it.
  void answer(int status, std::string body = "{}") {
    const std::uint64_t before = answered();
    server.exchanges.take()->respond(http::json_response(status, std::move(body)));
    EXPECT_TRUE(eventually([&] { return answered() > before; }));
  }
  std::uint64_t answered() const {
    std::uint64_t sum = 0;
    for (const auto& [status, count] : load->figures().by_status) sum += count;
    return sum;
  }

  base::FakeClock clock;
  runtime::TaskList tasks{clock};
  TestServer server;
  InventedTrial trial;
  std::unique_ptr<Load> load;
};

http::Admit always(int status) {
  return [status](const http::Request&) {
    return http::Accepted{1 << 20, false, [status](const std::shared_ptr<Exchange>& exchange) {
                            exchange->respond(http::json_response(status, "{}"));
                          }};
  };
}

// One connection, ten requests that are due 100 ms apart, and a server that stalls for a second
// and then answers at once. Counted from their sending, all but the first would take no time.
TEST(Load, LatencyIsFreeOfCoordinatedOmission) {
  LoadFixture fixture({.connections = 1, .records_per_s = 10, .seconds = 1, .curve = true});
  EXPECT_TRUE(fixture.load->step());
  fixture.clock.advance(seconds(1));
  EXPECT_TRUE(fixture.load->step());
  EXPECT_EQ(fixture.load->figures().requests, 1U);
  EXPECT_EQ(fixture.load->figures().unsent, 9U);
  for (int i = 0; i < 10; ++i) {
    fixture.answer(201);
    fixture.load->step();
  }
  EXPECT_FALSE(fixture.load->step());

  const LoadFigures figures = fixture.load->figures();
  EXPECT_EQ(figures.stored, 10U);
  EXPECT_EQ(figures.unsent, 0U);
  EXPECT_EQ(figures.answers.count(), 10U);
  EXPECT_EQ(figures.answers.max(), seconds(1));
  EXPECT_GE(figures.answers.quantile(0.1), milliseconds(100));
  EXPECT_LE(figures.answers.quantile(0.1), milliseconds(102));
  EXPECT_GE(figures.answers.quantile(0.5), milliseconds(500));
  EXPECT_GE(figures.lateness.quantile(0.9), milliseconds(800));
  ASSERT_EQ(figures.curve->points().size(), 1U);
  EXPECT_EQ(figures.curve->points().front().at, seconds(1));
  EXPECT_EQ(figures.curve->points().front().p99, seconds(1));
  EXPECT_EQ(figures.took, seconds(1));
}

TEST(Load, WhatCannotBeSentIsReported) {
  LoadFixture fixture({.connections = 2, .records_per_s = 10, .seconds = 1});
  fixture.load->step();
  fixture.clock.advance(milliseconds(100));
  fixture.load->step();
  fixture.answer(201);
  const auto held = fixture.server.exchanges.take();
  fixture.clock.advance(seconds(1) + Load::kGrace);  // longer than an answer may take, too
  EXPECT_TRUE(eventually([&] { return !fixture.load->step(); }));
  const LoadFigures figures = fixture.load->figures();
  EXPECT_EQ(figures.requests, 2U);
  EXPECT_EQ(figures.stored, 1U);
  EXPECT_EQ(figures.unanswered, 1U);
  EXPECT_EQ(figures.unsent, 8U);
  EXPECT_EQ(figures.first_failure, "the deadline passed");
  EXPECT_EQ(figures.answers.count(), 1U);
}

TEST(Load, ClosedLoopSendsWhenAnswered) {
  LoadFixture fixture({.connections = 2, .seconds = 1});
  fixture.load->step();
  fixture.load->step();
  EXPECT_EQ(fixture.load->figures().requests, 2U);
  fixture.answer(201);
  fixture.load->step();
  EXPECT_EQ(fixture.load->figures().requests, 3U);

  // Who is refused rests first.
  fixture.answer(429, R"({"faults":[{"path":"","reason":"later"}]})");
  fixture.load->step();
  EXPECT_EQ(fixture.load->figures().requests, 3U);
  EXPECT_EQ(fixture.load->figures().first_failure, "429 Too Many Requests: later");
  fixture.clock.advance(Load::kRest);
  fixture.load->step();
  EXPECT_EQ(fixture.load->figures().requests, 4U);

  fixture.clock.advance(seconds(1));
  fixture.answer(200);
  EXPECT_TRUE(fixture.load->step());
  fixture.answer(201);
  EXPECT_FALSE(fixture.load->step());
  const LoadFigures figures = fixture.load->figures();
  EXPECT_EQ(figures.stored, 2U);
  EXPECT_EQ(figures.repeated, 1U);
  EXPECT_EQ(figures.refused, 1U);
  EXPECT_EQ(figures.by_status, (std::map<int, std::uint64_t>{{200, 1}, {201, 2}, {429, 1}}));
}

TEST(Load, LinesAreCountedByTheSummary) {
  LoadFixture fixture({.connections = 1, .seconds = 1, .lines = 5});
  fixture.load->step();
  auto exchange = fixture.server.exchanges.take();
  const http::Request& request = exchange->request();
  EXPECT_EQ(*request.header("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(*request.header("Authorization"), "Bearer t");
  EXPECT_EQ(std::count(request.body.begin(), request.body.end(), '\n'), 5);
  exchange->respond(
      http::json_response(200, R"({"read":4,"stored":2,"repeated":1,"refused":1,"alerts":0})"));
  exchange.reset();
  ASSERT_TRUE(eventually([&] { return fixture.answered() == 1; }));
  fixture.load->step();
  fixture.answer(200, "not json");
  const LoadFigures figures = fixture.load->figures();
  EXPECT_EQ(figures.records, 10U);
  EXPECT_EQ(figures.stored, 2U);
  EXPECT_EQ(figures.repeated, 1U);
  EXPECT_EQ(figures.refused, 1U);
  EXPECT_EQ(figures.unanswered, 6U);
}

// The last request has what is left; nothing is unsent.
TEST(Load, EndsAfterSoManyRecords) {
  LoadFixture fixture({.connections = 1, .records_per_s = 5, .seconds = 100, .records_max = 7,
                       .lines = 5},
                      always(200));
  EXPECT_TRUE(fixture.load->step());
  fixture.clock.advance(seconds(50));
  EXPECT_TRUE(eventually([&] { return !fixture.load->step(); }));
  EXPECT_EQ(fixture.load->figures().requests, 2U);
  EXPECT_EQ(fixture.load->figures().records, 7U);
  EXPECT_EQ(fixture.load->figures().unsent, 0U);
}

TEST(Load, ARefusalThatDoesNotSayWhenToComeAgainIsCounted) {
  for (const bool says : {true, false}) {
    LoadFixture fixture({.connections = 1, .records_per_s = 1, .seconds = 1},
                        [says](const http::Request&) {
                          http::Response busy = http::fault_response(429, "later");
                          if (says) busy.with("Retry-After", "3");
                          return busy;
                        });
    EXPECT_TRUE(eventually([&] { return !fixture.load->step(); }));
    EXPECT_EQ(fixture.load->figures().refused, 1U);
    EXPECT_EQ(fixture.load->figures().no_retry_after, says ? 0U : 1U);
  }
}

TEST(Load, TriesOneFirst) {
  LoadFixture taken({}, always(201));
  EXPECT_TRUE(taken.load->try_one().ok());
  EXPECT_EQ(taken.load->figures().records, 0U);
  LoadFixture refused({}, always(401));
  const base::Status status = refused.load->try_one();
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("401"), std::string::npos) << status.error().message;
}

// With threads and real time: that run() ends, and has sent all that was due.
TEST(Load, RunsToItsEnd) {
  const base::SystemClock clock;
  runtime::TaskList tasks(clock);
  TestServer server({}, always(201));
  InventedTrial trial({.seed = 1});
  LoadOptions options{.address = {"127.0.0.1", server.port()},
                      .target = "/records",
                      .connections = 8,
                      .records_per_s = 1000,
                      .seconds = 0.2};
  auto load = Load::start(options, trial, nullptr, tasks, clock).value();
  const LoadFigures figures = load->run([] { return false; });
  EXPECT_EQ(figures.stored, 200U);
  EXPECT_EQ(figures.unsent, 0U);
  EXPECT_FALSE(figures.interrupted);
}

TEST(Load, AnInterruptEndsItWithWhatThereIs) {
  const base::SystemClock clock;
  runtime::TaskList tasks(clock);
  TestServer server;  // answers nothing
  InventedTrial trial({.seed = 1});
  LoadOptions options{.address = {"127.0.0.1", server.port()},
                      .target = "/records",
                      .connections = 3,
                      .seconds = 3600};
  auto load = Load::start(options, trial, nullptr, tasks, clock).value();
  const LoadFigures figures = load->run([&] { return server.exchanges.size() == 3; });
  EXPECT_TRUE(figures.interrupted);
  EXPECT_EQ(figures.requests, 3U);
  EXPECT_EQ(figures.unanswered, 3U);
}

}  // namespace
}  // namespace trialward::cli
