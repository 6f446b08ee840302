#include "store/connection.h"

namespace trialward::store {
namespace {

template <class T>
T value_or(const SqlValue& value, T otherwise) {
  const T* held = std::get_if<T>(&value);
  return held != nullptr ? *held : otherwise;
}

}  // namespace

Query::~Query() {
  if (statement_ == nullptr) return;
  statement_->reset();
  statement_->in_use = false;
}

bool Query::null(int column) const { return value(column).index() == 0; }
std::int64_t Query::integer(int column) const { return value_or<std::int64_t>(value(column), 0); }
double Query::real(int column) const { return value_or<double>(value(column), 0); }
std::string_view Query::text(int column) const {
  return value_or<std::string_view>(value(column), {});
}
std::string_view Query::blob(int column) const { return value_or<Blob>(value(column), {}).bytes; }

base::Result<Statement*> Connection::prepare_on(Connection& other, std::string_view sql) {
  if (other.stopped() && sql != "COMMIT" && !sql.starts_with("ROLLBACK")) {
    return base::Error{base::Errc::cancelled, "stopped before it began"};
  }
  return other.prepare(sql);
}

base::Result<Query> Connection::query(std::string_view sql,
                                      std::span<const SqlValue> parameters) {
  auto statement = prepare_on(*this, sql);
  if (!statement) return statement.error();
  TW_CHECK(!(*statement)->in_use);
  if (auto bound = (*statement)->bind(parameters); !bound) return bound.error();
  (*statement)->in_use = true;
  return Query(**statement);
}

base::Status Connection::execute(std::string_view sql, std::span<const SqlValue> parameters) {
  auto run = query(sql, parameters);
  if (!run) return run.error();
  while (true) {
    auto row = run->next();
    if (!row) return row.error();
    if (!*row) return {};
  }
}

base::Result<std::int64_t> Connection::integer(std::string_view sql,
                                               std::initializer_list<SqlValue> parameters) {
  auto run = query(sql, parameters);
  if (!run) return run.error();
  auto row = run->next();
  if (!row) return row.error();
  if (!*row) return base::Error{base::Errc::not_found, "no row"};
  return run->integer(0);
}

}  // namespace trialward::store
