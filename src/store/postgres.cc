#include "store/postgres.h"

#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <system_error>

#include "base/log.h"
#include "store/postgres_errors.h"
#include "store/postgres_schema.h"
#include "store/postgres_statement.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr std::size_t kStatementsMax = 512;  // distinct SQL texts a connection prepares
constexpr base::Duration kCancelAgain = std::chrono::milliseconds(200);
constexpr base::Duration kPollMax = std::chrono::hours(1);
constexpr std::string_view kReadOnlyState = "25006";
constexpr int kPauseMs = 200;  // between attempts to connect

int poll_ms(base::Duration left) {
  left = std::clamp(left, base::Duration::zero(), kPollMax);
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
}

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool names(std::string_view sql, std::string_view table) {
  for (std::size_t at = sql.find(table); at != sql.npos; at = sql.find(table, at + 1)) {
    const std::size_t end = at + table.size();
    if ((at == 0 || !is_word(sql[at - 1])) && (end == sql.size() || !is_word(sql[end]))) {
      return true;
    }
  }
  return false;
}

}  // namespace

Status WriteConnection::commit(bool& unknown) {
  auto run = query("COMMIT");
  unknown = run.ok();
  // On an error nobody knows any more: what is read back from the page cache after a failed fsync
  // would prove nothing.
  auto done = run ? run->next() : Result<bool>(run.error());
  return done ? Status() : Status(done.error());
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(
    const std::string& url, const PostgresOptions& options) {
  if (auto settings = parse_postgres_url(url); !settings) return settings.error();
  std::unique_ptr<PostgresConnection> made(
      new PostgresConnection(url, options));  // tidy(new): its constructor is not for all
  if (auto connected = made->connect(); !connected) return connected.error();
  return made;
}

PostgresConnection::PostgresConnection(const std::string& url, const PostgresOptions& options)
    : url_(url),
      name_(postgres_name(parse_postgres_url(url).value())),
      options_(options),
      commit_max_(options.commit_max),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  TW_CHECK(wake_ >= 0);
}

PostgresConnection::~PostgresConnection() {
  close();
  statements_.clear();
  ::close(wake_);
}

void PostgresConnection::close() {
  if (streaming_ != nullptr) streaming_->break_off();
  streaming_ = nullptr;
  lost_ = true;
  for (Group& group : groups_) {  // in words that take no memory
    if (group.ended) continue;
    group.ended = true;
    if (!group.error) group.error = Error{Errc::unavailable, "connection lost"};
  }
  if (!options_.writes && transaction_open_ && !ends_transaction_) transaction_lost_ = true;
  transaction_open_ = false;
  cancel_.close();
  cancel_target_.reset();
  if (connection_ != nullptr) PQfinish(connection_);
  connection_ = nullptr;
}

int PostgresConnection::backend() const {
  return connection_ != nullptr ? PQbackendPID(connection_) : 0;
}

bool PostgresConnection::in_transaction() const {
  if (connection_ == nullptr) return false;
  const PGTransactionStatusType status = PQtransactionStatus(connection_);
  return status == PQTRANS_INTRANS || status == PQTRANS_INERROR || status == PQTRANS_ACTIVE;
}

bool PostgresConnection::failed_transaction() const {
  return connection_ != nullptr && PQtransactionStatus(connection_) == PQTRANS_INERROR;
}

void PostgresConnection::take_notice(void* self, const pg_result* notice) {
  auto& connection = *static_cast<PostgresConnection*>(self);
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  if (severity == nullptr || std::string_view(severity) != "WARNING") return;
  connection.warned_ = true;
  const char* words = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  base::log_warning("store: the database warns: " + postgres_words(words));
}

Error PostgresConnection::lost_error() {
  const std::string why =
      connection_ != nullptr ? postgres_words(PQerrorMessage(connection_)) : "not connected";
  close();
  return {Errc::unavailable, name_ + ": " + why};
}

Error PostgresConnection::error_of(const pg_result* result) {
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  if (state == nullptr) return lost_error();  // libpq's own: the connection is of no use now
  std::string text = postgres_words(words);
  if (detail != nullptr) text += ": " + postgres_words(detail);
  // Who was made for writing is connected anew, to the server that is so now.
  if (options_.writes && std::string_view(state) == kReadOnlyState) close();
  return {errc_of_sqlstate(state), text + " (" + state + ")"};
}

Result<PostgresConnection::ResultPointer> PostgresConnection::next_result(Patience patience) {
  if (auto done = wait(patience); !done) return done.error();
  ResultPointer result(PQgetResult(connection_), &PQclear);
  if (result == nullptr || PQresultStatus(result.get()) != PGRES_FATAL_ERROR) {
    return result;
  }
  const Error error = error_of(result.get());
  while (connection_ != nullptr) {  // what is left of the answer says no more
    if (auto done = wait(patience); !done) break;
    result.reset(PQgetResult(connection_));
    if (result == nullptr) break;
  }
  if (connection_ != nullptr && PQstatus(connection_) != CONNECTION_OK) close();
  return error;
}

