// An open store of its own: a file, or a schema in PostgreSQL (tests/store_place.h).
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/random.h"
#include "model/study.h"
#include "store/store.h"
#include "tests/store_place.h"

namespace trialward::store {

// The words of a failure, for EXPECT_TRUE(x.ok()) << why(x); empty for a success.
template <class T>
std::string why(const base::Result<T>& result) {
  return result ? std::string() : result.error().message;
}

inline model::Study make_study(const std::string& id, const std::string& version = "1") {
  const std::string text = "[study]\nid = \"" + id + "\"\ntitle = \"T\"\nversion = \"" + version +
                           "\"\nenrol = \"first-record\"\n[[sites]]\nid = \"A\"\n"
                           "name = \"First\"\ntime_zone = \"UTC\"\ncountry = \"DEU\"\n";
  auto study = model::load_study(std::vector<model::DefinitionFile>{{"study.toml", text}});
  TW_CHECK(study.ok());
  return std::move(*study);
}

class StoreBench : public ::testing::Test {
 protected:
  void SetUp() override {
    TRIALWARD_NEEDS_STORE();
    reopen();
  }

  void reopen() {
    store_.reset();
    auto opened = Store::open(path(), random_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
  }

  std::string path() { return folder_.store(); }
  Writer& writer() { return store_->writer(); }
  Connection& connection() { return writer().connection(); }

  // Runs `body` in a transaction of its own and commits it.
  template <class Body>
  void commit(const Body& body) {
    ASSERT_TRUE(writer().begin().ok());
    body();
    const auto committed = writer().commit();
    ASSERT_TRUE(committed.ok()) << committed.error().message;
  }

  // What becomes of appended rows of a table: PostgreSQL is given them later.
  base::Status written(base::Status appended, const std::string& table) {
    if (!appended || !on_postgres()) return appended;
    const std::string sql = "SELECT count(*) FROM " + table;
    auto read = connection().integer(sql);
    return read ? base::Status() : base::Status(read.error());
  }
  // Where PostgreSQL takes nothing more in a transaction in which a statement failed.
  void begin_anew_on_postgres() {
    if (!on_postgres()) return;
    writer().rollback();
    ASSERT_TRUE(writer().begin().ok());
  }

  std::int64_t count(const std::string& sql) {
    auto number = connection().integer(sql);
    EXPECT_TRUE(number.ok()) << why(number);
    return number ? *number : -1;
  }

  StorePlace folder_;
  base::SeededRandom random_{1};
  std::unique_ptr<Store> store_;
};

}  // namespace trialward::store
