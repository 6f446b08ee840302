#include "store/postgres.h"

#include <thread>

#include "store/postgres_node.h"
#include "store/schema.h"
#include "tests/store/postgres_bench.h"

namespace trialward::store {
namespace {

using base::Errc;
using std::chrono::milliseconds;

TEST_F(PostgresTest, ValuesComeBackAsTheyWere) {
  script("CREATE TABLE x (i bigint, d double precision, t text, b bytea)");
  const std::string long_text(100'000, 'y');
  const struct {
    const char* column;
    SqlValue value;
  } cases[] = {
      {"i", sql_null()},
      {"i", std::int64_t{0}},
      {"i", std::numeric_limits<std::int64_t>::min()},
      {"i", std::numeric_limits<std::int64_t>::max()},
      {"d", 0.1},
      {"d", -1e300},
      {"d", -0.0},
      {"d", std::numeric_limits<double>::infinity()},
      {"t", std::string_view("")},
      {"t", std::string_view()},
      {"t", std::string_view("Zürich")},
      {"t", std::string_view(long_text)},
      {"b", Blob{""}},
      {"b", Blob{}},
      {"b", Blob{std::string_view("\0\xff", 2)}},
  };
  for (const auto& one : cases) {
    const std::string column = one.column;
    ASSERT_TRUE(writer_->execute("DELETE FROM x").ok());
    auto done = writer_->execute("INSERT INTO x (" + column + ") VALUES ($1)", {one.value});
    ASSERT_TRUE(done.ok()) << why(done);
    auto query = writer_->query("SELECT " + column + " FROM x");
    ASSERT_TRUE(query.ok() && query->next().value());
    const SqlValue back = query->value(0);
    ASSERT_EQ(back.index(), one.value.index()) << column;
    if (const auto* blob = std::get_if<Blob>(&one.value)) {
      EXPECT_EQ(std::get<Blob>(back).bytes, blob->bytes);
    } else if (const auto* text = std::get_if<std::string_view>(&one.value)) {
      EXPECT_EQ(std::get<std::string_view>(back), *text);
    } else if (const auto* real = std::get_if<double>(&one.value)) {
      EXPECT_EQ(std::get<double>(back), *real);
    } else if (const auto* number = std::get_if<std::int64_t>(&one.value)) {
      EXPECT_EQ(std::get<std::int64_t>(back), *number);
    }
  }
}

TEST_F(PostgresTest, TypesOfExpressionsAreTold) {
  auto query = reader_->query(
      "SELECT 1, true, 2::smallint, 1.5::real, 'n'::name, sum(x), avg(x), sum(x * 0.25) "
      "FROM generate_series(1, 4) x");
  ASSERT_TRUE(query.ok() && query->next().value()) << why(query);
  EXPECT_EQ(query->integer(0), 1);
  EXPECT_EQ(query->integer(1), 1);
  EXPECT_EQ(query->integer(2), 2);
  EXPECT_EQ(query->real(3), 1.5);
  EXPECT_EQ(query->text(4), "n");
  EXPECT_EQ(query->integer(5), 10);
  EXPECT_EQ(query->real(6), 2.5);
  EXPECT_EQ(query->real(7), 2.5);
}

TEST_F(PostgresTest, SumsAreWholeWhereTheyAre) {
  for (const std::int64_t number :
       {std::int64_t{0}, std::int64_t{7}, std::int64_t{-40000}, std::int64_t{123456789012}}) {
    auto query = reader_->query("SELECT sum($1::bigint)", {number});
    ASSERT_TRUE(query.ok() && query->next().value());
    EXPECT_EQ(query->integer(0), number);
  }
}

TEST_F(PostgresTest, ArraysAreParameters) {
  const std::vector<std::int64_t> numbers = {3, 1, 2};
  const std::vector<std::string_view> texts = {"c", "", "b\"{},\\"};
  auto query =
      reader_->query("SELECT n, t FROM unnest($1::bigint[], $2::text[]) AS u (n, t) ORDER BY n",
                     {Integers(numbers), Texts(texts)});
  ASSERT_TRUE(query.ok()) << why(query);
  std::string all;
  while (query->next().value()) {
    all += std::to_string(query->integer(0)) + "=" + std::string(query->text(1)) + ";";
  }
  EXPECT_EQ(all, "1=;2=b\"{},\\;3=c;");
  auto none = reader_->integer("SELECT count(*) FROM unnest($1::bigint[])", {Integers()});
  EXPECT_EQ(none.value(), 0);
}

TEST_F(PostgresTest, NullHasTheTypeOfItsPlace) {
  constexpr const char* kInsert = "INSERT INTO t (id, v) VALUES ($1, coalesce($2, 'none'))";
  ASSERT_TRUE(writer_->execute(kInsert, {std::int64_t{1}, sql_null()}).ok());
  ASSERT_TRUE(writer_->execute(kInsert, {std::int64_t{2}, std::string_view("b")}).ok());
  EXPECT_EQ(writer_->execute(kInsert, {sql_null(), std::string_view("c")}).error().code,
            Errc::conflict);
  EXPECT_EQ(count(*writer_), 2);
}

TEST_F(PostgresTest, ErrorsSayWhatKindTheyAre) {
  script("INSERT INTO t VALUES (1, 'a')");
  const struct {
    const char* sql;
    Errc code;
    const char* words;
  } cases[] = {
      {"INSERT INTO t VALUES (2, 'a')", Errc::conflict, "23505"},
      {"INSERT INTO t VALUES (3, NULL)", Errc::conflict, "23502"},
      {"SELECT missing FROM t", Errc::invalid, "missing"},
      {"SELEC 1", Errc::invalid, "syntax error"},
      {"SELECT 1 / (id - 1) FROM t", Errc::invalid, "division by zero"},
      {"SELECT pg_advisory_lock_shared(1) FROM t WHERE 1 = 'x'", Errc::invalid, "22P02"},
  };
  for (const auto& expected : cases) {
    const auto done = writer_->execute(expected.sql);
    ASSERT_FALSE(done.ok()) << expected.sql;
    EXPECT_EQ(done.error().code, expected.code) << expected.sql << why(done);
    EXPECT_NE(done.error().message.find(expected.words), std::string::npos) << why(done);
  }
  const auto zero = writer_->execute("INSERT INTO t VALUES (9, $1)", {std::string_view("a\0b", 3)});
  EXPECT_EQ(zero.error().code, Errc::invalid) << why(zero);
  EXPECT_EQ(count(*writer_), 1);
}

TEST_F(PostgresTest, WhoIsInTheWayOfOthersIsToldToTryAgain) {
  script("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  const auto other = open({.writes = true});
  ASSERT_TRUE(writer_->script("BEGIN; UPDATE t SET v = 'c' WHERE id = 1").ok());
  ASSERT_TRUE(
      other->script("BEGIN; SET deadlock_timeout = 1; UPDATE t SET v = 'd' WHERE id = 2").ok());
  base::Status of_writer;
  std::thread waits([&] { of_writer = writer_->execute("UPDATE t SET v = 'e' WHERE id = 2"); });
  const auto of_other = other->execute("UPDATE t SET v = 'f' WHERE id = 1");
  if (!of_other) {
    EXPECT_TRUE(other->script("ROLLBACK").ok());
  }
  waits.join();
  ASSERT_NE(of_other.ok(), of_writer.ok());
  EXPECT_EQ((of_other ? of_writer : of_other).error().code, Errc::retry)
      << why(of_other) << why(of_writer);
  ASSERT_TRUE(other->script("ROLLBACK").ok());
  ASSERT_TRUE(writer_->script("ROLLBACK").ok());
}

TEST_F(PostgresTest, AQueryWithinAQueryLosesNoRow) {
  script("INSERT INTO t SELECT x, 'row ' || x FROM generate_series(1, 500) x");
  auto outer = reader_->query("SELECT id, v FROM t ORDER BY id");
  ASSERT_TRUE(outer.ok());
  std::int64_t rows = 0;
  while (outer->next().value()) {
    const std::int64_t id = outer->integer(0);
    ASSERT_EQ(id, ++rows);
    auto inner = reader_->query("SELECT v FROM t WHERE id = $1", {id});
    ASSERT_TRUE(inner.ok() && inner->next().value());
    EXPECT_EQ(inner->text(0), outer->text(1));
  }
  EXPECT_EQ(rows, 500);
}

TEST_F(PostgresTest, AStatementIsUsedAgainAfterItsEndItsAbandonAndItsFailure) {
  constexpr std::string_view kInsert = "INSERT INTO t VALUES ($1, $2)";
  for (std::int64_t id = 1; id <= 3; ++id) {
    const std::string text = "row " + std::to_string(id);
    ASSERT_TRUE(writer_->execute(kInsert, {id, std::string_view(text)}).ok());
    EXPECT_EQ(writer_->execute(kInsert, {id, std::string_view("x")}).error().code, Errc::conflict);
  }
  for (int i = 0; i < 2; ++i) {  // left after its first row
    auto query = writer_->query("SELECT id FROM t ORDER BY id");
    ASSERT_TRUE(query.ok() && query->next().value());
    EXPECT_EQ(query->integer(0), 1);
  }
}

TEST_F(PostgresTest, AReaderCannotWriteAndHasOneStateInATransaction) {
  EXPECT_EQ(reader_->execute("INSERT INTO t VALUES (1, 'a')").error().code, Errc::unavailable);
  ASSERT_TRUE(reader_->execute("BEGIN").ok());
  EXPECT_EQ(count(*reader_), 0);
  script("INSERT INTO t VALUES (1, 'a')");
  EXPECT_EQ(count(*reader_), 0);
  ASSERT_TRUE(reader_->execute("COMMIT").ok());
  EXPECT_EQ(count(*reader_), 1);
}

TEST_F(PostgresTest, P5AnInterruptedStatementEndsAndItsConnectionGoesOn) {
  for (int i = 0; i < 3; ++i) {
    auto slow = reader_->query("SELECT pg_sleep(60)");
    ASSERT_TRUE(slow.ok());
    const auto begun = std::chrono::steady_clock::now();
    std::thread interrupts([&] { reader_->interrupt(); });
    const auto row = slow->next();
    interrupts.join();
    ASSERT_FALSE(row.ok());
    EXPECT_EQ(row.error().code, Errc::cancelled) << why(row);
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(2));
    EXPECT_EQ(reader_->integer("SELECT 5").value(), 5);
  }
  reader_->interrupt();  // nothing runs
  EXPECT_EQ(reader_->integer("SELECT 5").value(), 5);
}

TEST_F(PostgresTest, P5AStatementThatTakesTooLongIsCancelled) {
  for (const bool writes : {false, true}) {
    const auto hasty = open({.writes = writes, .statement_max = milliseconds(100)});
    const auto done = hasty->execute("SELECT pg_sleep(60)");
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, Errc::cancelled) << why(done);
    EXPECT_EQ(hasty->integer("SELECT 5").value(), 5);
  }
}

TEST_F(PostgresTest, AReaderThatLostItsSessionConnectsAnew) {
  EXPECT_EQ(count(*reader_), 0);
  terminate(*reader_);
  EXPECT_EQ(count(*reader_), 0);
  // Not in the middle of a transaction, which saw one state.
  ASSERT_TRUE(reader_->execute("BEGIN").ok());
  terminate(*reader_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(reader_->integer("SELECT count(*) FROM t").error().code, Errc::unavailable);
  }
  // Up to its end, whichever that is.
  EXPECT_EQ(reader_->execute("COMMIT").error().code, Errc::unavailable);
  EXPECT_EQ(count(*reader_), 0);
  for (const char* end : {"ROLLBACK", "BEGIN"}) {
    ASSERT_TRUE(reader_->execute("BEGIN").ok());
    EXPECT_EQ(count(*reader_), 0);
    auto slow = reader_->query("SELECT pg_sleep(60)");
    ASSERT_TRUE(slow.ok());
    terminate(*reader_);
    EXPECT_EQ(slow->next().error().code, Errc::unavailable);
    EXPECT_EQ(reader_->integer("SELECT count(*) FROM t").error().code, Errc::unavailable);
    EXPECT_TRUE(reader_->script(end).ok()) << end;
    EXPECT_EQ(count(*reader_), 0) << end;
  }
  EXPECT_TRUE(reader_->in_transaction());
}

TEST_F(PostgresTest, P5WhatIsStoppedBeginsNothingMoreUntilItGoesOn) {
  ASSERT_TRUE(reader_->execute("BEGIN").ok());
  EXPECT_EQ(count(*reader_), 0);
  reader_->stop();
  EXPECT_EQ(reader_->integer("SELECT count(*) FROM t").error().code, Errc::cancelled);
  EXPECT_EQ(reader_->execute("BEGIN").error().code, Errc::cancelled);
  EXPECT_TRUE(reader_->execute("COMMIT").ok());
  reader_->go_on();
  EXPECT_EQ(count(*reader_), 0);
}

// A cancel that comes late must not meet the statement after the one that it is for.
TEST_F(PostgresTest, P5ACancelMeetsNoOtherStatement) {
  for (int i = 0; i < 200; ++i) {
    auto slow = reader_->query(i % 2 == 0 ? "SELECT pg_sleep(0.001)" : "SELECT 1");
    ASSERT_TRUE(slow.ok());
    std::thread interrupts([&] { reader_->interrupt(); });
    const auto row = slow->next();
    interrupts.join();
    if (!row) {
      EXPECT_EQ(row.error().code, Errc::cancelled) << why(row);
    }
    { const Query ended = std::move(*slow); }
    ASSERT_EQ(reader_->integer("SELECT 5").value(), 5) << i;
  }
}

TEST_F(PostgresTest, AWriterThatMayOnlyReadLooksForAnotherServer) {
  script("SET default_transaction_read_only = on");
  const auto done = writer_->execute("INSERT INTO t VALUES (1, 'a')");
  EXPECT_EQ(done.error().code, Errc::unavailable) << why(done);
  EXPECT_TRUE(writer_->lost());
  ASSERT_TRUE(writer_->recover().ok());
  EXPECT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
}

TEST_F(PostgresTest, RowsThatDoNotArriveAreNotTheEnd) {
  script("INSERT INTO t SELECT x, repeat('x', 1000) || x FROM generate_series(1, 20000) x");
  auto rows = reader_->query("SELECT id, v FROM t");
  ASSERT_TRUE(rows.ok() && rows->next().value());
  terminate(*reader_);
  std::int64_t read = 1;
  base::Result<bool> row = true;
  while ((row = rows->next()) && *row) ++read;
  EXPECT_TRUE(!row.ok() || read == 20000);
}

TEST_F(PostgresTest, OneNodeWritesAtATimeAndKnowsWhetherAnotherHas) {
  auto other = open_writer({.statement_max = std::chrono::milliseconds(200)});
  ASSERT_NE(other, nullptr);
  const auto write = [](PostgresWriter& writer) {
    auto alone = writer.begin_turn();
    bool unknown = false;
    EXPECT_TRUE(alone.ok() && writer.commit(unknown).ok());
    return alone && *alone;
  };
  EXPECT_FALSE(write(*writer_));  // it does not know what was before
  EXPECT_TRUE(write(*writer_));
  EXPECT_FALSE(write(*other));
  EXPECT_FALSE(write(*writer_));
  EXPECT_TRUE(write(*writer_));

  ASSERT_TRUE(writer_->begin_turn().value());
  EXPECT_FALSE(other->begin_turn().ok());  // within its time
  ASSERT_TRUE(other->execute("ROLLBACK").ok());
  // What is rolled back was no turn.
  ASSERT_TRUE(writer_->execute("ROLLBACK").ok());
  EXPECT_TRUE(write(*writer_));
}

TEST_F(PostgresTest, TheSchemaIsChangedByANodeThatIsAlone) {
  script("DELETE FROM schema_versions WHERE version > 1; DROP TABLE write_turn; "
         "DROP TABLE appointments; DROP TABLE schedule_sync; DROP TABLE schedule_sync_marks; "
         "DROP INDEX records_unfit; DROP INDEX records_demographics; DROP INDEX alerts_subject; "
         "DROP TABLE subscriptions; "
         "DROP TABLE subscription_states; DROP TABLE subscription_marks; "
         "DROP VIEW shards; DROP TABLE chain_ends; CREATE TABLE shards (shard bigint PRIMARY KEY, "
         "position bigint NOT NULL, hash bytea NOT NULL) WITH (fillfactor = 20); "
         "INSERT INTO shards VALUES (3, 2, sha256('a')), (255, 1234567890123, sha256('b'))");
  const auto refused = PostgresWriter::open(place_.store(), {}, "store", random_);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_NE(refused.error().message.find("stop the others first"), std::string::npos)
      << why(refused);
  writer_.reset();
  writer_ = open_writer();
  ASSERT_NE(writer_, nullptr);
  EXPECT_EQ(writer_->integer("SELECT count(*) FROM shards").value(), 2);
  EXPECT_EQ(writer_->integer("SELECT position FROM shards WHERE shard = 3").value(), 2);
  EXPECT_EQ(writer_->integer("SELECT position FROM shards WHERE hash = sha256('b')").value(),
            1234567890123);
}

TEST_F(PostgresTest, NodesHearOfOneAnotherAndOneIsOnDuty) {
  constexpr base::Duration kWait = std::chrono::milliseconds(20);
  auto other = open_writer();
  auto one = PostgresNode::open(place_.store(), writer_->session());
  auto two = PostgresNode::open(place_.store(), other->session());
  ASSERT_TRUE(one.ok() && two.ok()) << why(one) << why(two);
  EXPECT_TRUE((*one)->wait(kWait, true).value().any());  // it has come on duty
  EXPECT_FALSE((*two)->wait(kWait, true).value().any());
  EXPECT_TRUE((*one)->on_duty() && !(*two)->on_duty());

  const auto commit = [&](std::initializer_list<News> news) {
    ASSERT_TRUE(writer_->begin_turn().ok());
    for (const News kind : news) writer_->tell(kind);
    bool unknown = false;
    ASSERT_TRUE(writer_->commit(unknown).ok());
  };
  commit({News::alerts, News::deliveries});
  Heard heard = (*two)->wait(std::chrono::seconds(5), true).value();
  EXPECT_TRUE(heard.alerts && heard.deliveries && !heard.tokens);
  EXPECT_FALSE((*one)->wait(kWait, true).value().any());  // its own
  commit({});
  EXPECT_FALSE((*two)->wait(kWait, true).value().any());

  // What it was told of once something holds; the server takes a moment to end a session.
  const auto once = [&](bool on_duty) {
    for (int i = 0; i < 500; ++i) {
      auto news = (*two)->wait(kWait, true);
      if (news && (*two)->on_duty() == on_duty) return *news;
      if (!news && !on_duty) return Heard{};
    }
    ADD_FAILURE() << "it did not come";
    return Heard{};
  };
  one->reset();
  EXPECT_TRUE(once(true).any());
  terminate(static_cast<PostgresConnection&>((*two)->connection()));
  (void)once(false);
  EXPECT_FALSE((*two)->on_duty());
  // It does not connect by itself: then it would hear nothing.
  EXPECT_FALSE((*two)->connection().integer("SELECT 1").ok());
  EXPECT_TRUE(once(true).any());
  commit({News::tokens});
  EXPECT_TRUE((*two)->wait(std::chrono::seconds(5), true).value().tokens);
  // Who cannot do it makes way.
  EXPECT_TRUE((*two)->wait(kWait, false).value().any());
  EXPECT_FALSE((*two)->on_duty());
}

TEST_F(PostgresTest, AWriterThatLostItsSessionSaysSoAndConnectsAnew) {
  ASSERT_TRUE(writer_->execute("BEGIN").ok());
  ASSERT_TRUE(writer_->execute("INSERT INTO t VALUES (1, 'a')").ok());
  terminate(*writer_);
  EXPECT_EQ(writer_->execute("SELECT 1").error().code, Errc::unavailable);
  EXPECT_TRUE(writer_->lost());
  EXPECT_EQ(writer_->execute("SELECT 1").error().code, Errc::unavailable);  // not by itself
  ASSERT_TRUE(writer_->recover().ok());
  EXPECT_FALSE(writer_->lost());
  EXPECT_EQ(count(*writer_), 0);
}

TEST_F(PostgresTest, AServerThatCannotBeReachedIsNamed) {
  const auto opened =
      PostgresConnection::open("postgresql://me:secret@127.0.0.1:1,127.0.0.1:2/x", {});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::unavailable);
  EXPECT_TRUE(opened.error().message.starts_with("postgresql://me@127.0.0.1,127.0.0.1:1,2/x: "))
      << why(opened);
  EXPECT_EQ(opened.error().message.find("secret"), std::string::npos);
}

TEST_F(PostgresTest, ASessionThatDoesNotWaitForTheDiskIsRefused) {
  writer_.reset();
  const auto opened =
      PostgresWriter::open(place_.store() + "%20-csynchronous_commit%3Doff", {}, "store", random_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, Errc::invalid);
  EXPECT_NE(opened.error().message.find("synchronous_commit = off"), std::string::npos);
}

TEST(PostgresUrl, FaultsAreTold) {
  for (const char* url : {"postgresql://h:x/d?nonsense=1", "postgresql://[::1/d"}) {
    const auto settings = parse_postgres_url(url);
    ASSERT_FALSE(settings.ok()) << url;
    EXPECT_EQ(settings.error().code, Errc::invalid);
  }
  const auto settings =
      parse_postgres_url("postgresql://me:pw@a:1,b:2/db?target_session_attrs=any").value();
  EXPECT_EQ(postgres_name(settings), "postgresql://me@a,b:1,2/db");
  for (const auto& [keyword, value] : with_defaults(settings, "-c jit=off")) {
    const std::string expected = keyword == "target_session_attrs" ? "any"
                                 : keyword == "connect_timeout"    ? "5"
                                 : keyword == "options"            ? "-c jit=off"
                                                                   : value;
    EXPECT_EQ(value, expected) << keyword;
  }
}

TEST(PostgresUrl, EachHostIsTriedByItself) {
  const struct {
    const char* url;
    std::vector<std::string> hosts;  // host:port:timeout
  } cases[] = {
      {"postgresql://a/d", {"a::"}},
      {"postgresql:///d", {"::"}},
      {"postgresql://a:1,b:2/d?connect_timeout=7", {"a:1:7", "b:2:7"}},
      {"postgresql:///d?host=/x,/y&port=5", {"/x:5:", "/y:5:"}},
      {"postgresql:///d?host=a,b,c&port=1,2", {"a,b,c:1,2:"}},  // libpq says what is wrong
  };
  for (const auto& one : cases) {
    std::vector<std::string> found;
    for (const auto& settings : hosts_of(parse_postgres_url(one.url).value())) {
      std::map<std::string, std::string> all(settings.begin(), settings.end());
      EXPECT_EQ(all["dbname"], "d") << one.url;
      found.push_back(all["host"] + ":" + all["port"] + ":" + all["connect_timeout"]);
    }
    EXPECT_EQ(found, one.hosts) << one.url;
  }
  const std::pair<const char*, int> limits[] = {{"", 60}, {"0", 60},   {"-1", 60}, {"1", 2},
                                                {"7", 7}, {"999", 60}, {"x", 60}};
  for (const auto& [text, seconds] : limits) {
    EXPECT_EQ(connect_max({{"connect_timeout", text}}), std::chrono::seconds(seconds)) << text;
  }
}

// As with a standby that takes its time: the one that asks takes as long, and is given it.
TEST_F(PostgresTest, P1ACommitThatTakesLongerThanItMayIsFoundAllTheSame) {
  script(
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); "
      "RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER slow AFTER INSERT OR UPDATE ON commit_marks "
      "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()");
  const auto hasty = open_writer({.commit_max = milliseconds(200)});
  ASSERT_TRUE(hasty->begin_turn().ok());
  ASSERT_TRUE(hasty->execute("INSERT INTO t VALUES (1, 'x')").ok());
  bool unknown = false;
  ASSERT_FALSE(hasty->commit(unknown).ok());
  ASSERT_TRUE(unknown);
  base::Result<bool> there = false;
  for (int attempt = 0; attempt < 5 && !(there.ok() && *there); ++attempt) {
    const auto back = hasty->recover();
    ASSERT_TRUE(back.ok()) << why(back);
    there = hasty->was_committed();
  }
  ASSERT_TRUE(there.ok()) << why(there);
  EXPECT_TRUE(*there);
  EXPECT_EQ(count(*hasty), 1);
}

}  // namespace
}  // namespace trialward::store
