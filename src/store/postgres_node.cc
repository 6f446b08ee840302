#include "store/postgres_node.h"

#include "base/sha256.h"
#include "store/postgres_durability.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

// A statement of a node's own is short; what it takes longer for is lost.
constexpr base::Duration kStatementMax = std::chrono::seconds(3);

// The server ends the session of a node that stands still, so that another goes on duty.
constexpr const char* kSilenceMaxMs = "10000";
constexpr base::Duration kSpeak = std::chrono::seconds(2);

constexpr Heard kAll{.alerts = true, .tokens = true, .deliveries = true};

}  // namespace

std::string postgres_lock(PostgresLock lock) {
  return "(" + std::to_string(static_cast<std::int64_t>(lock)) +
         ", current_schema()::regnamespace::oid::int)";
}

std::string postgres_notice(std::string_view session, std::string_view news) {
  return base::to_hex(session) + " " + std::string(news);
}

PostgresNode::PostgresNode(const std::string& url, const std::string& session)
    : PostgresConnection(url, {.statement_max = kStatementMax, .reconnects = false}),
      session_(base::to_hex(session)) {}

Result<std::unique_ptr<PostgresNode>> PostgresNode::open(const std::string& url,
                                                         const std::string& session) {
  if (auto settings = parse_postgres_url(url); !settings) return settings.error();
  std::unique_ptr<PostgresNode> made(
      new PostgresNode(url, session));  // tidy(new): its constructor is not for all
  if (auto done = made->listen(); !done) return done.error();
  made->in_contact_ = true;
  return made;
}

Status PostgresNode::listen() {
  if (auto done = connect(); !done) return done;
  auto bounded = execute(std::string("SELECT set_config('idle_session_timeout', '") +
                         kSilenceMaxMs + "', false)");
  if (!bounded) return bounded;
  auto channel = query("SELECT 'trialward_' || current_schema()::regnamespace::oid");
  if (!channel) return channel.error();
  auto row = channel->next();
  if (!row) return row.error();
  if (auto done = script("LISTEN " + std::string(channel->text(0))); !done) return done;
  return speak();
}

std::string PostgresNode::durability() const {
  const std::lock_guard lock(mutex_);
  return durability_;
}

// A server that has no durability to speak of is refused by whoever writes to it.
Status PostgresNode::speak() {
  spoke_ = base::SystemClock().now();
  auto words = postgres_durability(*this, name());
  if (!words && words.error().code != Errc::invalid) return words.error();
  const std::lock_guard lock(mutex_);
  durability_ = words ? std::move(*words) : words.error().message;
  return {};
}

// Whoever waits for it is next within a wait() of when its holder ends.
Status PostgresNode::settle_duty(bool fit) {
  if (base::SystemClock().now() - spoke_ >= kSpeak) {
    if (auto done = speak(); !done) return done;
  }
  if (on_duty_ == fit) return {};
  on_duty_ = false;  // before another can be
  static const std::string kTake =
      "SELECT pg_try_advisory_lock" + postgres_lock(PostgresLock::duty);
  static const std::string kGive = "SELECT pg_advisory_unlock" + postgres_lock(PostgresLock::duty);
  auto done = integer(fit ? kTake : kGive);
  if (!done) return done.error();
  on_duty_ = fit && *done != 0;
  return {};
}

Result<Heard> PostgresNode::wait(base::Duration at_most, bool fit) {
  const auto fail = [this](const Error& error) {
    on_duty_ = in_contact_ = false;
    close();
    return Error{Errc::unavailable, error.message};
  };
  if (lost()) {
    on_duty_ = false;
    if (auto done = listen(); !done) {
      const Error error = fail(done.error());
      pause();
      return error;
    }
    if (auto done = settle_duty(fit); !done) return fail(done.error());
    in_contact_ = true;
    return kAll;
  }
  const bool before = on_duty_;
  if (auto done = settle_duty(fit); !done) return fail(done.error());
  if (on_duty_ != before) return kAll;
  Heard heard;
  auto waited = wait_notices(at_most, [&](std::string_view notice) { hear(notice, heard); });
  if (!waited) return fail(waited.error());
  return heard;
}

void PostgresNode::hear(std::string_view notice, Heard& heard) const {
  const std::size_t space = notice.find(' ');
  if (space == notice.npos || notice.substr(0, space) == session_) return;
  const std::string_view kinds = notice.substr(space + 1);
  const auto has = [&](News news) { return kinds.find(static_cast<char>(news)) != kinds.npos; };
  heard.alerts |= has(News::alerts);
  heard.tokens |= has(News::tokens);
  heard.deliveries |= has(News::deliveries);
}

}  // namespace trialward::store
