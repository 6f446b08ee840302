// Where a test has its stores: in files of a temporary folder, or, if the environment has
// TRIALWARD_TEST_STORE=postgres, in schemas of the PostgreSQL server at TRIALWARD_POSTGRES
// (tests/postgres.py), which go with their owner. So one test program is run for both.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <regex>
#include <string>

#include "store/postgres.h"
#include "tests/temporary_folder.h"

namespace trialward {

inline std::string test_environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}
inline bool on_postgres() { return test_environment("TRIALWARD_TEST_STORE") == "postgres"; }

// SQL of a test in the database's own words: CAST of bytes to TEXT, and of a text to BLOB.
inline std::string test_sql(std::string sql) {
  if (!on_postgres()) return sql;
  static const std::regex kToText("CAST\\((\\w+) AS TEXT\\)");
  static const std::regex kToBytes("CAST\\(('\\w[^']*') AS BLOB\\)");
  sql = std::regex_replace(sql, kToText, "convert_from($1, 'UTF8')");
  return std::regex_replace(sql, kToBytes, "$1::bytea");
}

class StorePlace {
 public:
  StorePlace() = default;
  ~StorePlace() {
    for (const auto& [name, schema] : schemas_) {
      auto connection = store::PostgresConnection::open(server(), {.writes = true});
      TW_CHECK(connection.ok());
      TW_CHECK((*connection)->script("DROP SCHEMA IF EXISTS " + schema + " CASCADE").ok());
    }
  }
  StorePlace(const StorePlace&) = delete;
  StorePlace& operator=(const StorePlace&) = delete;

  static std::string server() { return test_environment("TRIALWARD_POSTGRES"); }

  // What Store::open takes: a file's path, or a URL.
  std::string store(const std::string& name = "s") {
    if (!on_postgres()) return folder_.file(name + ".db");
    ::setenv("TRIALWARD_STATE", folder_.file("state").c_str(), 1);
    std::string& schema = schemas_[name];
    if (schema.empty()) {
      schema = "test_";
      for (const char c : folder_.file("").substr(folder_.file("").rfind('-'))) {
        const int number = static_cast<unsigned char>(c);
        if (std::isalnum(number) != 0) schema += std::to_string(number);
      }
      schema += "_" + name;
    }
    return server() + "&options=-csearch_path%3D" + schema;
  }
  std::string file(const std::string& name) const { return folder_.file(name); }

 private:
  TemporaryFolder folder_;
  std::map<std::string, std::string> schemas_;
};

}  // namespace trialward

// At the start of a test's SetUp or body. Skips it by name when its store cannot be had.
#define TRIALWARD_NEEDS_STORE()                                                       \
  if (::trialward::on_postgres() && ::trialward::StorePlace::server().empty()) {      \
    GTEST_SKIP() << "there is no PostgreSQL server (TRIALWARD_POSTGRES)";             \
  }                                                                                   \
  static_assert(true)
// Of a test that is about SQLite's files.
#define TRIALWARD_SQLITE_ONLY()                                                       \
  if (::trialward::on_postgres()) GTEST_SKIP() << "it is about SQLite's files";       \
  static_assert(true)
