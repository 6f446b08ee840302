// A copy of the sample store to be changed behind the program's back, and what can be changed in
// it: every column of every table, whatever the schema has.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "records/verify.h"
#include "store/postgres.h"
#include "store/sqlite.h"
#include "tests/records/sample_store.h"

namespace trialward::records {

// Rows of one query, as texts.
inline std::vector<std::vector<std::string>> texts(store::Connection& connection,
                                                   const std::string& sql) {
  std::vector<std::vector<std::string>> all;
  auto rows = connection.query(sql);
  TW_CHECK(rows.ok());
  while (true) {
    auto row = rows->next();
    TW_CHECK(row.ok());
    if (!*row) return all;
    all.emplace_back();
    for (int i = 0; i < rows->columns(); ++i) {
      const store::SqlValue value = rows->value(i);
      const auto* number = std::get_if<std::int64_t>(&value);
      all.back().push_back(number != nullptr ? std::to_string(*number)
                                             : std::string(rows->text(i)));
    }
  }
}

// Transactions within another one, of whoever begins his own.
class NestedTransaction final : public store::Connection {
 public:
  explicit NestedTransaction(store::Connection& outer) : outer_(outer) {}
  base::Status script(const std::string& sql) override {
    constexpr std::string_view kBegin = "BEGIN READ WRITE;";
    if (sql.starts_with(kBegin)) {
      return outer_.script("SAVEPOINT nested;" + sql.substr(kBegin.size()));
    }
    return outer_.script(sql == "ROLLBACK" ? "ROLLBACK TO nested; RELEASE nested" : sql);
  }
  void release_memory() override { outer_.release_memory(); }
  void interrupt() override { outer_.interrupt(); }
  bool is_postgres() const override { return true; }

 protected:
  base::Result<store::Statement*> prepare(std::string_view sql) override {
    return prepare_on(outer_, sql == "BEGIN"    ? "SAVEPOINT nested"
                              : sql == "COMMIT" ? "RELEASE nested"
                                                : sql);
  }

 private:
  store::Connection& outer_;
};

// A copy of a store, to be changed behind the program's back: of the file, or in PostgreSQL a
// transaction that is not committed.
class Copy {
 public:
  explicit Copy(const std::string& original) : path_(folder_.file("copy.db")) {
    if (on_postgres()) {
      auto opened = store::PostgresConnection::open(original, {.writes = true});
      TW_CHECK(opened.ok());
      opened_ = std::move(*opened);
      TW_CHECK(opened_->script("BEGIN").ok());
      nested_ = std::make_unique<NestedTransaction>(*opened_);
      return;
    }
    std::filesystem::copy_file(original, path_);
    auto opened = store::SqliteConnection::open(path_, store::SqliteMode::writer);
    TW_CHECK(opened.ok());
    opened_ = std::move(*opened);
    TW_CHECK(opened_->script("PRAGMA synchronous=OFF").ok());
  }
  store::Connection& connection() { return nested_ ? *nested_ : *opened_; }
  const std::string& path() const { return path_; }

  // False when a constraint of the schema forbids it, or there is nothing to change.
  bool change(const std::string& sql) {
    const std::int64_t before = changes();
    auto done = on_postgres() ? opened_->script("SAVEPOINT before;" + sql) : opened_->script(sql);
    EXPECT_TRUE(done.ok() || done.error().code == base::Errc::conflict) << sql << store::why(done);
    if (!done && on_postgres()) TW_CHECK(opened_->script("ROLLBACK TO before").ok());
    return done.ok() && changes() > before;
  }

  // The first bad entry; "" when there is none.
  std::string verify(const std::string& heads = {}) {
    VerifyOptions options{.load_monitor = load_hundred};
    std::unique_ptr<HeadReader> reader;
    if (!heads.empty()) {
      auto opened = HeadReader::open(heads, SampleStore::get().key());
      TW_CHECK(opened.ok());
      reader = std::move(*opened);
      options.heads = reader.get();
    }
    auto report = records::verify(connection(), options);
    EXPECT_TRUE(report.ok()) << store::why(report);
    return report && report->bad ? *report->bad : "";
  }

 private:
  // Rows that have been changed by now.
  std::int64_t changes() {
    auto counted = opened_->integer(on_postgres() ? "SELECT coalesce(sum(n_tup_ins + n_tup_upd + "
                                                    "n_tup_del), 0)::bigint "
                                                    "FROM pg_stat_xact_user_tables"
                                                  : "SELECT total_changes()");
    TW_CHECK(counted.ok());
    return *counted;
  }

