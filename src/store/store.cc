#include "store/store.h"

#include <sys/stat.h>

#include <array>

#include "base/log.h"
#include "base/sha256.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;

namespace {

// A store is made with mode 0600; who changed that, or made it with an early version, is told.
void warn_if_others_read(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & 0007) == 0) return;
  base::log_warning("store: every user of this machine may open " + path +
                    "; chmod 600 keeps them out");
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const std::string& given, base::Random& random) {
  auto real = real_store_path(given);
  if (!real) return real.error();
  const std::string& path = *real;
  auto lock = StoreLock::acquire(path);
  if (!lock) return lock.error();
  std::unique_ptr<Store> store(new Store(path, std::move(*lock)));
  auto connection = SqliteConnection::open(path, SqliteMode::writer);
  if (!connection) return connection.error();
  std::array<std::byte, 16> id;
  random.fill(id);
  const std::string store_id =
      base::to_hex(std::string_view(reinterpret_cast<const char*>(id.data()), id.size()));
  if (auto migrated = migrate(**connection, store_id); !migrated) {
    return Error{migrated.error().code, path + ": " + migrated.error().message};
  }
  auto writer = Writer::open(std::move(*connection));
  if (!writer) return Error{writer.error().code, path + ": " + writer.error().message};
  store->writer_ = std::move(*writer);
  warn_if_others_read(path);
  // What a killed process left in the WAL goes into the database file before anybody reads.
  const auto moved = store->writer_->checkpoint(Writer::Checkpoint::always);
  if (!moved) return moved.error();
  return store;
}

Store::~Store() {
  if (writer_ == nullptr || writer_->failed()) return;
  if (auto done = writer_->checkpoint(Writer::Checkpoint::always); !done) {
    base::log_warning("store: the last checkpoint failed: " + done.error().message);
  }
}

}  // namespace trialward::store