PostgresConnection::Waiting PostgresConnection::begin_waiting(Patience patience) const {
  Waiting waiting{.patience = patience, .until = base::TimePoint::max()};
  const bool commits = patience == Patience::commits;
  const base::Duration most = commits ? commit_max_ : options_.statement_max;
  if (most.count() > 0 && (commits || !patient_)) waiting.until = clock_.now() + most;
  return waiting;
}

Status PostgresConnection::wait(Patience patience) {
  if (connection_ == nullptr) return lost_error();
  Waiting waiting = begin_waiting(patience);
  while (PQisBusy(connection_) != 0) {
    if (auto done = poll_once(waiting); !done) return done;
  }
  return end_cancel(waiting);
}

Status PostgresConnection::flush(Patience patience) {
  if (connection_ == nullptr) return lost_error();
  Waiting waiting = begin_waiting(patience);
  while (true) {
    const int unsent = PQflush(connection_);
    if (unsent < 0) return lost_error();
    if (unsent == 0) return end_cancel(waiting);
    if (auto done = poll_once(waiting); !done) return done;
  }
}

Result<bool> PostgresConnection::poll_files(short events, base::TimePoint until) {
  std::array<pollfd, 3> files{};
  files[0] = {PQsocket(connection_), events, 0};
  files[1] = {wake_, POLLIN, 0};
  files[2] = {cancel_.file(), cancel_.events(), 0};  // none, if it is -1
  if (::poll(files.data(), files.size(), poll_ms(until - clock_.now())) < 0) {
    if (errno == EINTR) return false;
    return Error{Errc::unavailable, name_ + ": poll: " + std::generic_category().message(errno)};
  }
  if (files[1].revents != 0) {
    eventfd_t count = 0;
    (void)::eventfd_read(wake_, &count);
  }
  if (files[2].revents != 0) {
    if (auto done = cancel_.proceed(); !done) {
      base::log_warning("store: a statement could not be cancelled: " + done.error().message);
    }
  }
  return files[0].revents != 0;
}

Error PostgresConnection::give_up(std::string_view why) {
  given_up_ = true;
  close();
  return {Errc::unavailable, name_ + ": " + std::string(why)};
}

Status PostgresConnection::poll_once(Waiting& waiting) {
  const int unsent = PQflush(connection_);
  if (unsent < 0) return lost_error();
  base::TimePoint until = waiting.until;
  if (waiting.cancelled) until = std::min(until, waiting.cancel_again);
  auto spoke = poll_files(static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), until);
  if (!spoke) return give_up(spoke.error().message);
  if (*spoke && PQconsumeInput(connection_) == 0) return lost_error();
  if (waiting.patience == Patience::cancels) return cancel_if_due(waiting);
  if (abandoned_) return give_up("nobody waits for the commit any more");
  if (clock_.now() >= waiting.until) return give_up("the commit takes too long");
  return {};
}

Status PostgresConnection::cancel_if_due(Waiting& waiting) {
  const base::TimePoint now = clock_.now();
  const bool late = now >= waiting.until;
  if (waiting.cancelled && late && PQisBusy(connection_) != 0) {
    return give_up("the server does not answer");
  }
  if (!waiting.cancelled && (late || interrupted_ || abandoned_)) {
    waiting.cancelled = true;
    waiting.until = now + options_.cancel_max;
    waiting.cancel_again = now;
  }
  // Again and again: one may come before the statement has begun, and find nothing to end.
  if (!waiting.cancelled || now < waiting.cancel_again || cancel_.under_way()) return {};
  waiting.cancel_again = now + kCancelAgain;
  const Status begun = cancel_target_ ? cancel_.begin(*cancel_target_)
                                      : Status(Error{Errc::unavailable, "its key is not known"});
  if (!begun) {
    base::log_warning("store: a statement could not be cancelled: " + begun.error().message);
  }
  return {};
}

Status PostgresConnection::end_cancel(const Waiting& waiting) {
  while (cancel_.under_way()) {
    if (clock_.now() >= waiting.until) return give_up("the server does not take a cancel");
    if (auto polled = poll_files(0, waiting.until); !polled) {
      return give_up(polled.error().message);
    }
  }
  return {};
}

Status PostgresConnection::wait_notices(base::Duration at_most,
                                        const std::function<void(std::string_view notice)>& take) {
  if (connection_ == nullptr) return lost_error();
  const auto take_all = [&] {
    bool any = false;
    while (PGnotify* const notice = PQnotifies(connection_)) {
      any = true;
      take(notice->extra);
      PQfreemem(notice);
    }
    return any;
  };
  if (take_all()) return {};  // they came with the answers of statements
  auto spoke = poll_files(POLLIN, clock_.now() + at_most);
  if (!spoke) return spoke.error();
  if (*spoke && PQconsumeInput(connection_) == 0) return lost_error();
  (void)take_all();
  return {};
}

void PostgresConnection::wake() { (void)::eventfd_write(wake_, 1); }

void PostgresConnection::interrupt() {
  interrupted_ = true;
  (void)::eventfd_write(wake_, 1);
}

