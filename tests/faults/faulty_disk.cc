#include "tests/faults/faulty_disk.h"

#include <sqlite3.h>

#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <string>

#include "base/check.h"
#include "tests/faults/disk_file.h"

namespace trialward::faults {
namespace {

constexpr int kKept = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL;
constexpr int kWriteMax = 128 << 10;  // as SQLite's own files have it
constexpr const char* kName = "trialward-faulty";

}  // namespace

class FaultyDisk::Impl {
 public:
  Impl() : real_(sqlite3_vfs_find(nullptr)) {
    TW_CHECK(real_ != nullptr);
    vfs_ = *real_;
    vfs_.zName = kName;
    vfs_.szOsFile = static_cast<int>(sizeof(Handle)) + real_->szOsFile;
    vfs_.pAppData = this;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = [](sqlite3_vfs* v, const char* path, int flags, int* result) {
      sqlite3_vfs* real = of(v).real_;
      return real->xAccess(real, path, flags, result);
    };
    vfs_.xFullPathname = [](sqlite3_vfs* v, const char* path, int size, char* out) {
      sqlite3_vfs* real = of(v).real_;
      return real->xFullPathname(real, path, size, out);
    };
    vfs_.xRandomness = [](sqlite3_vfs* v, int size, char* out) {
      return of(v).fill({out, static_cast<std::size_t>(size)});
    };
    TW_CHECK(sqlite3_vfs_register(&vfs_, 1) == SQLITE_OK);
  }

  void set_faults(DiskFaults faults) {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
  }
  void on_sync(std::function<void()> callback) {
    const std::lock_guard lock(mutex_);
    on_sync_ = std::move(callback);
  }
  DiskCounts counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  void seed(std::uint64_t seed) {
    {
      const std::lock_guard lock(mutex_);
      random_ = std::make_unique<base::SeededRandom>(seed);
    }
    sqlite3_randomness(0, nullptr);  // forgets its state, and asks for a new seed
  }
  void power_off() {
    const std::lock_guard lock(mutex_);
    powered_ = false;
  }

  void crash(base::Random& random, unsigned survives_percent) {
    std::map<std::string, std::shared_ptr<DiskFile>> files;
    {
      // Not held below: SQLite asks for randomness while it holds the lock that opening a file
      // takes, and fill() takes this one.
      const std::lock_guard lock(mutex_);
      files.swap(files_);
    }
    for (const auto& [path, file] : files) {
      TW_CHECK(file.use_count() == 1);
      if (file->all_synced()) continue;
      const auto memory = std::make_unique<char[]>(static_cast<std::size_t>(real_->szOsFile));
      auto* handle = reinterpret_cast<sqlite3_file*>(memory.get());
      std::memset(memory.get(), 0, static_cast<std::size_t>(real_->szOsFile));
      const int kind = path.ends_with("-wal") ? SQLITE_OPEN_WAL : SQLITE_OPEN_MAIN_DB;
      TW_CHECK(real_->xOpen(real_, path.c_str(), handle, kind | SQLITE_OPEN_READWRITE, nullptr) ==
               SQLITE_OK);
      TW_CHECK(file->crash(handle, random, survives_percent) == SQLITE_OK);
      handle->pMethods->xClose(handle);
    }
    const std::lock_guard lock(mutex_);
    powered_ = true;
    faults_ = {};
  }
  void restart() {
    const std::lock_guard lock(mutex_);
    for (const auto& [path, file] : files_) TW_CHECK(file.use_count() == 1);
    powered_ = true;
    faults_ = {};
  }

 private:
  // What SQLite holds; the handle of the real file lies behind it.
  struct Handle {
    sqlite3_file base;
    Impl* disk;
    std::shared_ptr<DiskFile> file;  // shared: by all handles of a path and by files_

    sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
  };