  TemporaryFolder folder_;
  const std::string path_;
  std::unique_ptr<store::Connection> opened_;
  std::unique_ptr<NestedTransaction> nested_;
};

// A table as its attacker sees it.
struct TableShape {
  std::string name;
  // Name, type in SQLite's words, "1" when it may not be NULL.
  std::vector<std::array<std::string, 3>> columns;
  std::vector<std::string> key;
  std::vector<std::string> rows;       // "id = 3", in the order of the key
  std::vector<std::string> first_key;  // "3", of each row
  std::vector<std::string> last;       // of each row the last column
};

// Name, type, whether it may not be NULL, whether it belongs to the key: of each column.
inline std::vector<std::vector<std::string>> columns_of(store::Connection& connection,
                                                        const std::string& table) {
  if (!on_postgres()) {
    return texts(connection,
                 "SELECT name, type, \"notnull\", pk > 0 FROM pragma_table_info('" + table + "')");
  }
  return texts(connection,
               "SELECT a.attname::text, CASE a.atttypid WHEN 'bigint'::regtype THEN 'INTEGER' "
               "WHEN 'bytea'::regtype THEN 'BLOB' WHEN 'text'::regtype THEN 'TEXT' "
               "ELSE 'REAL' END, a.attnotnull::int::bigint, "
               "coalesce((a.attnum = ANY (x.indkey))::int, 0)::bigint "
               "FROM pg_attribute a LEFT JOIN pg_index x ON x.indrelid = a.attrelid "
               "AND x.indisprimary WHERE a.attrelid = '" +
                   table + "'::regclass AND a.attnum > 0 ORDER BY a.attnum");
}

inline TableShape shape_of(store::Connection& connection, const std::string& name) {
  TableShape shape{.name = name};
  for (const auto& column : columns_of(connection, name)) {
    const bool is_key = column[3] != "0";
    shape.columns.push_back({column[0], column[1], is_key ? "1" : column[2]});
    if (is_key) shape.key.push_back(column[0]);
  }
  // A column's value as SQL has it.
  const auto quoted = [](const std::array<std::string, 3>& column) {
    if (column[1] == "INTEGER") return column[0];
    return (on_postgres() ? "quote_nullable(" : "quote(") + column[0] + ")";
  };
  std::string quoted_key, order;
  for (const auto& column : shape.columns) {
    if (std::find(shape.key.begin(), shape.key.end(), column[0]) == shape.key.end()) continue;
    quoted_key += (quoted_key.empty() ? "" : ", ") + quoted(column);
    order += (order.empty() ? " ORDER BY " : ", ") + column[0];
  }
  const std::string last = ", " + quoted(shape.columns.back());
  for (const auto& row :
       texts(connection, "SELECT " + quoted_key + last + " FROM " + name + order)) {
    std::string where;
    for (std::size_t i = 0; i < shape.key.size(); ++i) {
      where += (i > 0 ? " AND " : "") + shape.key[i] + " = " + row[i];
    }
    shape.rows.push_back(where);
    shape.first_key.push_back(row[0]);
    shape.last.push_back(row.back());
  }
  return shape;
}

inline std::vector<std::string> all_table_names(store::Connection& connection) {
  std::vector<std::string> names;
  for (const auto& row :
       texts(connection, on_postgres()
                             ? "SELECT tablename::text FROM pg_tables "
                               "WHERE schemaname = current_schema() ORDER BY 1"
                             : "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")) {
    names.push_back(row[0]);
  }
  return names;
}

inline bool audited(const std::string& table) {
  for (const store::Table known : store::all_tables()) {
    if (store::info(known).name == table) return true;
  }
  return false;
}

// What must be named when this row is not as written: of an audited row, its audit entry.
inline std::string expected_name(store::Connection& connection, const std::string& table,
                                 const std::string& row) {
  const auto one = [&](const std::string& sql) { return texts(connection, sql).at(0).at(0); };
  const std::string from = " FROM " + table + " WHERE " + row;
  if (table == "audit") return "audit entry " + one("SELECT seq" + from);
  if (table == "meta") return "meta: ";
  if (table == "shards") return "the end of audit chain " + one("SELECT shard" + from);
  if (table == "subject_states" || table == "subject_watches" || table == "subject_dues") {
    return "the state of subject " + one("SELECT subject" + from);
  }
  if (table == "alert_heads") return "the last alert event of study " + one("SELECT study" + from);
  if (table == "outbox") return "delivery of alert event";
  if (table == "outbox_counts") return "outbox_counts, target 'desk";
  if (!audited(table)) return "alert " + one("SELECT alert" + from);
  return "audit entry " +
         one("SELECT seq FROM audit WHERE object_table = '" + table +
             "' AND object = " + one("SELECT id" + from)) +
         " (";
}

// SET expressions, each of which gives a column another value than it has.
inline std::vector<std::string> other_values(const std::array<std::string, 3>& column) {
  const auto& [name, type, not_null] = column;
  std::vector<std::string> values;
  if (type == "INTEGER") values = {"coalesce(" + name + ", 0) + 1000000"};
  if (type == "REAL") values = {"coalesce(" + name + ", 0) + 0.5"};
  if (type == "TEXT") values = {"coalesce(" + name + ", '') || 'x'"};
  if (type == "BLOB" && on_postgres()) {
    values = {"coalesce(" + name + ", '') || '\\x01'",
              "substr(" + name + ", 1, greatest(length(" + name + ") - 1, 0)) || '\\x00'"};
  } else if (type == "BLOB") {
    values = {"CAST(coalesce(" + name + ", x'') || x'01' AS BLOB)",
              "CAST(substr(" + name + ", 1, length(" + name + ") - 1) || x'00' AS BLOB)"};
  }
  if (not_null != "1") {
    const bool is_text = type == "TEXT" || (type == "BLOB" && on_postgres());
    const std::string empty = is_text ? "''" : type == "BLOB" ? "x''" : "0";
    values.push_back("CASE WHEN " + name + " IS NULL THEN " + empty + " END");
  }
  return values;
}

}  // namespace trialward::records
