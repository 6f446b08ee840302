#include "store/store.h"

#include <array>

#include "base/log.h"
#include "base/sha256.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;

Result<std::string> parse_store_url(std::string_view url) {
  constexpr std::string_view kScheme = "sqlite:";
  if (url.starts_with(kScheme) && url.size() > kScheme.size()) {
    return std::string(url.substr(kScheme.size()));
  }
  return Error{Errc::invalid, "'" + std::string(url) + "' is not a store; expected sqlite:PATH"};
}

Result<std::unique_ptr<Store>> Store::open(const std::string& path, base::Random& random) {
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
  // What a killed process left in the WAL goes into the database file before anybody reads.
  if (auto done = store->writer_->checkpoint(true); !done) return done.error();
  return store;
}

Store::~Store() {
  if (writer_ == nullptr || writer_->failed()) return;
  if (auto done = writer_->checkpoint(true); !done) {
    base::log_warning("store: the last checkpoint failed: " + done.error().message);
  }
}

}  // namespace trialward::store
