#include "formulary/list_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <system_error>
#include <type_traits>

#include "base/sha256.h"

namespace trialward::formulary {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;

namespace {

constexpr std::string_view kMagic = "TWFORM2\n";
constexpr std::size_t kHeadBytes = 32;
constexpr std::size_t kDigestBytes = 32;
constexpr std::size_t kStepBytes = 64 << 10;
constexpr std::size_t kVersionDigits = 16;
constexpr std::uint64_t kSyncBytes = 4 << 20;
constexpr std::uint64_t kShortTextsMax = 1'000'000;  // of sources, tiers

class OpenFile {
 public:
  OpenFile(const std::string& path, int flags)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~OpenFile() { close(); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

Error of_disk(const std::string& path, const char* what) {
  return {errno == ENOENT ? Errc::not_found : Errc::unavailable,
          path + ": " + what + ": " + std::generic_category().message(errno)};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

// Puts numbers and texts one behind the other, and hands them on in steps.
class Output {
 public:
  using Sink = std::function<void(std::string_view)>;
  explicit Output(Sink sink) : sink_(std::move(sink)) {}
  template <class T>
  void number(T value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes({reinterpret_cast<const char*>(&value), sizeof value});
  }
  void text(std::string_view text) {
    number(static_cast<std::uint32_t>(text.size()));
    bytes(text);
  }
  void flush() {
    sink_(buffer_);
    buffer_.clear();
  }

 private:
  void bytes(std::string_view more) {
    buffer_.append(more);
    if (buffer_.size() >= kStepBytes) flush();
  }
  Sink sink_;
  std::string buffer_;
};

// Reads what Output has put. After the file's end everything is zero, and ok() is false.
class Input {
 public:
  Input(int fd, std::uint64_t size) : fd_(fd), left_(size) {}
  template <class T>
  T number() {
    T value{};
    take(reinterpret_cast<char*>(&value), sizeof value);
    return value;
  }
  std::uint64_t count(std::uint64_t most) {
    const auto found = number<std::uint64_t>();
    if (found > most) ok_ = false;
    return ok_ ? found : 0;
  }
  std::string text(std::size_t most = TextPool::kTextBytesMax) {
    const auto size = number<std::uint32_t>();
    if (size > most) ok_ = false;
    std::string found(ok_ ? size : 0, '\0');
    take(found.data(), found.size());
    return found;
  }
  void expect(bool right) { ok_ = ok_ && right; }
  bool ok() const { return ok_; }
  bool at_end() const { return left_ == 0 && begin_ == end_; }
  base::Digest digest() { return hash_.finish(); }

 private:
  void take(char* out, std::size_t size) {
    while (ok_ && size > 0) {
      if (begin_ == end_ && !fill()) break;
      const std::size_t some = std::min(size, end_ - begin_);
      std::memcpy(out, buffer_.data() + begin_, some);
      begin_ += some;
      out += some;
      size -= some;
    }
    if (size > 0) ok_ = false;
  }
  bool fill() {
    buffer_.resize(kStepBytes);
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(left_, kStepBytes));
    const ssize_t count = want == 0 ? 0 : ::read(fd_, buffer_.data(), want);
    begin_ = 0;
    end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    left_ -= end_;
    hash_.add({buffer_.data(), end_});
    return end_ > 0;
  }

  const int fd_;
  std::uint64_t left_;
  bool ok_ = true;
  std::string buffer_;
  std::size_t begin_ = 0, end_ = 0;
  base::Sha256 hash_;
};

void put_meta(Output& out, const ListMeta& meta) {
  out.text(meta.version);
  out.number(meta.fetched_ms);
  out.number(std::uint64_t{meta.places.size()});
  for (const std::string& place : meta.places) out.text(place);
  out.number(std::uint64_t{meta.sources.size()});
  for (const SourceFile& file : meta.sources) {
    out.text(file.place);
    out.text(file.etag);
    out.text(file.last_modified);
  }
}

ListMeta get_meta(Input& in) {
  ListMeta meta;
  meta.version = in.text();
  meta.fetched_ms = in.number<std::int64_t>();
  for (auto left = in.count(kShortTextsMax); left > 0 && in.ok(); --left) {
    meta.places.push_back(in.text());
  }
  for (auto left = in.count(kShortTextsMax); left > 0 && in.ok(); --left) {
    SourceFile& file = meta.sources.emplace_back();
    file.place = in.text();
    file.etag = in.text();
    file.last_modified = in.text();
  }
  return meta;
}

std::string slot(std::int64_t confirmed_ms) {
  const std::int64_t numbers[] = {confirmed_ms, ~confirmed_ms};
  return {reinterpret_cast<const char*>(numbers), sizeof numbers};
}

}  // namespace

// What of a list goes to and comes from its image.
class ListWriter {
 public:
  static void put(Output& out, const DrugList& list) {
    put_plans(out, list);
    out.number(std::uint64_t{list.tiers_.size()});
    for (const std::string& tier : list.tiers_) out.text(tier);
    out.number(std::uint64_t{list.years_.size()});
    for (const auto& years : list.years_) put_years(out, years);
    out.number(std::uint64_t{list.terms_.size()});
    for (const auto& row : list.terms_) {
      out.number(row.tier);
      out.number(row.years);
      out.number(row.flags);
    }
    out.number(std::uint64_t{list.sets_.size()});
    for (const std::uint32_t begin : list.sets_) out.number(begin);
    out.number(std::uint64_t{list.pairs_.size()});
    for (const auto& pair : list.pairs_) {
      out.number(pair.plan);
      out.number(pair.terms);
    }
    out.number(std::uint64_t{list.drugs_.size()});
    for (const auto& drug : list.drugs_) {
      out.number(drug.code);
      out.number(drug.set);
      out.text(list.name(drug));
    }
  }

