#include "store/store.h"

#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "base/log.h"
#include "base/sha256.h"
#include "store/postgres_node.h"
#include "store/postgres_writer.h"
#include "store/schema.h"
#include "store/sqlite.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// Where the side files of stores in PostgreSQL lie.
std::string state_folder() {
  if (std::string own = environment("TRIALWARD_STATE"); !own.empty()) return own;
  if (const std::string state = environment("XDG_STATE_HOME"); !state.empty()) {
    return state + "/trialward";
  }
  return environment("HOME") + "/.local/state/trialward";
}

Result<std::string> beside_of(Connection& connection) {
  auto rows = connection.query("SELECT value FROM meta WHERE key = 'store_id'");
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return Error{Errc::corrupt, "the store has no id"};
  const std::string folder = state_folder();
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code) return Error{Errc::unavailable, folder + ": " + code.message()};
  return folder + "/" + std::string(rows->text(0));
}

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
  std::unique_ptr<Store> store(new Store(*real));
  std::array<std::byte, 16> id;
  random.fill(id);
  const std::string store_id =
      base::to_hex(std::string_view(reinterpret_cast<const char*>(id.data()), id.size()));
  auto opened = is_postgres_url(*real) ? store->open_database(store_id, random)
                                       : store->open_file(store_id);
  if (!opened) return opened.error();
  return store;
}

Status Store::open_file(const std::string& store_id) {
  auto lock = StoreLock::acquire(path_);
  if (!lock) return lock.error();
  lock_.emplace(std::move(*lock));
  beside_ = path_;
  auto connection = SqliteConnection::open(path_, SqliteMode::writer);
  if (!connection) return connection.error();
  if (auto migrated = migrate(**connection, store_id); !migrated) {
    return Error{migrated.error().code, path_ + ": " + migrated.error().message};
  }
  auto writer = Writer::open(std::move(*connection));
  if (!writer) return Error{writer.error().code, path_ + ": " + writer.error().message};
  writer_ = std::move(*writer);
  warn_if_others_read(path_);
  // What a killed process left in the WAL goes into the database file before anybody reads.
  const auto moved = writer_->checkpoint(Writer::Checkpoint::always);
  return moved ? Status() : Status(moved.error());
}

Status Store::open_database(const std::string& store_id, base::Random& random) {
  auto connection = PostgresWriter::open(path_, {}, store_id, random);
  if (!connection) return connection.error();
  const std::string name = (*connection)->name();
  durability_ = (*connection)->durability();
  session_ = (*connection)->session();
  auto beside = beside_of(**connection);
  if (!beside) return beside.error();
  beside_ = *beside;
  auto lock = StoreLock::acquire(beside_);
  if (!lock) {
    return Error{lock.error().code,
                 name + ": " + lock.error().message +
                     "; another node on this machine wants a TRIALWARD_STATE of its own"};
  }
  lock_.emplace(std::move(*lock));
  auto writer = Writer::open(std::move(*connection));
  if (!writer) return Error{writer.error().code, name + ": " + writer.error().message};
  writer_ = std::move(*writer);
  return {};
}

Result<std::unique_ptr<Connection>> open_store(const std::string& place) {
  if (!is_postgres_url(place)) {
    auto reader = SqliteConnection::open(place, SqliteMode::reader);
    if (!reader) return reader.error();
    return std::unique_ptr<Connection>(std::move(*reader));
  }
  auto reader = PostgresConnection::open(place, {});
  if (!reader) return reader.error();
  auto version = schema_version(**reader);
  if (!version) return version.error();
  if (*version == 0) {
    return Error{Errc::not_found, (*reader)->name() + " has no trialward store"};
  }
  return std::unique_ptr<Connection>(std::move(*reader));
}

Result<std::unique_ptr<Node>> Store::open_node() const {
  if (!is_postgres_url(path_)) return std::unique_ptr<Node>();
  auto node = PostgresNode::open(path_, session_);
  if (!node) return node.error();
  return std::unique_ptr<Node>(std::move(*node));
}

Result<std::string> beside_store(const std::string& place) {
  if (!is_postgres_url(place)) return place;
  auto reader = open_store(place);
  if (!reader) return reader.error();
  return beside_of(**reader);
}

Store::~Store() {
  if (writer_ == nullptr || writer_->failed() || is_postgres_url(path_)) return;
  if (auto done = writer_->checkpoint(Writer::Checkpoint::always); !done) {
    base::log_warning("store: the last checkpoint failed: " + done.error().message);
  }
}

}  // namespace trialward::store
