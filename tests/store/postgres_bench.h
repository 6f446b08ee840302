// For tests of PostgreSQL's connections: a schema of their own in the server that the tests have.
#pragma once

#include "store/postgres_writer.h"
#include "tests/store/store_bench.h"

namespace trialward::store {

// Two connections to a schema of its own, with a table.
class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!on_postgres() || StorePlace::server().empty()) {
      GTEST_SKIP() << "it needs a PostgreSQL server, and is run by store_postgres";
    }
    writer_ = open_writer();
    ASSERT_NE(writer_, nullptr);
    script("CREATE TABLE t (id bigint PRIMARY KEY, v text COLLATE \"C\" NOT NULL UNIQUE)");
    reader_ = open({});
  }

  std::unique_ptr<PostgresConnection> open(const PostgresOptions& options) {
    auto opened = PostgresConnection::open(place_.store(), options);
    EXPECT_TRUE(opened.ok()) << why(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  std::unique_ptr<PostgresWriter> open_writer(const PostgresOptions& options = {}) {
    auto opened = PostgresWriter::open(place_.store(), options, "store", random_);
    EXPECT_TRUE(opened.ok()) << why(opened);
    return opened ? std::move(*opened) : nullptr;
  }
  void script(const std::string& sql) {
    const auto done = writer_->script(sql);
    ASSERT_TRUE(done.ok()) << why(done);
  }
  std::int64_t count(Connection& connection) {
    auto number = connection.integer("SELECT count(*) FROM t");
    EXPECT_TRUE(number.ok()) << why(number);
    return number ? *number : -1;
  }
  // From another session.
  void terminate(const PostgresConnection& connection) {
    auto other = open({});
    const std::int64_t backend = connection.backend();
    ASSERT_EQ(other->integer("SELECT pg_terminate_backend($1::int)", {backend}).value(), 1);
    while (
        other->integer("SELECT count(*) FROM pg_stat_activity WHERE pid = $1", {backend}).value() !=
        0) {
    }
  }

  StorePlace place_;
  base::SeededRandom random_{1};
  std::unique_ptr<PostgresWriter> writer_;
  std::unique_ptr<PostgresConnection> reader_;
};

}  // namespace trialward::store
