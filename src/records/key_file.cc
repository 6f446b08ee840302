#include "records/key_file.h"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>

#include "base/random.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr mode_t kEverybodyReads = 0644;

using KeyBytes = std::array<unsigned char, 32>;
static_assert(crypto_sign_SEEDBYTES == sizeof(KeyBytes));
static_assert(crypto_sign_PUBLICKEYBYTES == sizeof(KeyBytes));

Error file_error(const std::string& path) {
  const Errc code = errno == ENOENT ? Errc::not_found : Errc::unavailable;
  return Error{code, path + ": " + std::strerror(errno)};
}

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : descriptor_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  explicit operator bool() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

Result<KeyBytes> read_key(const std::string& path, bool secret) {
  const File file(path, O_RDONLY);
  struct stat status {};
  if (!file || ::fstat(file.descriptor(), &status) != 0) return file_error(path);
  if (secret && (status.st_mode & 077) != 0) {
    return Error{Errc::refused, path + " may be read by others; it must have mode 0600"};
  }
  std::array<char, 2 * sizeof(KeyBytes) + 2> text{};
  const ssize_t size = ::pread(file.descriptor(), text.data(), text.size(), 0);
  if (size < 0) return file_error(path);
  std::string_view digits(text.data(), static_cast<std::size_t>(size));
  if (digits.ends_with('\n')) digits.remove_suffix(1);
  auto bytes = base::from_hex(digits);
  KeyBytes key{};
  const bool fits = bytes && bytes->size() == key.size();
  if (fits) std::memcpy(key.data(), bytes->data(), key.size());
  sodium_memzero(text.data(), text.size());
  if (bytes) sodium_memzero(bytes->data(), bytes->size());
  if (!fits) return Error{Errc::invalid, path + " holds no key: expected 64 hexadecimal digits"};
  return key;
}

// As a whole or not at all, whenever the machine stops.
Status write_key(const std::string& path, std::span<const unsigned char> key, mode_t mode) {
  std::string text =
      base::to_hex(std::string_view(reinterpret_cast<const char*>(key.data()), key.size())) + "\n";
  const std::string unfinished = path + ".new";
  ::unlink(unfinished.c_str());
  Status done;
  {
    const File file(unfinished, O_WRONLY | O_CREAT | O_EXCL, mode);
    // The mode as it is meant, whatever the umask: a public key is public.
    if (!file || ::fchmod(file.descriptor(), mode) != 0 ||
        ::write(file.descriptor(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.descriptor()) != 0) {
      done = file_error(unfinished);
    }
  }
  sodium_memzero(text.data(), text.size());
  if (!done) return done;
  const auto folder = std::filesystem::absolute(path).parent_path();
  const File directory(folder.string(), O_RDONLY | O_DIRECTORY);
  if (::rename(unfinished.c_str(), path.c_str()) != 0 || !directory ||
      ::fsync(directory.descriptor()) != 0) {
    return file_error(path);
  }
  return {};
}

Result<KeyBytes> make_seed(const std::string& path) {
  KeyBytes seed{};
  base::SystemRandom().fill(std::as_writable_bytes(std::span(seed)));
  if (auto written = write_key(path, seed, kOwnerOnly); !written) return written.error();
  return seed;
}

}  // namespace

Result<PublicKey> read_public_key(const std::string& path) { return read_key(path, false); }

Result<SecretKey> open_secret_key(const std::string& store_path, bool make) {
  TW_CHECK(sodium_init() >= 0);
  const std::string path = secret_key_path(store_path);
  auto seed = read_key(path, true);
  if (!seed && seed.error().code == Errc::not_found && make) seed = make_seed(path);
  if (!seed) return seed.error();
  SecretKey key{};
  PublicKey own{};
  TW_CHECK(crypto_sign_seed_keypair(own.data(), key.data(), seed->data()) == 0);
  sodium_memzero(seed->data(), seed->size());

  const std::string public_path = public_key_path(store_path);
  const auto known = read_public_key(public_path);
  if (known && *known != own) {
    return Error{Errc::corrupt, public_path + " is not the public key of " + path};
  }
  if (known) return key;
  if (known.error().code != Errc::not_found) return known.error();
  if (auto written = write_key(public_path, own, kEverybodyReads); !written) {
    return written.error();
  }
  return key;
}

}  // namespace trialward::records