  static Impl& of(sqlite3_vfs* vfs) { return *static_cast<Impl*>(vfs->pAppData); }
  static Handle& of(sqlite3_file* file) { return *reinterpret_cast<Handle*>(file); }
  static const sqlite3_io_methods* real_methods(sqlite3_file* file) {
    return of(file).real()->pMethods;
  }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out) {
    Impl& disk = of(vfs);
    if (path == nullptr || (flags & kKept) == 0) {
      return disk.real_->xOpen(disk.real_, path, file, flags, out);
    }
    Handle& handle = of(file);
    std::memset(file, 0, static_cast<std::size_t>(vfs->szOsFile));
    const int code = disk.real_->xOpen(disk.real_, path, handle.real(), flags, out);
    if (code != SQLITE_OK) return code;
    static const sqlite3_io_methods kMethods = methods();
    // tidy(new): SQLite gives the memory
    new (&handle) Handle{{&kMethods}, &disk, disk.file(path)};
    return SQLITE_OK;
  }

  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    Impl& disk = of(vfs);
    {
      const std::lock_guard lock(disk.mutex_);
      if (!disk.powered_) return SQLITE_IOERR_DELETE;
      disk.files_.erase(path);
    }
    return disk.real_->xDelete(disk.real_, path, sync_folder);
  }

  static sqlite3_io_methods methods() {
    sqlite3_io_methods m{};
    m.iVersion = 2;  // without the third version's memory mapping of content
    m.xClose = [](sqlite3_file* f) {
      const int code = real_methods(f)->xClose(of(f).real());
      of(f).~Handle();
      return code;
    };
    m.xRead = [](sqlite3_file* f, void* out, int size, sqlite3_int64 offset) {
      Handle& h = of(f);
      if (h.disk->reads_fail()) return SQLITE_IOERR_READ;
      return h.file->read(h.real(), {static_cast<char*>(out), static_cast<std::size_t>(size)},
                          offset);
    };
    m.xWrite = [](sqlite3_file* f, const void* bytes, int size, sqlite3_int64 offset) {
      TW_CHECK(size < kWriteMax);
      return of(f).disk->write(
          of(f), {static_cast<const char*>(bytes), static_cast<std::size_t>(size)}, offset);
    };
    m.xTruncate = [](sqlite3_file* f, sqlite3_int64 size) {
      Handle& h = of(f);
      return h.disk->powered() ? h.file->truncate(h.real(), size) : SQLITE_IOERR_TRUNCATE;
    };
    m.xSync = [](sqlite3_file* f, int flags) { return of(f).disk->sync(of(f), flags); };
    m.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
      std::int64_t known = 0;
      const int code = of(f).file->size(of(f).real(), known);
      *size = known;
      return code;
    };
    m.xFileControl = [](sqlite3_file* f, int op, void* argument) {
      // These would change the file on the disk.
      if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
      return real_methods(f)->xFileControl(of(f).real(), op, argument);
    };
    m.xLock = [](sqlite3_file* f, int lock) { return real_methods(f)->xLock(of(f).real(), lock); };
    m.xUnlock = [](sqlite3_file* f, int lock) {
      return real_methods(f)->xUnlock(of(f).real(), lock);
    };
    m.xCheckReservedLock = [](sqlite3_file* f, int* result) {
      return real_methods(f)->xCheckReservedLock(of(f).real(), result);
    };
    m.xSectorSize = [](sqlite3_file* f) { return real_methods(f)->xSectorSize(of(f).real()); };
    m.xDeviceCharacteristics = [](sqlite3_file* f) {
      return real_methods(f)->xDeviceCharacteristics(of(f).real());
    };
    m.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      return real_methods(f)->xShmMap(of(f).real(), page, size, extend, out);
    };
    m.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
      return real_methods(f)->xShmLock(of(f).real(), offset, n, flags);
    };
    m.xShmBarrier = [](sqlite3_file* f) { real_methods(f)->xShmBarrier(of(f).real()); };
    m.xShmUnmap = [](sqlite3_file* f, int remove) {
      return real_methods(f)->xShmUnmap(of(f).real(), remove);
    };
    return m;
  }

  std::shared_ptr<DiskFile> file(const char* path) {
    const std::lock_guard lock(mutex_);
    auto& file = files_[path];
    if (file == nullptr) file = std::make_shared<DiskFile>();
    return file;
  }

  bool reads_fail() const {
    const std::lock_guard lock(mutex_);
    return faults_.fail_read;
  }

  bool powered() const {
    const std::lock_guard lock(mutex_);
    return powered_;
  }

  int fill(std::span<char> out) {
    const std::lock_guard lock(mutex_);
    if (random_ == nullptr) {
      return real_->xRandomness(real_, static_cast<int>(out.size()), out.data());
    }
    random_->fill(std::as_writable_bytes(out));
    return static_cast<int>(out.size());
  }

  int write(Handle& handle, std::span<const char> bytes, std::int64_t offset) {
    std::int64_t size = 0;
    if (const int code = handle.file->size(handle.real(), size); code != SQLITE_OK) return code;
    {
      const std::lock_guard lock(mutex_);
      ++counts_.writes;
      const bool grows = offset + static_cast<std::int64_t>(bytes.size()) > size;
      int failure = SQLITE_OK;
      if (!powered_ || faults_.fail_write_after == 0) {
        failure = SQLITE_IOERR_WRITE;
      } else if (faults_.full && grows) {
        failure = SQLITE_FULL;
      }
      if (failure != SQLITE_OK) {
        ++counts_.failed;
        return failure;
      }
      if (faults_.fail_write_after > 0) --faults_.fail_write_after;
    }
    return handle.file->write(handle.real(), bytes, offset);
  }

  int sync(Handle& handle, int flags) {
    std::function<void()> callback;
    {
      const std::lock_guard lock(mutex_);
      callback = on_sync_;
    }
    if (callback) callback();
    {
      const std::lock_guard lock(mutex_);
      ++counts_.syncs;
      if (!powered_ || faults_.fail_sync) {
        ++counts_.failed;
        if (powered_) handle.file->lose_unsynced();
        return SQLITE_IOERR_FSYNC;
      }
    }
    return handle.file->sync(handle.real(), flags);
  }

  sqlite3_vfs* const real_;
  sqlite3_vfs vfs_{};
  mutable std::mutex mutex_;  // guards all below; taken before a DiskFile's
  std::map<std::string, std::shared_ptr<DiskFile>> files_;
  std::function<void()> on_sync_;
  DiskFaults faults_;
  DiskCounts counts_;
  std::unique_ptr<base::SeededRandom> random_;
  bool powered_ = true;
};

FaultyDisk::FaultyDisk(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FaultyDisk::~FaultyDisk() = default;

FaultyDisk& FaultyDisk::install() {
  // Never destroyed: SQLite holds it for as long as the process lives.
  // tidy(new): see above
  static FaultyDisk& disk = *new FaultyDisk(std::make_unique<Impl>());
  return disk;
}

void FaultyDisk::set_faults(DiskFaults faults) { impl_->set_faults(faults); }
void FaultyDisk::on_sync(std::function<void()> callback) { impl_->on_sync(std::move(callback)); }
DiskCounts FaultyDisk::counts() const { return impl_->counts(); }
void FaultyDisk::seed(std::uint64_t seed) { impl_->seed(seed); }
void FaultyDisk::power_off() { impl_->power_off(); }
void FaultyDisk::crash(base::Random& random, unsigned survives_percent) {
  impl_->crash(random, survives_percent);
}
void FaultyDisk::restart() { impl_->restart(); }

}  // namespace trialward::faults
