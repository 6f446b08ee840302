#include "cli/simulate_alerts.h"

#include "tests/http/harness.h"

namespace trialward::cli {
namespace {

using http::eventually;
using http::Exchange;
using http::TestServer;
using std::chrono::milliseconds;
using std::chrono::minutes;

std::string event(const std::string& source, const std::string& ids) {
  std::string records;
  for (const char id : ids) {
    records += (records.empty() ? "" : ",") + std::string(R"({"id":1,"source":")") + source +
               R"(","source_id":"R-)" + id + "\"}";
  }
  return "id: 1\nevent: alert.raised\ndata: {\"number\":1,\"records\":[" + records + "]}\n\n";
}

struct WatchFixture {
  WatchFixture()
      : server({}, [this](const http::Request& head) -> http::Decision {
          if (*head.header("Authorization") != "Bearer good") {
            return http::fault_response(403, "may not read alerts");
          }
          return http::Accepted{
              0, false, [this](std::shared_ptr<Exchange> exchange) {
                exchange->start({.status = 200, .content_type = "text/event-stream"});
                exchange->write("retry: 1000\n\n");
                server.exchanges.put(std::move(exchange));
              }};
        }) {}

  base::Result<std::unique_ptr<AlertWatch>> start(std::string token = "good") {
    return AlertWatch::start({.address = {"127.0.0.1", server.port()},
                              .target = "/alerts/stream",
                              .token = std::move(token),
                              .source = "simulate-1"},
                             tasks, clock);
  }

  base::FakeClock clock;
  runtime::TaskList tasks{clock};
  TestServer server;
};

TEST(AlertWatch, MeasuresFromDueAndFromSending) {
  WatchFixture fixture;
  auto watch = fixture.start().value();
  const auto stream = fixture.server.exchanges.take();
  const base::TimePoint due = fixture.clock.now();
  watch->expect("R-1", due, due + milliseconds(10));
  watch->expect("R-2", due + milliseconds(20), due + milliseconds(20));
  watch->expect("R-3", due, due);
  fixture.clock.advance(milliseconds(50));
  // Of another source; one that nobody expects; the same record twice.
  stream->write(event("other", "123") + ": \n\ndata: not json\n\n" + event("simulate-1", "9"));
  stream->write(event("simulate-1", "12") + event("simulate-1", "2"));
  ASSERT_TRUE(eventually([&] { return watch->figures().from_due.count() == 2; }));

  EXPECT_FALSE(watch->wait_for_all(fixture.clock.now()));
  EXPECT_EQ(watch->figures().missing, 1U);
  EXPECT_EQ(watch->figures().expected, 3U);
  watch->forget("R-3");  // was not stored
  EXPECT_TRUE(watch->wait_for_all(fixture.clock.now() + minutes(1)));
  const AlertFigures figures = watch->figures();
  EXPECT_EQ(figures.missing, 0U);
  EXPECT_EQ(figures.expected, 2U);
  EXPECT_EQ(figures.from_due.max(), milliseconds(50));
  EXPECT_GE(figures.from_due.quantile(0.5), milliseconds(30));
  EXPECT_LE(figures.from_due.quantile(0.5), milliseconds(31));
  EXPECT_EQ(figures.from_sent.max(), milliseconds(40));
  EXPECT_EQ(figures.ended, "");
}

TEST(AlertWatch, SaysWhyItMayNotListen) {
  WatchFixture fixture;
  const auto watch = fixture.start("bad");
  ASSERT_FALSE(watch.ok());
  EXPECT_EQ(watch.error().message, "403 Forbidden: may not read alerts");
}

TEST(AlertWatch, SeesTheStreamEnd) {
  WatchFixture fixture;
  auto watch = fixture.start().value();
  watch->expect("R-1", fixture.clock.now(), fixture.clock.now());
  fixture.server.exchanges.take()->finish();
  EXPECT_FALSE(watch->wait_for_all(fixture.clock.now() + minutes(1)));
  EXPECT_EQ(watch->figures().ended, "the server ended the alert stream");
  EXPECT_EQ(watch->figures().missing, 1U);
}

TEST(AlertWatch, WhatItExpectsIsBounded) {
  WatchFixture fixture;
  auto watch = fixture.start().value();
  const base::TimePoint now = fixture.clock.now();
  for (std::size_t i = 0; i < AlertWatch::kExpectedMax + 5; ++i) {
    watch->expect("R-" + std::to_string(i), now, now);
  }
  EXPECT_EQ(watch->figures().missing, AlertWatch::kExpectedMax);
  EXPECT_EQ(watch->figures().left_out, 5U);
}

}  // namespace
}  // namespace trialward::cli
