#include "store/postgres_statement.h"

#include <libpq-fe.h>

#include <algorithm>
#include <utility>

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using postgres::Oid;

namespace {

// A text is used with NULL in one place or another; more than that is a fault of the program.
constexpr std::size_t kVariantsMax = 32;
constexpr std::size_t kParameterBytesMax = std::size_t{512} << 20;  // of one parameter

}  // namespace

PostgresStatement::PostgresStatement(PostgresConnection& connection, std::string sql,
                                     std::uint64_t tables)
    : connection_(connection), sql_(std::move(sql)), row_(nullptr, &PQclear) {
  kind_.begins = sql_.starts_with("BEGIN");
  kind_.commits = sql_ == "COMMIT";
  kind_.rolls_back = sql_.starts_with("ROLLBACK");
  set_tables(tables);
}

void PostgresStatement::set_tables(std::uint64_t tables) {
  const bool ends_part = sql_.starts_with("SAVEPOINT") || sql_.starts_with("RELEASE");
  kind_.tables = ends_part || kind_.commits ? ~std::uint64_t{0} : tables;
}

Status PostgresStatement::describe(Variant& variant) {
  if (PQsendDescribePrepared(connection_.connection_, variant.name.c_str()) == 0) {
    return connection_.lost_error();
  }
  while (true) {
    auto result = connection_.next_result(PostgresConnection::Patience::cancels);
    if (!result) return result.error();
    if (*result == nullptr) return {};
    for (int i = 0; i < PQnparams(result->get()); ++i) {
      variant.types[static_cast<std::size_t>(i)] = PQparamtype(result->get(), i);
    }
  }
}

Result<PostgresStatement::Variant> PostgresStatement::make_variant(std::span<const Oid> types) {
  Variant variant{.name = "s" + std::to_string(++connection_.statement_number_),
                  .types = {types.begin(), types.end()}};
  if (PQsendPrepare(connection_.connection_, variant.name.c_str(), sql_.c_str(),
                    static_cast<int>(types.size()), types.data()) == 0) {
    return connection_.lost_error();
  }
  while (true) {
    auto result = connection_.next_result(PostgresConnection::Patience::cancels);
    if (!result) return result.error();
    if (*result == nullptr) break;
  }
  if (std::find(types.begin(), types.end(), postgres::kAny) == types.end()) return variant;
  if (auto done = describe(variant); !done) return done.error();
  return variant;
}

bool PostgresStatement::takes(const Variant& variant, std::span<const Oid> types) {
  return std::equal(
      types.begin(), types.end(), variant.types.begin(), variant.types.end(),
      [](Oid given, Oid wanted) { return given == postgres::kAny || given == wanted; });
}

Result<const PostgresStatement::Variant*> PostgresStatement::variant_for(
    std::span<const Oid> types) {
  using Found = Result<const Variant*>;
  if (connected_ != connection_.connected_) {
    variants_.clear();
    connected_ = connection_.connected_;
  }
  for (const Variant& variant : variants_) {
    if (takes(variant, types)) return Found(&variant);
  }
  TW_CHECK(variants_.size() < kVariantsMax);
  auto made = make_variant(types);
  if (!made) return made.error();
  return Found(&variants_.emplace_back(std::move(*made)));
}

Status PostgresStatement::send() {
  may_repeat_ = false;
  Status sent = send_once();
  if (!sent && may_repeat_ && connection_.may_repeat()) {
    kept_error_.reset();
    sent = send_once();
  }
  return sent;
}

Status PostgresStatement::send_once() {
  if (auto ready = connection_.about_to_run(kind_); !ready) return ready;
  if (auto taken = connection_.take_over(nullptr); !taken) return taken;
  may_repeat_ = connection_.connects_by_itself() && !connection_.in_transaction();
  auto variant = variant_for(types_);
  if (!variant) return variant.error();
  connection_.commit_sent_ = kind_.commits;
  if (!queue(**variant)) return connection_.lost_error();
  PQsetSingleRowMode(connection_.connection_);
  connection_.streaming_ = this;
  return connection_.flush(patience());
}

