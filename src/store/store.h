// A store: the database file at PATH and what lies beside it (PATH.lock, PATH.sock, PATH.heads).
// Whoever has a Store open is its one writer. Readers are connections of their own, which never
// block the writer.
#pragma once

#include <memory>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "store/lock.h"
#include "store/sqlite.h"
#include "store/store_path.h"
#include "store/writer.h"

namespace trialward::store {

class Store {
 public:
  // Takes the lock, makes or migrates the schema. Errors: those of real_store_path, refused
  // (another process holds it), unavailable, corrupt.
  static base::Result<std::unique_ptr<Store>> open(const std::string& given,
                                                   base::Random& random);
  ~Store();

  // The real one.
  const std::string& path() const { return path_; }
  Writer& writer() { return *writer_; }
  // Any thread.
  base::Result<std::unique_ptr<SqliteConnection>> open_reader() const {
    return SqliteConnection::open(path_, SqliteMode::reader);
  }

 private:
  Store(std::string path, StoreLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  StoreLock lock_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace trialward::store
