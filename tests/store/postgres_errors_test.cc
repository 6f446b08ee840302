#include "store/postgres_errors.h"

#include <gtest/gtest.h>

namespace trialward::store {
namespace {

using base::Errc;

TEST(PostgresErrors, TheServersFaultsAreNotTheSubmissions) {
  const struct {
    const char* state;
    Errc code;
  } cases[] = {
      {"23505", Errc::conflict},     // unique_violation
      {"23502", Errc::conflict},     // not_null_violation
      {"40001", Errc::retry},        // serialization_failure
      {"40P01", Errc::retry},        // deadlock_detected
      {"55P03", Errc::retry},        // lock_not_available
      {"57014", Errc::cancelled},    // query_canceled
      {"08006", Errc::unavailable},  // connection_failure
      {"25006", Errc::unavailable},  // read_only_sql_transaction
      {"25P03", Errc::unavailable},  // idle_in_transaction_session_timeout
      {"42501", Errc::unavailable},  // insufficient_privilege
      {"42P01", Errc::unavailable},  // undefined_table
      {"53100", Errc::unavailable},  // disk_full
      {"53200", Errc::unavailable},  // out_of_memory: not `refused`, which is another writer
      {"53300", Errc::unavailable},  // too_many_connections
      {"57P01", Errc::unavailable},  // admin_shutdown
      {"57P02", Errc::unavailable},  // crash_shutdown
      {"57P05", Errc::unavailable},  // idle_session_timeout
      {"58030", Errc::unavailable},  // io_error
      {"XX001", Errc::corrupt},      // data_corrupted
      {"XX002", Errc::corrupt},      // index_corrupted
      {"22021", Errc::invalid},      // character_not_in_repertoire
      {"22P05", Errc::invalid},      // untranslatable_character
      {"42601", Errc::invalid},      // syntax_error
      {"54000", Errc::invalid},      // program_limit_exceeded: a row too large for an index
      {"P0001", Errc::invalid},      // raise_exception, of somebody's trigger
      {"25P02", Errc::invalid},      // in_failed_sql_transaction
      {"XX000", Errc::invalid},      // internal_error
      {"ZZ999", Errc::invalid},      // what nobody thought of
      {"", Errc::invalid},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(errc_of_sqlstate(one.state), one.code) << one.state;
  }
}

TEST(PostgresErrors, WordsHaveNoLineEnds) {
  EXPECT_EQ(postgres_words("FATAL:  no\n"), "FATAL:  no");
  EXPECT_EQ(postgres_words(nullptr), "");
}

}  // namespace
}  // namespace trialward::store