void PostgresConnection::suspect() {
  suspected_ = true;
  interrupt();
}

void PostgresConnection::abandon() {
  abandoned_ = true;
  (void)::eventfd_write(wake_, 1);
}

void PostgresConnection::pause() {
  if (abandoned_) return;
  pollfd file{wake_, POLLIN, 0};
  if (::poll(&file, 1, kPauseMs) <= 0) return;
  eventfd_t count = 0;
  (void)::eventfd_read(wake_, &count);
}

Status PostgresConnection::take_over(PostgresStatement* statement) {
  if (streaming_ == nullptr || streaming_ == statement) return {};
  return streaming_->keep_rest();
}

// What a server that ended has sent is there to be read.
Status PostgresConnection::about_to_run(const StatementKind& kind) {
  const bool ends = kind.commits || kind.rolls_back;
  interrupted_ = false;
  if (!ends && stopped()) interrupted_ = true;  // stop() may have come since query() asked
  given_up_ = false;
  ends_transaction_ = ends;
  if (connection_ != nullptr) transaction_open_ = in_transaction();
  if (!transaction_open_ && streaming_ == nullptr && connects_by_itself() &&
      suspected_.exchange(false)) {
    close();
  }
  if (connection_ != nullptr && streaming_ == nullptr) {
    pollfd file{PQsocket(connection_), POLLIN, 0};
    const bool spoke = ::poll(&file, 1, 0) > 0;
    if (spoke && (PQconsumeInput(connection_) == 0 || PQstatus(connection_) != CONNECTION_OK)) {
      const Error error = lost_error();
      if (!connects_by_itself()) return error;
    }
  }
  if (transaction_lost_) {
    transaction_lost_ = !ends && !kind.begins;
    if (!kind.begins && !kind.rolls_back) {
      return Error{Errc::unavailable,
                   name_ + ": the connection was lost in the middle of the transaction"};
    }
  }
  if (connection_ != nullptr) return {};
  return connects_by_itself() ? connect() : Status(lost_error());
}

Status PostgresConnection::script(const std::string& sql) {
  const StatementKind kind{.tables = ~std::uint64_t{0},
                           .begins = sql.starts_with("BEGIN"),
                           .commits = sql.starts_with("COMMIT"),
                           .rolls_back = sql.starts_with("ROLLBACK")};
  if (auto ready = about_to_run(kind); !ready) return ready;
  if (auto taken = take_over(nullptr); !taken) return taken;
  return run_simple(sql);
}

Status PostgresConnection::run_simple(const std::string& sql) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) return lost_error();
  return await_end();
}

Status PostgresConnection::await_end() {
  while (true) {
    const auto result = next_result(Patience::cancels);
    if (!result) return result.error();
    if (*result == nullptr) return {};
  }
}

void PostgresConnection::release_memory() {}

Status PostgresConnection::commit(bool& unknown) {
  unknown = false;
  if (connection_ == nullptr) return lost_error();
  if (failed_transaction()) {
    return Error{Errc::invalid, "a statement of the transaction failed"};
  }
  warned_ = commit_sent_ = false;
  return end_of_commit(WriteConnection::commit(unknown), unknown);
}

Status PostgresConnection::end_of_commit(Status done, bool& unknown) {
  // What the server refused is known; so is what was not sent to it.
  unknown = false;
  if (!done) {
    unknown = commit_sent_ && lost_;
    return done;
  }
  if (!warned_) return {};
  // As when it does not wait any longer for a standby.
  unknown = true;
  close();
  return Error{Errc::unavailable, "the database warned, so the commit may not be durable"};
}

std::uint64_t PostgresConnection::tables_in(std::string_view sql) const {
  std::uint64_t tables = 0;
  for (std::size_t i = 0; i < watched_.size(); ++i) {
    const std::string_view view = postgres_view_of(watched_[i]);
    const bool named = names(sql, watched_[i]) || (!view.empty() && names(sql, view));
    if (named) tables |= std::uint64_t{1} << i;
  }
  return tables;
}

std::uint64_t PostgresConnection::watch_table(std::string_view table) {
  const auto known = std::find(watched_.begin(), watched_.end(), table);
  const auto index = static_cast<std::size_t>(known - watched_.begin());
  if (known == watched_.end()) {
    TW_CHECK(index < 64);
    watched_.emplace_back(table);
    for (auto& [sql, statement] : statements_) statement->set_tables(tables_in(sql));
  }
  return std::uint64_t{1} << index;
}

Result<Statement*> PostgresConnection::prepare(std::string_view sql) {
  using Found = Result<Statement*>;
  if (const auto found = statements_.find(sql); found != statements_.end()) {
    return Found(found->second.get());
  }
  TW_CHECK(statements_.size() < kStatementsMax);
  auto made = std::make_unique<PostgresStatement>(*this, std::string(sql), tables_in(sql));
  const std::string_view key = made->sql();
  return Found(statements_.emplace(key, std::move(made)).first->second.get());
}

}  // namespace trialward::store
