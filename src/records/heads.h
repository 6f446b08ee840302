// Signed heads of a store, in a file that only grows: a line a head (records/head_line.h).
//
// Who can write the store can rewrite its audit trail, hashes and all; who cannot sign cannot make
// the old heads fit what was rewritten. So heads prove something as long as the key is out of the
// forger's reach, and the newest head is known: a copy of PATH.heads and PATH.pub belongs on
// another machine. Whether the last lines of the file itself were deleted cannot be seen from here.
#pragma once

#include <cstdint>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "records/head_line.h"
#include "records/key_file.h"
#include "store/connection.h"

namespace trialward::records {

inline std::string heads_path(const std::string& store_path) { return store_path + ".heads"; }

// Signs heads of the store at PATH with the key in PATH.key (records/key_file.h), which is made
// when there are no heads yet. Of one thread at a time.
class HeadSigner {
 public:
  // Takes off a last line that was cut short by a crash. Errors: those of open_secret_key
  // (not_found: heads are there, but not the key that signed them); corrupt (the last head).
  static base::Result<std::unique_ptr<HeadSigner>> open(const std::string& store_path);
  ~HeadSigner();
  HeadSigner(const HeadSigner&) = delete;
  HeadSigner& operator=(const HeadSigner&) = delete;

  // Appends a head of what `reader` sees, and returns when it is on the disk. Nothing to do when
  // the audit trail has not grown since the last head. Errors: unavailable, cancelled; corrupt when
  // the store ends before the last head.
  base::Status sign_now(store::Connection& reader, std::int64_t now_ms);

  std::int64_t last_seq() const { return last_seq_; }

 private:
  HeadSigner(std::string path, const SecretKey& key) : path_(std::move(path)), key_(key) {}
  base::Status read_last();
  base::Status append(const std::string& line);

  const std::string path_;  // of the heads
  SecretKey key_;
  int file_ = -1;
  std::int64_t bytes_ = 0;  // of whole lines
  std::int64_t last_seq_ = 0;
};

// Reads a file of heads from its first line on. Of one thread at a time.
class HeadReader {
 public:
  // Errors: not_found.
  static base::Result<std::unique_ptr<HeadReader>> open(const std::string& path,
                                                        const PublicKey& key);
  // Nothing at the file's end. Errors: corrupt: a line that is no head signed with the key, is of
  // another store or does not cover more than the one before; the message names it.
  base::Result<std::optional<SignedHead>> next(std::string_view store_id);
  std::int64_t line() const { return line_; }  // of the head that next() gave last

 private:
  HeadReader(std::ifstream file, const PublicKey& key) : file_(std::move(file)), key_(key) {}

  std::ifstream file_;
  const PublicKey key_;
  std::int64_t line_ = 0;
  std::int64_t last_seq_ = 0;
};

}  // namespace trialward::records
