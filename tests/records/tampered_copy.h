// A copy of the sample store to be changed behind the program's back, and what can be changed in
// it: every column of every table, whatever the schema has.
#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "records/verify.h"
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

// A copy of the sample store, to be changed behind the program's back.
class Copy {
 public:
  explicit Copy(const std::string& original) : path_(folder_.file("copy.db")) {
    std::filesystem::copy_file(original, path_);
    auto opened = store::SqliteConnection::open(path_, store::SqliteMode::writer);
    TW_CHECK(opened.ok());
    connection_ = std::move(*opened);
    TW_CHECK(connection_->script("PRAGMA synchronous=OFF").ok());
  }
  store::Connection& connection() { return *connection_; }
  const std::string& path() const { return path_; }

  // False when a constraint of the schema forbids it, or there is nothing to change.
  bool change(const std::string& sql) {
    auto done = connection_->script(sql);
    EXPECT_TRUE(done.ok() || done.error().code == base::Errc::conflict) << sql << store::why(done);
    auto changes = connection_->integer("SELECT changes()");
    return done.ok() && changes.ok() && *changes > 0;
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
    auto report = records::verify(*connection_, options);
    EXPECT_TRUE(report.ok()) << store::why(report);
    return report && report->bad ? *report->bad : "";
  }

 private:
  TemporaryFolder folder_;
  const std::string path_;
  std::unique_ptr<store::SqliteConnection> connection_;
};

// A table as its attacker sees it.
struct TableShape {
  std::string name;
  std::vector<std::array<std::string, 3>> columns;  // name, type, "1" when it may not be NULL
  std::vector<std::string> key;
  std::vector<std::string> rows;       // "id = 3", in the order of the key
  std::vector<std::string> first_key;  // "3", of each row
  std::vector<std::string> last;       // of each row the last column
};

inline TableShape shape_of(store::Connection& connection, const std::string& name) {
  TableShape shape{.name = name};
  for (const auto& column : texts(connection, "PRAGMA table_info(" + name + ")")) {
    const bool is_key = column[5] != "0";
    shape.columns.push_back({column[1], column[2], is_key ? "1" : column[3]});
    if (is_key) shape.key.push_back(column[1]);
  }
  std::string quoted_key, order;
  for (const std::string& column : shape.key) {
    quoted_key += (quoted_key.empty() ? "quote(" : ", quote(") + column + ")";
    order += (order.empty() ? " ORDER BY " : ", ") + column;
  }
  const std::string last = ", quote(" + shape.columns.back()[0] + ")";
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
       texts(connection, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")) {
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
  if (type == "BLOB") {
    values = {"CAST(coalesce(" + name + ", x'') || x'01' AS BLOB)",
              "CAST(substr(" + name + ", 1, length(" + name + ") - 1) || x'00' AS BLOB)"};
  }
  if (not_null != "1") {
    const std::string empty = type == "TEXT" ? "''" : type == "BLOB" ? "x''" : "0";
    values.push_back("CASE WHEN " + name + " IS NULL THEN " + empty + " END");
  }
  return values;
}

}  // namespace trialward::records