bool PostgresStatement::queue(const Variant& variant) {
  const std::vector<int> formats(types_.size(), 1);
  return PQsendQueryPrepared(connection_.connection_, variant.name.c_str(),
                             static_cast<int>(types_.size()), values_.data(), lengths_.data(),
                             formats.data(), 1) != 0;
}

Status PostgresStatement::bind(std::span<const SqlValue> parameters) {
  auto encoded = encode(parameters);
  return encoded ? send() : encoded;
}

Status PostgresStatement::encode(std::span<const SqlValue> parameters) {
  begin();
  std::vector<std::size_t> places;
  for (const SqlValue& value : parameters) {
    types_.push_back(postgres::type_of(value));
    places.push_back(bytes_.size());
    postgres::append_value(bytes_, value);
    const std::size_t length = bytes_.size() - places.back();
    if (length > kParameterBytesMax) return Error{Errc::invalid, "a value is too large"};
    lengths_.push_back(static_cast<int>(length));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    values_.push_back(parameters[i].index() == 0 ? nullptr : bytes_.data() + places[i]);
  }
  return {};
}

Status PostgresStatement::encode(std::span<const Encoded> parameters) {
  begin();
  for (const Encoded& one : parameters) {
    if (one.bytes.size() > kParameterBytesMax) return Error{Errc::invalid, "a value is too large"};
    types_.push_back(one.type);
    values_.push_back(one.bytes.data());
    lengths_.push_back(static_cast<int>(one.bytes.size()));
  }
  return {};
}

void PostgresStatement::begin() {
  kept_.clear();
  kept_error_.reset();
  bytes_.clear();
  types_.clear();
  values_.clear();
  lengths_.clear();
}

Result<PostgresStatement::ResultPointer> PostgresStatement::arriving() {
  const auto ended = [this] {
    connection_.streaming_ = nullptr;
    return ResultPointer(nullptr, &PQclear);
  };
  while (true) {
    auto result = connection_.next_result(patience());
    const bool again = std::exchange(may_repeat_, false);
    if (!result) {
      (void)ended();
      if (!again || !connection_.may_repeat()) return result.error();
      kept_error_.reset();
      if (auto sent = send(); !sent) return sent.error();
      may_repeat_ = false;
      continue;
    }
    if (*result == nullptr) return ended();
    if (PQresultStatus(result->get()) == PGRES_SINGLE_TUPLE) return std::move(*result);
  }
}

Status PostgresStatement::keep_rest() {
  while (connection_.streaming_ == this) {
    auto row = arriving();
    if (!row) {
      kept_error_ = row.error();
      return {};  // of this statement, and told to whoever reads it
    }
    if (*row != nullptr) kept_.push_back(std::move(*row));
  }
  return {};
}

Result<bool> PostgresStatement::step() {
  row_.reset();
  if (!kept_.empty()) {
    row_ = std::move(kept_.front());
    kept_.pop_front();
    return true;
  }
  if (kept_error_) return *kept_error_;
  if (connection_.streaming_ != this) return false;
  auto row = arriving();
  if (!row) return row.error();
  row_ = std::move(*row);
  return row_ != nullptr;
}

int PostgresStatement::columns() const { return row_ == nullptr ? 0 : PQnfields(row_.get()); }

SqlValue PostgresStatement::column(int index) const {
  if (row_ == nullptr || PQgetisnull(row_.get(), 0, index) != 0) return std::monostate{};
  const auto length = static_cast<std::size_t>(PQgetlength(row_.get(), 0, index));
  return postgres::decode(PQftype(row_.get(), index), {PQgetvalue(row_.get(), 0, index), length});
}

void PostgresStatement::break_off() {
  kept_error_ = Error{Errc::unavailable, connection_.name() + ": the connection was lost"};
}

void PostgresStatement::reset() {
  row_.reset();
  kept_.clear();
  kept_error_.reset();
  if (connection_.streaming_ != this) return;
  connection_.streaming_ = nullptr;
  (void)connection_.await_end();
}

}  // namespace trialward::store
