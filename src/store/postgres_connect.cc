// How a PostgresConnection comes to be. libpq's connecting that does not block knows no time
// limits, and so cannot leave a host that hangs for the next one: here each host is a connection of
// its own.
#include <libpq-fe.h>
#include <poll.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "store/postgres.h"
#include "store/postgres_errors.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr int kServerVersionMin = 150000;

// Of every session. The schema is a store's own; a session in a network that has died is noticed,
// as its locks would hold up whoever takes its place. JIT and sequential scans are for others'
// statements: a writer looks single rows up, by plans that were made while the tables were empty.
constexpr const char* kSessionOptions =
    "-c search_path=trialward -c client_connection_check_interval=1000 -c tcp_keepalives_idle=10 "
    "-c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c jit=off -c bytea_output=hex";
constexpr const char* kWriterOptions =
    " -c enable_seqscan=off -c default_transaction_isolation=read\\ committed";
constexpr const char* kReaderOptions = " -c default_transaction_isolation=repeatable\\ read";
// Once it is connected: who asks for a server that can write is not given a session that cannot.
constexpr const char* kReadOnly = "SET default_transaction_read_only = on";

std::string session_options(const PostgresOptions& options) {
  std::string text = std::string(kSessionOptions) +
                     (options.writes ? kWriterOptions : kReaderOptions);
  // The writer's statements are cancelled from here, which leaves COMMIT alone, and what is sent
  // with it: of that a lock is all that may keep the server waiting.
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(options.statement_max);
  text += options.writes ? " -c lock_timeout=" : " -c statement_timeout=";
  text += std::to_string(ms.count());
  return text;
}

// Which of a URL's hosts the process was connected to last. It is asked first: one that hangs then
// costs its time once and not each session's, and all go to the same one should a server come back
// that another was promoted in the place of.
class LastHosts {
 public:
  std::size_t of(const std::string& url) {
    const std::lock_guard lock(mutex_);
    const auto known = hosts_.find(url);
    return known == hosts_.end() ? 0 : known->second;
  }
  void set(const std::string& url, std::size_t host) {
    const std::lock_guard lock(mutex_);
    hosts_[url] = host;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::size_t> hosts_;  // guarded by mutex_
};
LastHosts last_hosts;

// What libpq tells whoever traces a connection, while it is made.
class Trace {
 public:
  explicit Trace(pg_conn* connection)
      : connection_(connection), file_(::open_memstream(&text_, &bytes_)) {
    if (file_ == nullptr) return;
    PQtrace(connection_, file_);
    PQsetTraceFlags(connection_, PQTRACE_SUPPRESS_TIMESTAMPS);  // which need the time zone
  }
  ~Trace() {
    PQuntrace(connection_);
    if (file_ != nullptr) (void)std::fclose(file_);
    std::free(text_);
  }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  std::string_view text() {
    if (file_ == nullptr || std::fflush(file_) != 0) return {};
    return {text_, bytes_};
  }

 private:
  pg_conn* const connection_;
  char* text_ = nullptr;
  std::size_t bytes_ = 0;
  std::FILE* const file_;
};

}  // namespace

Status PostgresConnection::connect() {
  close();
  groups_.clear();
  auto settings = parse_postgres_url(url_);
  if (!settings) return settings.error();
  const PostgresSettings all = with_defaults(std::move(*settings), session_options(options_));
  std::string reasons;
  const std::vector<PostgresSettings> hosts = hosts_of(all);
  const std::size_t first = last_hosts.of(url_);
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    const std::size_t host = (first + i) % hosts.size();
    const Status done = connect_to(hosts[host]);
    if (done) {
      Status begun = begin_session();
      if (begun) last_hosts.set(url_, host);
      return begun;
    }
    close();
    reasons += (reasons.empty() ? "" : "; ") + done.error().message;
    if (done.error().code == Errc::cancelled) {
      return Error{Errc::cancelled, name_ + ": " + reasons};
    }
  }
  return Error{Errc::unavailable, name_ + ": " + reasons};
}

Status PostgresConnection::connect_to(const PostgresSettings& host) {
  const base::TimePoint until = clock_.now() + connect_max(host);
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : host) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  connection_ = PQconnectStartParams(keywords.data(), values.data(), 0);
  if (connection_ == nullptr) return Error{Errc::unavailable, "out of memory"};
  Trace trace(connection_);
  Status done = await_connection(until);
  if (done) cancel_target_ = PostgresCancel::target_of(connection_, trace.text());
  return done;
}

Status PostgresConnection::await_connection(base::TimePoint until) {
  PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
  if (PQstatus(connection_) == CONNECTION_BAD) wants = PGRES_POLLING_FAILED;
  while (wants != PGRES_POLLING_OK) {
    if (wants == PGRES_POLLING_FAILED) {
      return Error{Errc::unavailable, postgres_words(PQerrorMessage(connection_))};
    }
    if (interrupted_ || abandoned_) return Error{Errc::cancelled, "stopped while it connected"};
    if (clock_.now() >= until) {
      const char* host = PQhost(connection_);
      return Error{Errc::unavailable,
                   std::string(host != nullptr ? host : "?") + " does not answer"};
    }
    auto ready = poll_files(wants == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
    if (!ready) return ready.error();
    if (*ready) wants = PQconnectPoll(connection_);
  }
  return {};
}

Status PostgresConnection::begin_session() {
  if (PQsetnonblocking(connection_, 1) != 0) return lost_error();
  PQsetNoticeReceiver(connection_, &PostgresConnection::take_notice, this);
  ++connected_;
  lost_ = false;
  if (PQserverVersion(connection_) < kServerVersionMin) {
    close();
    return Error{Errc::invalid, name_ + " is older than PostgreSQL 15"};
  }
  const char* encoding = PQparameterStatus(connection_, "server_encoding");
  if (encoding == nullptr || std::string_view(encoding) != "UTF8") {
    close();
    return Error{Errc::invalid, name_ + ": the database's encoding is not UTF8"};
  }
  if (options_.writes) return {};
  auto set = run_simple(kReadOnly);
  if (!set) close();
  return set;
}

}  // namespace trialward::store
