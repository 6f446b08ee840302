// A statement of a PostgresConnection: one SQL text. It is prepared on the server for the types of
// its parameters; as NULL has none, those of its first use, and what the server makes of the rest.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/postgres.h"

namespace trialward::store {

class PostgresStatement final : public Statement {
 public:
  PostgresStatement(PostgresConnection& connection, std::string sql, std::uint64_t tables);

  const std::string& sql() const { return sql_; }
  void set_tables(std::uint64_t tables);
  base::Status bind(std::span<const SqlValue> parameters) override;
  base::Result<bool> step() override;
  int columns() const override;
  SqlValue column(int index) const override;
  void reset() override;

  // With parameters that are encoded already.
  struct Encoded {
    postgres::Oid type = postgres::kAny;
    std::string_view bytes;
  };
  // For PostgresConnection::run_together(), which sends them. The bytes live until then.
  base::Status encode(std::span<const SqlValue> parameters);
  base::Status encode(std::span<const Encoded> parameters);

  // Keeps what is still to arrive, so that the connection is free.
  base::Status keep_rest();
  // The connection is gone: what is still to arrive does not.
  void break_off();

 private:
  friend class PostgresConnection;
  friend class PostgresRows;
  using ResultPointer = PostgresConnection::ResultPointer;
  using Variant = PostgresStatementVariant;
  PostgresConnection::Patience patience() const {
    using enum PostgresConnection::Patience;
    return kind_.commits ? commits : cancels;
  }
  void begin();
  // Whether it takes parameters of these types; kAny for NULL.
  static bool takes(const Variant& variant, std::span<const postgres::Oid> types);
  base::Result<const Variant*> variant_for(std::span<const postgres::Oid> types);
  base::Result<Variant> make_variant(std::span<const postgres::Oid> types);
  base::Status describe(Variant& variant);
  // What is in types_, values_ and lengths_.
  base::Status send();
  base::Status send_once();
  // Whether libpq took them: sent with the next flush.
  bool queue(const Variant& variant);
  // The next row as it arrives; null at the end.
  base::Result<ResultPointer> arriving();

  PostgresConnection& connection_;
  const std::string sql_;
  PostgresConnection::StatementKind kind_;
  std::uint64_t connected_ = 0;  // the connection that `variants_` are of
  std::deque<Variant> variants_;
  std::string bytes_;  // the parameters, as they are sent
  std::vector<postgres::Oid> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_;
  bool may_repeat_ = false;  // should the connection be found lost before a row has arrived
  std::deque<ResultPointer> kept_;
  std::optional<base::Error> kept_error_;
  ResultPointer row_;
};

}  // namespace trialward::store
