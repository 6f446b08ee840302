#include <algorithm>
#include <utility>

#include "store/postgres_statement.h"
#include "store/postgres_writer.h"

namespace trialward::store {

using base::Result;
using base::Status;

namespace {

// What waits is sent when it is so much. Narrow rows, as those of the audit trail that come with
// every other, are sent with another row than wide ones: a send waits for the one before it.
constexpr std::size_t kWideColumns = 16;
constexpr std::size_t kWideRowsMax = 512;
constexpr std::size_t kRowsMax = 512;
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

std::string_view type_name(postgres::Oid type) {
  switch (type) {
    case postgres::kInt8:
      return "bigint";
    case postgres::kFloat8:
      return "double precision";
    case postgres::kText:
      return "text";
    default:
      return "bytea";
  }
}

std::string insert_of(const RowShape& shape, const std::vector<std::string>& names,
                       const std::vector<postgres::Oid>& types) {
  const std::string columns(shape.columns);
  std::string sql =
      "INSERT INTO " + std::string(shape.table) + " (" + columns + ") SELECT * FROM unnest(";
  for (std::size_t i = 0; i < types.size(); ++i) {
    sql += (i > 0 ? ", $" : "$") + std::to_string(i + 1) + "::";
    sql += std::string(type_name(types[i])) + "[]";
  }
  sql += ")";
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
      "SELECT a.attname::text, a.atttypid::bigint FROM pg_attribute a "
      "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped",
      {shape.table});
  if (!rows) return rows.error();
  const std::vector<std::string> names = split(shape.columns);
  made->types_.resize(names.size());
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) break;
    const auto name = std::find(names.begin(), names.end(), rows->text(0));
    if (name == names.end()) continue;
    made->types_[static_cast<std::size_t>(name - names.begin())] =
        static_cast<postgres::Oid>(rows->integer(1));
  }
  for (const postgres::Oid type : made->types_) {
    if (postgres::array_of(type) == postgres::kAny) {
      return base::Error{base::Errc::corrupt,
                         "the table " + std::string(shape.table) + " is not as it was made"};
    }
    made->columns_.emplace_back(type);
  }
  made->insert_sql_ = insert_of(shape, names, made->types_);
  made->copy_sql_ = "COPY " + std::string(shape.table) + " (" + std::string(shape.columns) +
                    ") FROM STDIN (FORMAT binary)";
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
  if (bytes_.empty()) bytes_ = postgres::copy_head();
  postgres::append_row_head(bytes_, row.size());
  for (std::size_t i = 0; i < row.size(); ++i) {
    TW_CHECK(postgres::fits(row[i], types_[i]));
    postgres::append_field(bytes_, row[i]);
  }
  ++rows_;
  const std::size_t rows_max = types_.size() >= kWideColumns ? kWideRowsMax : kRowsMax;
  return rows_ < rows_max && bytes_.size() < kBytesMax ? Status() : send();
}

bool PostgresRows::waits(const std::string& key) const {
  if (ascending_ && (keys_.empty() || keys_.back() < key)) return false;
  return std::find(keys_.begin(), keys_.end(), key) != keys_.end();
}

Status PostgresRows::write() {
  auto done = send();
  return done ? settle() : done;
}

Status PostgresRows::send_many() { return many() ? send() : Status(); }

std::optional<PostgresRows::Copy> PostgresRows::take_many() {
  if (!many()) return std::nullopt;
  bytes_.append(postgres::copy_end());
  Copy copy{.sql = &copy_sql_, .data = std::move(bytes_)};
  clear();
  return copy;
}

Result<PostgresStatement*> PostgresRows::encode() {
  if (rows_ == 0) return static_cast<PostgresStatement*>(nullptr);
  for (postgres::Array& column : columns_) column.clear();
  std::string_view rows = bytes_;
  rows.remove_prefix(postgres::copy_head().size());
  while (!rows.empty()) {
    postgres::take_row_head(rows);
    for (postgres::Array& column : columns_) column.add_field(postgres::take_field(rows));
  }
  clear();  // the statement names the table, and so would have them written first
  std::vector<PostgresStatement::Encoded> parameters;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    parameters.push_back({postgres::array_of(types_[i]), columns_[i].finish()});
  }
  auto statement = connection_.statement_of(insert_sql_);
  if (!statement) return statement;
  if (auto done = (*statement)->encode(parameters); !done) return done.error();
  return statement;
}

Status PostgresRows::send() {
  // First: what is under way may refer to what an INSERT is made of.
  if (auto ready = connection_.about_to_run({}); !ready) return ready;
  if (const auto copy = take_many()) {
    auto done = connection_.send_copy(copy_sql_, copy->data);
    copy_sent_ = done.ok();
    return done;
  }
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
  if (std::exchange(copy_sent_, false)) return connection_.await_end();
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