  // Whatever is read, the list that comes out is one that can be asked.
  static DrugList get(Input& in) {
    DrugList list;
    get_plans(in, list);
    for (auto left = in.count(kShortTextsMax); left > 0 && in.ok(); --left) {
      list.tiers_.push_back(in.text());
    }
    for (auto left = in.count(kTermsMax); left > 0 && in.ok(); --left) {
      list.years_.push_back(get_years(in));
    }
    for (auto left = in.count(kTermsMax); left > 0 && in.ok(); --left) {
      auto& row = list.terms_.emplace_back();
      row.tier = in.number<std::uint32_t>();
      row.years = in.number<std::uint32_t>();
      row.flags = in.number<std::uint8_t>();
      in.expect(row.tier < list.tiers_.size() && row.years < list.years_.size());
    }
    get_sets(in, list);
    get_drugs(in, list);
    return list;
  }

 private:
  static void put_years(Output& out, const DrugList::Years& years) {
    out.number(std::uint64_t{years.size()});
    for (const std::uint16_t year : years) out.number(year);
  }
  static DrugList::Years get_years(Input& in) {
    DrugList::Years years;
    for (auto left = in.count(kYearsMax); left > 0 && in.ok(); --left) {
      years.push_back(in.number<std::uint16_t>());
    }
    return years;
  }

  static void put_plans(Output& out, const DrugList& list) {
    out.number(std::uint64_t{list.plans_.size()});
    for (const Plan& plan : list.plans_) {
      out.text(plan.id);
      out.text(plan.name);
      put_years(out, plan.years);
      out.number(std::uint64_t{plan.tiers.size()});
      for (const Tier& tier : plan.tiers) {
        out.text(tier.name);
        out.number(static_cast<std::uint8_t>(tier.mail_order ? (*tier.mail_order ? 2 : 1) : 0));
      }
    }
  }
  static void get_plans(Input& in, DrugList& list) {
    for (auto left = in.count(kPlansMax); left > 0 && in.ok(); --left) {
      Plan plan{.id = in.text()};
      plan.name = in.text();
      plan.years = get_years(in);
      for (auto tiers = in.count(kTiersOfPlanMax); tiers > 0 && in.ok(); --tiers) {
        Tier& tier = plan.tiers.emplace_back();
        tier.name = in.text();
        const auto mail = in.number<std::uint8_t>();
        if (mail != 0) tier.mail_order = mail == 2;
      }
      const auto number = static_cast<std::uint16_t>(list.plans_.size());
      in.expect(list.plan_places_.emplace(plan.id, number).second);
      list.plans_.push_back(std::move(plan));
    }
  }

  static void get_sets(Input& in, DrugList& list) {
    std::uint32_t last = 0;
    for (auto left = in.count(kSetsMax + 1); left > 0 && in.ok(); --left) {
      const auto begin = in.number<std::uint32_t>();
      in.expect(begin >= last);
      list.sets_.push_back(last = begin);
    }
    for (auto left = in.count(kPairsMax); left > 0 && in.ok(); --left) {
      auto& pair = list.pairs_.emplace_back();
      pair.plan = in.number<std::uint16_t>();
      pair.terms = in.number<std::uint16_t>();
      in.expect(pair.plan < list.plans_.size() && pair.terms < list.terms_.size());
    }
    in.expect(!list.sets_.empty() && list.sets_.back() == list.pairs_.size());
  }

