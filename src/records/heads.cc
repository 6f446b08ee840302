#include "records/heads.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/log.h"
#include "model/effective_time.h"
#include "store/chain.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

Error system_error(const std::string& path) {
  return Error{Errc::unavailable, path + ": " + std::strerror(errno)};
}

// The head of everything that the connection sees, without a date; its seq is 0 in an empty store.
Result<SignedHead> read_head(store::Connection& connection) {
  // One statement: it sees one state of the store.
  auto rows = connection.query(
      "SELECT shard, position, hash, (SELECT max(seq) FROM audit), "
      "(SELECT value FROM meta WHERE key = 'store_id') FROM shards");
  if (!rows) return rows.error();
  SignedHead head;
  store::ChainHeads heads{};
  std::int64_t entries = 0;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) break;
    const std::int64_t shard = rows->integer(0);
    const std::string_view hash = rows->blob(2);
    if (shard < 0 || shard >= std::ssize(heads) || hash.size() != sizeof(base::Digest)) {
      return Error{Errc::corrupt, "the end of audit chain " + std::to_string(shard) +
                                      " is damaged; see trialward verify"};
    }
    store::ChainHead& chain = heads[static_cast<std::size_t>(shard)];
    chain.position = rows->integer(1);
    std::copy(hash.begin(), hash.end(), chain.hash.begin());
    entries += chain.position;
    head.seq = rows->integer(3);
    head.store_id = std::string(rows->text(4));
  }
  if (entries != head.seq) {
    return Error{Errc::corrupt, "the audit chains have " + std::to_string(entries) +
                                    " entries, but the last is number " + std::to_string(head.seq) +
                                    "; see trialward verify"};
  }
  head.digest = store::digest(heads);
  return head;
}

}  // namespace

Result<std::unique_ptr<HeadSigner>> HeadSigner::open(const std::string& store_path) {
  const std::string path = heads_path(store_path);
  const bool has_heads = ::access(path.c_str(), F_OK) == 0;
  auto key = open_secret_key(store_path, !has_heads);
  if (!key) {
    if (!has_heads || key.error().code != Errc::not_found) return key.error();
    return Error{Errc::not_found, key.error().message + "; put back the key that signed " + path +
                                      ", or move that file away to begin anew"};
  }
  std::unique_ptr<HeadSigner> signer(new HeadSigner(path, *key));
  sodium_memzero(key->data(), key->size());
  if (auto read = signer->read_last(); !read) return read.error();
  return signer;
}

HeadSigner::~HeadSigner() {
  sodium_memzero(key_.data(), key_.size());
  if (file_ >= 0) ::close(file_);
}

Status HeadSigner::read_last() {
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file_ < 0) return system_error(path_);
  const off_t size = ::lseek(file_, 0, SEEK_END);
  // Room for the last whole line, and for the part of one behind it.
  std::vector<char> buffer(std::min<std::size_t>(static_cast<std::size_t>(std::max<off_t>(size, 0)),
                                                 2 * kHeadLineBytesMax));
  const off_t start = size - std::ssize(buffer);
  if (size < 0 || ::pread(file_, buffer.data(), buffer.size(), start) != std::ssize(buffer)) {
    return system_error(path_);
  }
  std::string_view text(buffer.data(), buffer.size());
  const std::size_t whole = text.rfind('\n') + 1;  // 0 when there is no line's end
  if (whole == 0 && start > 0) return Error{Errc::corrupt, path_ + " is not a file of heads"};
  bytes_ = start + static_cast<std::int64_t>(whole);
  if (bytes_ < size) {
    base::log_warning(path_ + ": a head that was cut short by a crash is taken off");
    if (::ftruncate(file_, bytes_) != 0) return system_error(path_);
  }
  if (bytes_ == 0) return {};
  text = text.substr(0, whole - 1);
  text.remove_prefix(text.rfind('\n') + 1);
  PublicKey own{};
  std::copy(key_.end() - std::ssize(own), key_.end(), own.begin());
  auto head = parse_head(text, &own);
  if (!head) return Error{Errc::corrupt, path_ + ", last line: " + head.error().message};
  last_seq_ = head->seq;
  return {};
}

Status HeadSigner::append(const std::string& line) {
  const std::string whole = line + "\n";
  if (::pwrite(file_, whole.data(), whole.size(), bytes_) == std::ssize(whole) &&
      ::fdatasync(file_) == 0) {
    bytes_ += std::ssize(whole);
    return {};
  }
  const Error error = system_error(path_);
  // What is left of the line must not stand there; the next head is written in its place.
  if (::ftruncate(file_, bytes_) != 0) base::log_error(system_error(path_).message);
  return error;
}

Status HeadSigner::sign_now(store::Connection& reader, std::int64_t now_ms) {
  auto head = read_head(reader);
  if (!head) return head.error();
  if (head->seq == last_seq_) return {};
  if (head->seq < last_seq_) {
    return Error{Errc::corrupt, "the store ends at entry " + std::to_string(head->seq) +
                                    ", but a head of entry " + std::to_string(last_seq_) +
                                    " was signed; see trialward verify"};
  }
  head->at = model::format_utc(now_ms);
  if (auto done = append(sign_head(*head, key_)); !done) return done;
  last_seq_ = head->seq;
  return {};
}

Result<std::unique_ptr<HeadReader>> HeadReader::open(const std::string& path,
                                                     const PublicKey& key) {
  TW_CHECK(sodium_init() >= 0);
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{Errc::not_found, path + ": " + std::strerror(errno)};
  return std::unique_ptr<HeadReader>(new HeadReader(std::move(file), key));
}

Result<std::optional<SignedHead>> HeadReader::next(std::string_view store_id) {
  const std::string name = "line " + std::to_string(line_ + 1) + " of the signed heads: ";
  std::array<char, kHeadLineBytesMax + 2> buffer{};  // a line, its end, and a zero
  file_.getline(buffer.data(), buffer.size());
  const auto taken = static_cast<std::size_t>(file_.gcount());
  if (file_.bad()) return Error{Errc::unavailable, name + "it cannot be read"};
  if (taken == 0 && file_.eof()) return std::optional<SignedHead>();
  if (file_.eof()) {
    return Error{Errc::corrupt, name + "it is cut short (a starting server takes it off)"};
  }
  if (file_.fail()) return Error{Errc::corrupt, name + "it is not a signed head"};
  auto head = parse_head(std::string_view(buffer.data(), taken - 1), &key_);
  if (!head) return Error{Errc::corrupt, name + head.error().message};
  if (head->store_id != store_id) {
    return Error{Errc::corrupt, name + "it is of the store " + head->store_id + ", and this is " +
                                    std::string(store_id)};
  }
  if (head->seq <= last_seq_) {
    return Error{Errc::corrupt, name + "it covers entry " + std::to_string(head->seq) +
                                    ", and the line before it covers " + std::to_string(last_seq_)};
  }
  ++line_;
  last_seq_ = head->seq;
  return std::optional<SignedHead>(std::move(*head));
}

}  // namespace trialward::records
