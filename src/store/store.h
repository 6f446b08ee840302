// A store: the database file at PATH and what lies beside it (PATH.lock, PATH.sock, PATH.heads), or
// a schema in PostgreSQL, and what lies beside it in a folder of this machine. Whoever has a Store
// open at a path is its one writer; in PostgreSQL it is one of the nodes that share it, of which
// there is one for each such folder. Readers are connections of their own, which never block the
// writer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "store/lock.h"
#include "store/node.h"
#include "store/store_path.h"
#include "store/writer.h"

namespace trialward::store {

// What reads the store at a place: a path or a PostgreSQL URL. Errors: not_found (there is none),
// unavailable, corrupt.
base::Result<std::unique_ptr<Connection>> open_store(const std::string& place);

// Store::beside() of the store at a place, which need not be open. A store in PostgreSQL has it by
// its id, in $TRIALWARD_STATE, else $XDG_STATE_HOME/trialward, else ~/.local/state/trialward; the
// folder is made. Errors: those of open_store, of which a file has none; unavailable.
base::Result<std::string> beside_store(const std::string& place);

class Store {
 public:
  // `given`: a path, or a PostgreSQL URL. Takes the lock, makes or migrates the schema. Errors:
  // those of real_store_path, refused (another process holds it), unavailable, corrupt; invalid
  // (a PostgreSQL server that does not suit).
  static base::Result<std::unique_ptr<Store>> open(const std::string& given,
                                                   base::Random& random);
  ~Store();

  // The real one, or the URL.
  const std::string& path() const { return path_; }
  // What the names of the files begin with that lie beside it.
  const std::string& beside() const { return beside_; }
  // PostgreSQL: what stands behind a commit, in words, as of the opening. Else empty.
  const std::string& durability() const { return durability_; }
  // This process among the nodes that share the store; null when it is not shared (SQLite).
  base::Result<std::unique_ptr<Node>> open_node() const;
  Writer& writer() { return *writer_; }
  // Any thread.
  base::Result<std::unique_ptr<Connection>> open_reader() const { return open_store(path_); }

 private:
  explicit Store(std::string path) : path_(std::move(path)) {}
  base::Status open_file(const std::string& store_id);
  base::Status open_database(const std::string& store_id, base::Random& random);

  std::string path_, beside_, durability_;
  std::string session_;  // PostgreSQL: the writer's name among the nodes
  std::optional<StoreLock> lock_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace trialward::store
