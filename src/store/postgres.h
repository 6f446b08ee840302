// Connection over PostgreSQL 15 or later, by libpq: prepared statements, binary values, rows one by
// one as they arrive, so that a long answer takes no memory.
//
// A query that is begun while another still has rows to come has these kept in memory first: the
// protocol has one at a time. So only what is bounded by a LIMIT should be read that way.
//
// Whatever the server does, nothing blocks but poll(), which wakes up for interrupt() and at each
// deadline: what is sent is sent as the server takes it, a cancel goes its own way
// (store/postgres_cancel.h), and each host has `connect_timeout` to answer a connection. Only names
// of hosts are looked up by libpq, for as long as the system's resolver lets it.
//
// interrupt() wakes the thread that waits for the statement, and that thread cancels it. Then the
// server's answer is awaited, and that it has done with the cancel, so that the next statement is
// not met by it. When that takes longer than `cancel_max`, the connection is closed, and the server
// ends the statement once it notices (client_connection_check_interval). So an interrupted call
// returns within `cancel_max`, and any other within `statement_max` and that. A COMMIT is never
// cancelled, nor is what is sent with it; when it takes longer than `commit_max`, the connection is
// closed, and what became of it is asked in another.
//
// A reader that lost its server connects anew with its next query, but not within a transaction:
// of that the rest fails, up to its end. A writer is told to connect, by recover().
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "store/postgres_cancel.h"
#include "store/postgres_url.h"
#include "store/postgres_values.h"
#include "store/write_connection.h"

struct pg_conn;
struct pg_result;

namespace trialward::store {

struct PostgresOptions {
  bool writes = false;  // else each transaction is read only and sees one state of the database
  // How long a statement may take before it is cancelled. 0: for ever.
  base::Duration statement_max = std::chrono::seconds(60);
  // How long a COMMIT may before the connection is closed; what became of it is then unknown. Short
  // enough for service to go on with another server within 15 s. 0: for ever.
  base::Duration commit_max = std::chrono::seconds(5);
  // How long the server may take to answer a cancel before the connection is closed. Short enough
  // for what was cancelled to be over within 2 s, with what its owner does besides.
  base::Duration cancel_max = std::chrono::milliseconds(1500);
  // Whether what reads connects anew by itself, with its next statement. What writes never does.
  bool reconnects = true;
};

class PostgresStatement;
// A statement as it was prepared for parameters of certain types.
struct PostgresStatementVariant {
  std::string name;
  std::vector<postgres::Oid> types;
};

class PostgresConnection : public WriteConnection {
 public:
  // Errors: invalid (the URL, or a server that is too old or not UTF-8), unavailable.
  static base::Result<std::unique_ptr<PostgresConnection>> open(const std::string& url,
                                                                const PostgresOptions& options);
  ~PostgresConnection() override;
  PostgresConnection(const PostgresConnection&) = delete;
  PostgresConnection& operator=(const PostgresConnection&) = delete;

  base::Status script(const std::string& sql) override;
  void release_memory() override;
  void interrupt() override;
  void suspect() override;
  bool is_postgres() const override { return true; }

  const char* begin_sql() const override { return "BEGIN"; }
  bool in_transaction() const override;
  // One of whose statements failed.
  bool failed_transaction() const;
  base::Status commit(bool& unknown) override;
  base::Result<WalState> checkpoint(bool) override { return WalState{}; }
  std::int64_t wal_frames() const override { return 0; }
  bool disk_failed() const override { return false; }
  bool lost() const override { return lost_; }
  void pause() override;
  void abandon() override;
  bool abandoned() const override { return abandoned_.load(); }

  // The server's process that this connection talks to.
  int backend() const;
  // The URL without its password, for messages.
  const std::string& name() const { return name_; }

 protected:
  PostgresConnection(const std::string& url, const PostgresOptions& options);
  // To the first host that suits. Errors: unavailable, cancelled; invalid (the URL, the server).
  base::Status connect();
  void close();
  // What interrupt() was about is over.
  void forget_interrupt() { interrupted_ = false; }
  // Whether statements have all the time in the world.
  void set_patient(bool patient) { patient_ = patient; }
  void set_commit_max(base::Duration most) { commit_max_ = most; }
  base::Duration commit_max() const { return commit_max_; }
  base::Duration usual_commit_max() const { return options_.commit_max; }
  bool given_up() const { return given_up_; }

