#include "http/resolver.h"

#include <future>

#include "tests/http/harness.h"

namespace trialward::http {
namespace {

using base::Errc;
using std::chrono::seconds;

class ResolverTest : public ::testing::Test {
 protected:
  Resolver::Answer ask(Resolver& resolver, const std::string& host) {
    Channel<std::shared_ptr<Resolver::Answer>> answers;
    resolver.resolve(host, [&](Resolver::Answer answer) {
      answers.put(std::make_shared<Resolver::Answer>(std::move(answer)));
    });
    return *answers.take();
  }
  Resolver::Lookup counting() {
    return [this](const std::string& host) -> Resolver::Answer {
      ++lookups_;
      return Resolver::Addresses{"192.0.2.1", host == "two" ? "2001:db8::1" : "192.0.2.2"};
    };
  }

  base::FakeClock clock_;
  runtime::TaskList tasks_{clock_};
  std::atomic<int> lookups_ = 0;
};

TEST_F(ResolverTest, ANumberIsItsOwnAddress) {
  Resolver resolver({}, tasks_, counting());
  EXPECT_EQ(ask(resolver, "127.0.0.1").value(), Resolver::Addresses{"127.0.0.1"});
  EXPECT_EQ(ask(resolver, "::1").value(), Resolver::Addresses{"::1"});
  EXPECT_EQ(lookups_.load(), 0);
}

TEST_F(ResolverTest, WhatWasFoundIsKeptForAWhile) {
  Resolver resolver({.keep = seconds(30)}, tasks_, counting());
  EXPECT_EQ(ask(resolver, "one").value().size(), 2u);
  clock_.advance(seconds(29));
  ask(resolver, "one").value();
  EXPECT_EQ(lookups_.load(), 1);
  clock_.advance(seconds(1));
  ask(resolver, "one").value();
  EXPECT_EQ(lookups_.load(), 2);
}

TEST_F(ResolverTest, LookupsThatHangAreBounded) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  Resolver resolver({.threads = 2, .queued_max = 3}, tasks_,
                    [released](const std::string&) -> Resolver::Answer {
                      released.wait();
                      return Resolver::Addresses{"192.0.2.1"};
                    });
  Channel<Errc> refused;
  std::atomic<int> answered = 0;
  for (int i = 0; i < 10; ++i) {
    resolver.resolve("h" + std::to_string(i), [&](Resolver::Answer answer) {
      if (answer) {
        ++answered;
      } else {
        refused.put(answer.error().code);
      }
    });
  }
  EXPECT_EQ(refused.take(), Errc::refused);
  EXPECT_GE(refused.size(), 4u);
  release.set_value();
  EXPECT_TRUE(eventually([&] { return answered.load() + refused.size() >= 9u; }));
}

TEST_F(ResolverTest, WhoWaitsIsLetGo) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  Resolver resolver({}, tasks_, [released](const std::string&) -> Resolver::Answer {
    released.wait();
    return Resolver::Addresses{"192.0.2.1"};
  });
  const runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::requested);
  EXPECT_EQ(resolver.wait_for("one", cancel).error().code, Errc::cancelled);
  release.set_value();
  EXPECT_TRUE(resolver.wait_for("two", {}).ok());
}

TEST_F(ResolverTest, AStoppedOneRefuses) {
  Resolver resolver({}, tasks_, counting());
  resolver.stop();
  EXPECT_EQ(ask(resolver, "one").error().code, Errc::cancelled);
  EXPECT_EQ(tasks_.count(), 0u);
}

TEST_F(ResolverTest, TheSystemKnowsThisMachine) {
  const auto found = Resolver::system_lookup("localhost");
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_TRUE(found->front() == "127.0.0.1" || found->front() == "::1") << found->front();
}

}  // namespace
}  // namespace trialward::http
