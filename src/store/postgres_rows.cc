#include <algorithm>
#include <utility>

#include "store/postgres_statement.h"
#include "store/postgres_writer.h"

namespace trialward::store {

using base::Result;
using base::Status;

namespace {

// What waits is sent when it is so much. A batch's go with its COMMIT.
constexpr std::size_t kRowsMax = 4096;
constexpr std::size_t kBytesMax = 4 << 20;

std::vector<std::string> split(std::string_view columns) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < columns.size();) {
    const std::size_t end = std::min(columns.find(", ", at), columns.size());
    names.emplace_back(columns.substr(at, end - at));
    at = end + 2;
  }
  return names;
}

// An array of the table's own rows is read faster than one array for each column: the server puts
// the rows of each of those by in a place of its own first.
std::string insert_of(const RowShape& shape, const std::vector<std::string>& names) {
  const std::string table(shape.table), columns(shape.columns);
  std::string sql = "INSERT INTO " + table + " (" + columns + ") SELECT " + columns +
                    " FROM unnest($1::" + table + "[])";
  if (shape.keys == 0) return sql;
  const auto keys = static_cast<std::size_t>(shape.keys);
  sql += " ON CONFLICT (";
  for (std::size_t i = 0; i < keys; ++i) sql += (i > 0 ? ", " : "") + names[i];
  sql += ") DO UPDATE SET ";
  for (std::size_t i = keys; i < names.size(); ++i) {
    sql += (i > keys ? ", " : "") + names[i] + " = excluded." + names[i];
  }
  return sql;
}

}  // namespace

Result<std::unique_ptr<PostgresRows>> PostgresRows::open(PostgresConnection& connection,
                                                         const RowShape& shape,
                                                         std::uint64_t table) {
  std::unique_ptr<PostgresRows> made(
      new PostgresRows(connection, shape, table));  // tidy(new): its constructor is not for all
  auto rows = connection.query(
      "SELECT a.attname::text, a.atttypid::bigint, t.oid::bigint, t.typarray::bigint "
      "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
      "JOIN pg_type t ON t.oid = c.reltype WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 "
      "AND NOT a.attisdropped ORDER BY a.attnum",
      {shape.table});
  if (!rows) return rows.error();
  const std::vector<std::string> names = split(shape.columns);
  made->types_.resize(names.size());
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) break;
    const auto found = std::find(names.begin(), names.end(), rows->text(0));
    const auto type = static_cast<postgres::Oid>(rows->integer(1));
    made->columns_.push_back({type, static_cast<std::size_t>(found - names.begin())});
    if (found != names.end()) made->types_[static_cast<std::size_t>(found - names.begin())] = type;
    made->row_type_ = static_cast<postgres::Oid>(rows->integer(2));
    made->array_type_ = static_cast<postgres::Oid>(rows->integer(3));
  }
  const bool known = std::all_of(made->types_.begin(), made->types_.end(), &postgres::is_stored);
  if (!known) {
    return base::Error{base::Errc::corrupt,
                       "the table " + std::string(shape.table) + " is not as it was made"};
  }
  made->insert_sql_ = insert_of(shape, names);
  return made;
}

Status PostgresRows::add(std::span<const SqlValue> row) {
  TW_CHECK(row.size() == types_.size());
  if (!appends()) {
    std::string key;
    for (int i = 0; i < shape_.keys; ++i) {
      postgres::append_value(key, row[static_cast<std::size_t>(i)]);
      key.push_back('\0');
    }
    // One statement cannot put two rows into one place.
    if (waits(key)) {
      if (auto done = write(); !done) return done;
    }
    ascending_ = ascending_ && (keys_.empty() || keys_.back() < key);
    keys_.push_back(std::move(key));
  }
  if (rows_ == 0) postgres::append_array_head(bytes_, row_type_);
  for (std::size_t i = 0; i < row.size(); ++i) TW_CHECK(postgres::fits(row[i], types_[i]));
  {
    postgres::RowOfArray to(bytes_, columns_.size());
    for (const Column& column : columns_) {
      to.add(column.type, column.place < row.size() ? row[column.place] : SqlValue{});
    }
  }
  ++rows_;
  return rows_ < kRowsMax && bytes_.size() < kBytesMax ? Status() : send();
}

bool PostgresRows::waits(const std::string& key) const {
  if (ascending_ && (keys_.empty() || keys_.back() < key)) return false;
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

Status PostgresRows::write() {
  auto done = send();
  return done ? settle() : done;
}

Result<PostgresStatement*> PostgresRows::encode() {
  if (rows_ == 0) return static_cast<PostgresStatement*>(nullptr);
  postgres::set_array_size(bytes_, rows_);
  array_.swap(bytes_);
  clear();  // the statement names the table, and so would have them written first
  const PostgresStatement::Encoded parameter{array_type_, array_};
  auto statement = connection_.statement_of(insert_sql_);
  if (!statement) return statement;
  if (auto done = (*statement)->encode(std::span(&parameter, 1)); !done) return done.error();
  return statement;
}

Status PostgresRows::send() {
  // First: what is under way may refer to what an INSERT is made of.
  if (auto ready = connection_.about_to_run({}); !ready) return ready;
  auto insert = encode();
  if (!insert || *insert == nullptr) return insert ? Status() : Status(insert.error());
  auto done = (*insert)->send();
  if (done) {
    sent_ = *insert;
  } else {
    (*insert)->reset();
  }
  return done;
}

Status PostgresRows::settle() {
  PostgresStatement* const insert = std::exchange(sent_, nullptr);
  if (insert == nullptr) return {};
  const auto row = insert->step();
  insert->reset();
  return row ? Status() : Status(row.error());
}

void PostgresRows::clear() {
  bytes_.clear();
  keys_.clear();
  ascending_ = true;
  rows_ = 0;
}

void PostgresRows::drop() {
  clear();
  (void)settle();
}

}  // namespace trialward::store