  base::Result<Statement*> prepare(std::string_view sql) override;
  struct StatementKind {
    std::uint64_t tables = 0;  // the bits of the watched ones that it names
    bool begins = false, commits = false, rolls_back = false;
  };
  // Before a statement is sent.
  virtual base::Status about_to_run(const StatementKind& kind);
  enum class Patience { cancels, commits };
  using ResultPointer = std::unique_ptr<pg_result, void (*)(pg_result*)>;
  // Sends statements that are encoded as one, and waits for them: one way to the server and back.
  // Behind the first that fails none is run; its error is returned. `rows`: what the last gave.
  base::Status run_together(std::span<PostgresStatement* const> statements, Patience patience,
                            ResultPointer* rows = nullptr);
  // The same of several groups, of which a failure ends its own alone, without waiting. Each is to
  // be awaited, in their order, before anything else is sent.
  using Groups = std::initializer_list<std::span<PostgresStatement* const>>;
  base::Status send_groups(Groups groups);
  base::Status await_group(Patience patience, ResultPointer* rows = nullptr);
  // Whether the first one that is under way has ended, as far as is known. Does not wait.
  bool group_has_ended();
  // Makes room for another statement's answer.
  base::Status take_over(PostgresStatement* statement);
  base::Result<PostgresStatement*> statement_of(std::string_view sql);
  // Whether the next result can be had without waiting, as far as is known.
  bool answer_is_there();
  base::Error lost_error();
  // Of the writer's, for a COMMIT that is sent with others.
  base::Status end_of_commit(base::Status done, bool& unknown);
  // A table whose rows put() keeps; its bit.
  std::uint64_t watch_table(std::string_view table);
  // Waits for what others NOTIFY, or wake(); between statements. wake(): any thread.
  base::Status wait_notices(base::Duration at_most,
                            const std::function<void(std::string_view notice)>& take);
  void wake();

 private:
  friend class PostgresStatement;
  friend class PostgresRows;
  // What has come of waiting for the server.
  struct Waiting {
    Patience patience = Patience::cancels;
    base::TimePoint until;  // then it is cancelled; and once it is, the connection is closed
    bool cancelled = false;
    base::TimePoint cancel_again{};
  };
  base::Status connect_to(const PostgresSettings& host);
  base::Status await_connection(base::TimePoint until);
  base::Status begin_session();
  base::Error error_of(const pg_result* result);
  std::uint64_t tables_in(std::string_view sql) const;
  using Queued = std::pair<PostgresStatement*, const PostgresStatementVariant*>;
  base::Status queue_groups(std::span<const Queued> all);
  void take_in();
  // The next result; null when there are no more. Waits for it.
  base::Result<ResultPointer> next_result(Patience patience);
  base::Status wait(Patience patience);
  // Until all that was sent is on its way.
  base::Status flush(Patience patience);
  Waiting begin_waiting(Patience patience) const;
  base::Status poll_once(Waiting& waiting);
  base::Status cancel_if_due(Waiting& waiting);
  // Until the server has done with what was cancelled.
  base::Status end_cancel(const Waiting& waiting);
  // poll() with the wake-up and the cancel's socket; whether the server had something to say.
  base::Result<bool> poll_files(short events, base::TimePoint until);
  base::Error give_up(std::string_view why);
  // Sends it, and drops its rows.
  base::Status run_simple(const std::string& sql);
  // Whether a statement that found its server gone, before it had given a row, is worth sending to
  // another one.
  bool connects_by_itself() const { return !options_.writes && options_.reconnects; }
  bool may_repeat() const { return lost_ && !given_up_ && !interrupted_; }
  // Until what was sent has ended; drops its rows.
  base::Status await_end();
  static void take_notice(void* self, const pg_result* notice);

  const std::string url_, name_;
  const PostgresOptions options_;
  const base::SystemClock clock_;
  bool patient_ = false;
  base::Duration commit_max_;
  pg_conn* connection_ = nullptr;
  int wake_ = -1;  // an eventfd
  std::atomic<bool> interrupted_ = false, abandoned_ = false, suspected_ = false;
  bool lost_ = false;
  bool given_up_ = false;          // it was closed from here, as the server took too long
  bool transaction_open_ = false;  // when the last statement was sent
  bool ends_transaction_ = false;  // which was to end it
  bool transaction_lost_ = false;  // and its end has not come yet
  std::optional<PostgresCancel::Target> cancel_target_;
  PostgresCancel cancel_;
  bool commit_sent_ = false;     // the last statement that was sent is a COMMIT
  bool warned_ = false;          // the server warned of something since the statement began
  std::uint64_t connected_ = 0;  // how often; statements of an earlier connection are gone
  std::uint64_t statement_number_ = 0;
  struct Group {
    std::size_t statements = 0;
    std::size_t read = 0;  // statements whose results have come
    bool ended = false;
    std::optional<base::Error> error = std::nullopt;
    ResultPointer rows{nullptr, nullptr};
  };
  std::deque<Group> groups_;  // that are under way
  PostgresStatement* streaming_ = nullptr;  // whose answer is arriving
  std::vector<std::string> watched_;
  std::unordered_map<std::string_view, std::unique_ptr<PostgresStatement>> statements_;
};

}  // namespace trialward::store
