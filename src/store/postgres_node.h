// Node over PostgreSQL: LISTEN and NOTIFY on a channel of the schema, and the lock of who is on
// duty, an advisory lock of the node's session. A notice is "SESSION KINDS": the name of the
// writer's session in hexadecimal, so that nobody hears itself, and store::News letters.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "store/node.h"
#include "store/postgres.h"

namespace trialward::store {

// The advisory locks of a schema; the numbers are their classes ("TrWd" and the next).
enum class PostgresLock : std::int64_t { nodes = 0x54725764, duty = 0x54725765 };
// The arguments of a lock function, in SQL: "(CLASS, SCHEMA)".
std::string postgres_lock(PostgresLock lock);

// What a transaction tells the other nodes once it is committed. `session` is the writer's.
std::string postgres_notice(std::string_view session, std::string_view news);

class PostgresNode final : public Node, private PostgresConnection {
 public:
  static base::Result<std::unique_ptr<PostgresNode>> open(const std::string& url,
                                                          const std::string& session);

  base::Result<Heard> wait(base::Duration at_most, bool fit) override;
  bool on_duty() const override { return on_duty_.load(); }
  bool in_contact() const override { return in_contact_.load(); }
  std::string durability() const override;
  bool hangs() const override { return lost() && given_up(); }
  void interrupt() override { wake(); }
  void stop() override { abandon(); }
  Connection& connection() override { return *this; }

 private:
  PostgresNode(const std::string& url, const std::string& session);
  base::Status listen();
  base::Status settle_duty(bool fit);
  // Also for the server to hear of it: whoever is on duty must not be silent.
  base::Status speak();
  void hear(std::string_view notice, Heard& heard) const;

  const std::string session_;  // in hexadecimal
  std::atomic<bool> on_duty_ = false;
  std::atomic<bool> in_contact_ = false;
  base::TimePoint spoke_{};  // when it last did
  mutable std::mutex mutex_;
  std::string durability_;  // guarded by mutex_
};

}  // namespace trialward::store