  static void get_drugs(Input& in, DrugList& list) {
    std::size_t of_code = 0;
    std::string last_name;
    for (auto left = in.count(kDrugsMax); left > 0 && in.ok(); --left) {
      const RxCui before = list.drugs_.empty() ? 0 : list.drugs_.back().code;
      auto& drug = list.drugs_.emplace_back();
      drug.code = in.number<std::uint32_t>();
      drug.set = in.number<std::uint32_t>();
      std::string its_name = in.text();
      const auto name = list.names_.add(its_name);
      drug.name = name.value_or(0);
      of_code = drug.code == before ? of_code + 1 : 1;
      if (of_code == 1) ++list.codes_;
      in.expect(name && (drug.code > before || (drug.code == before && its_name > last_name)) &&
                of_code <= kNamesOfCodeMax && std::size_t{drug.set} + 1 < list.sets_.size());
      last_name = std::move(its_name);
    }
  }
};

std::string version_of(const DrugList& list) {
  base::Sha256 hash;
  Output out([&](std::string_view bytes) { hash.add(bytes); });
  ListWriter::put(out, list);
  out.flush();
  return base::to_hex(hash.finish()).substr(0, kVersionDigits);
}

Status write_image(const std::string& path, const DrugList& list, const ListMeta& meta,
                   const runtime::Cancel& cancel) {
  const std::string fresh = path + std::string(kImageMark);
  OpenFile file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.get() < 0) {
    return Error{Errc::unavailable, of_disk(fresh, "cannot be written").message};
  }
  bool well = write_all(file.get(), std::string(kHeadBytes, '\0'));
  base::Sha256 hash;
  std::uint64_t size = 0, synced = 0;
  Output out([&](std::string_view bytes) {
    hash.add(bytes);
    size += bytes.size();
    well = well && !cancel.fired() && write_all(file.get(), bytes);
    // Little by little: commits to the store share the disk, and would wait for all of it at once.
    if (size - synced >= kSyncBytes) {
      synced = size;
      well = well && ::fdatasync(file.get()) == 0;
    }
  });
  put_meta(out, meta);
  ListWriter::put(out, list);
  out.flush();
  well = well && write_all(file.get(), base::as_bytes(hash.finish()));
  std::string head(kMagic);
  head += slot(meta.confirmed_ms);
  head.append(reinterpret_cast<const char*>(&size), sizeof size);
  well = well &&
         ::pwrite(file.get(), head.data(), head.size(), 0) == static_cast<ssize_t>(head.size());
  well = well && ::fsync(file.get()) == 0 && file.close();
  if (well && ::rename(fresh.c_str(), path.c_str()) == 0) {
    const std::size_t slash = path.rfind('/');
    OpenFile folder(slash == std::string::npos ? "." : path.substr(0, slash + 1), O_RDONLY);
    if (folder.get() >= 0 && ::fsync(folder.get()) == 0) return {};
  }
  const Error error = of_disk(fresh, "cannot be written");
  ::unlink(fresh.c_str());
  if (cancel.fired()) return Error{Errc::cancelled, "cancelled"};
  return Error{Errc::unavailable, error.message};
}

Status write_confirmed(const std::string& path, std::int64_t confirmed_ms) {
  OpenFile file(path, O_WRONLY);
  if (file.get() < 0) return of_disk(path, "cannot be written");
  const std::string bytes = slot(confirmed_ms);
  if (::pwrite(file.get(), bytes.data(), bytes.size(), kMagic.size()) ==
          static_cast<ssize_t>(bytes.size()) &&
      ::fdatasync(file.get()) == 0 && file.close()) {
    return {};
  }
  return of_disk(path, "cannot be written");
}

Result<Image> read_image(const std::string& path) {
  OpenFile file(path, O_RDONLY);
  if (file.get() < 0) return of_disk(path, "cannot be read");
  char head[kHeadBytes] = {};
  std::int64_t confirmed[2] = {};
  std::uint64_t size = 0;
  struct stat status {};
  const Error corrupt{Errc::corrupt, path + ": is not the image of a list"};
  if (::read(file.get(), head, sizeof head) != static_cast<ssize_t>(sizeof head) ||
      std::string_view(head, kMagic.size()) != kMagic || ::fstat(file.get(), &status) != 0) {
    return corrupt;
  }
  std::memcpy(confirmed, head + kMagic.size(), sizeof confirmed);
  std::memcpy(&size, head + kMagic.size() + sizeof confirmed, sizeof size);
  const auto length = static_cast<std::uint64_t>(status.st_size);
  if (length < kHeadBytes + kDigestBytes || size != length - kHeadBytes - kDigestBytes) {
    return corrupt;
  }
  Input in(file.get(), size);
  Image image;
  image.meta = get_meta(in);
  image.list = ListWriter::get(in);
  char digest[kDigestBytes] = {};
  if (!in.ok() || !in.at_end() ||
      ::read(file.get(), digest, sizeof digest) != static_cast<ssize_t>(sizeof digest) ||
      std::string_view(digest, sizeof digest) != base::as_bytes(in.digest())) {
    return corrupt;
  }
  // One that was cut off while it was written is not to be believed; the list itself is.
  const bool whole = confirmed[1] == ~confirmed[0];
  image.meta.confirmed_ms = whole ? confirmed[0] : image.meta.fetched_ms;
  return image;
}

}  // namespace trialward::formulary
