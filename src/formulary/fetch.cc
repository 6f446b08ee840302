#include "formulary/fetch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace trialward::formulary {

using base::OutboundAnswer;
using base::OutboundFailure;
using base::OutboundRequest;
using base::Result;

namespace {

constexpr base::Duration kHeaderTimeout = std::chrono::seconds(30);
constexpr base::Duration kStallTimeout = std::chrono::seconds(30);
constexpr off_t kFlushBytes = 4 << 20;
constexpr base::Duration kConnectTimeout = std::chrono::seconds(10);

// A file that an answer is written to.
class Spool {
 public:
  Spool(const std::string& path, const DiskRoom& room)
      : path_(path),
        room_(room),
        fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) {
    if (fd_ < 0) fail();
  }
  ~Spool() {
    if (fd_ >= 0) ::close(fd_);
  }
  Spool(const Spool&) = delete;
  Spool& operator=(const Spool&) = delete;

  bool write(std::string_view bytes) {
    // Not before there is something to write: what has not changed needs no room.
    if (!refusal_ && written_ >= looked_) {
      refusal_ = room_.lack(path_, kFlushBytes);
      looked_ = written_ + kFlushBytes;
    }
    while (!bytes.empty() && !refusal_) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
        written_ += count;
      } else if (errno != EINTR) {
        fail();
      }
    }
    // To the disk as it comes: what piles up would hold up the commits that share it.
    if (!refusal_ && written_ - flushed_ >= kFlushBytes) {
      (void)::sync_file_range(fd_, flushed_, written_ - flushed_, SYNC_FILE_RANGE_WRITE);
      flushed_ = written_;
    }
    return !refusal_;
  }
  const std::optional<Refusal>& refusal() const { return refusal_; }

 private:
  void fail() {
    refusal_ = Refusal{
        .kind = RefusalKind::disk,
        .reason = path_ + ": cannot be written: " + std::generic_category().message(errno)};
  }

  const std::string path_;
  const DiskRoom& room_;
  const int fd_;
  std::optional<Refusal> refusal_;
  off_t written_ = 0, flushed_ = 0;
  off_t looked_ = 0;  // there is room up to this
};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c; }

std::string header_of(const base::OutboundHeaders& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(),
                   [](char a, char b) { return lower(a) == lower(b); })) {
      return value;
    }
  }
  return {};
}

// What may be sent back as it came, and kept; of another one nothing: its file counts as changed.
std::string validator(const base::OutboundHeaders& headers, std::string_view name) {
  std::string value = header_of(headers, name);
  const bool clean = std::all_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) >= ' ' && c != 127;
  });
  return clean && value.size() <= kValidatorBytesMax ? value : std::string();
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

bool is_https(std::string_view url) { return url.starts_with("https://"); }

// Where a redirect leads; nothing: it may not be followed.
std::optional<std::string> target(const std::string& url, const std::string& location) {
  std::string to = location;
  if (location.starts_with("/") && !location.starts_with("//")) {
    to = url.substr(0, url.find('/', url.find("//") + 2)) + location;
  }
  if (!is_url(to) || (is_https(url) && !is_https(to))) return std::nullopt;
  return to;
}

// What tells whether a file of this machine is another than before.
SourceFile source_of(const std::string& path, const struct stat& status) {
  return {.place = path,
          .etag = std::to_string(status.st_size) + "-" + std::to_string(status.st_mtim.tv_sec) +
                  "." + std::to_string(status.st_mtim.tv_nsec)};
}

Result<Fetched, Refusal> of_this_machine(const std::string& path, const SourceFile* known) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return Refusal{.kind = RefusalKind::unreachable, .reason = path + ": there is no such file"};
  }
  Fetched found;
  found.source = source_of(path, status);
  if (known == nullptr || known->etag != found.source.etag) found.path = path;
  return found;
}

}  // namespace

bool is_url(std::string_view place) {
  return place.starts_with("http://") || place.starts_with("https://");
}

Fetched::Fetched(Fetched&& other) noexcept
    : path(std::exchange(other.path, {})),
      source(std::move(other.source)),
      spooled(std::exchange(other.spooled, false)) {}

Fetched& Fetched::operator=(Fetched&& other) noexcept {
  std::swap(path, other.path);
  std::swap(source, other.source);
  std::swap(spooled, other.spooled);
  return *this;
}

Fetched::~Fetched() {
  if (spooled) ::unlink(path.c_str());
}

OutboundRequest Fetcher::request_for(const std::string& url, const SourceFile* known) const {
  OutboundRequest request;
  request.name = "formulary " + url.substr(0, url.find('?'));
  request.method = "GET";
  request.url = url;
  request.headers.emplace_back("Accept", "application/json");
  if (known != nullptr && !known->etag.empty()) {
    request.headers.emplace_back("If-None-Match", known->etag);
  }
  if (known != nullptr && !known->last_modified.empty()) {
    request.headers.emplace_back("If-Modified-Since", known->last_modified);
  }
  request.deadlines = {.connect = std::min(kConnectTimeout, options_.timeout),
                       .header = std::min(kHeaderTimeout, options_.timeout),
                       .stall = std::min(kStallTimeout, options_.timeout),
                       .total = options_.timeout};
  request.answer_bytes_max = options_.file_bytes_max;
  return request;
}

// Everything that is taken has an end, so it is waited for without a time of our own. After send()
// nothing may throw: what was sent calls back to this stack.
OutboundAnswer Fetcher::send(OutboundRequest request, const runtime::Cancel& cancel) {
  std::mutex mutex;
  std::condition_variable ended;
  std::optional<OutboundAnswer> answer;
  std::optional<base::Outbound::Id> sent;
  bool fired = false;
  const auto wake = cancel.on_fire([&](runtime::CancelReason) {
    std::unique_lock lock(mutex);
    fired = true;
    const auto id = sent;
    lock.unlock();
    if (id) outbound_->cancel(*id);
  });
  const auto id = outbound_->send(std::move(request), [&](OutboundAnswer its_answer) {
    const std::lock_guard lock(mutex);
    answer = std::move(its_answer);
    ended.notify_all();
  });
  if (!id) {
    OutboundAnswer failed;
    failed.failure = id.error().code == base::Errc::cancelled ? OutboundFailure::cancelled
                                                              : OutboundFailure::connect;
    failed.error = id.error().message;
    return failed;
  }
  std::unique_lock lock(mutex);
  sent = *id;
  if (fired) {
    lock.unlock();
    outbound_->cancel(*id);
    lock.lock();
  }
  ended.wait(lock, [&] { return answer.has_value(); });
  return std::move(*answer);
}

Result<Fetched, Refusal> Fetcher::fetch(const std::string& place, const SourceFile* known,
                                        const runtime::Cancel& cancel) {
  if (!is_url(place)) return of_this_machine(place, known);
  if (outbound_ != nullptr) return fetch_url(place, known, cancel);
  return Refusal{.kind = RefusalKind::unreachable, .reason = place + ": there is no network here"};
}

Result<Fetched, Refusal> Fetcher::fetch_url(const std::string& place, const SourceFile* known,
                                            const runtime::Cancel& cancel) {
  std::string url = place;
  for (int hops = 0; hops <= kRedirectsMax; ++hops) {
    Fetched found;
    found.path = options_.spool + std::string(kSpoolMark) + std::to_string(++spools_);
    found.spooled = true;
    Spool spool(found.path, options_.room);
    if (spool.refusal()) return *spool.refusal();
    OutboundRequest request = request_for(url, known);
    request.sink = [&spool](std::string_view bytes) { return spool.write(bytes); };
    const OutboundAnswer answer = send(std::move(request), cancel);
    if (spool.refusal()) return *spool.refusal();
    if (cancel.fired()) {
      const bool late = cancel.reason() == runtime::CancelReason::deadline;
      return Refusal{.kind = late ? RefusalKind::deadline : RefusalKind::cancelled,
                     .reason = place + (late ? ": all of it did not end in time" : ": taken back")};
    }
    if (answer.failure == OutboundFailure::none && is_redirect(answer.status)) {
      const auto to = target(url, header_of(answer.headers, "Location"));
      if (!to) {
        return Refusal{.kind = RefusalKind::redirected,
                       .reason = place +
                                 ": it leads to where it may not: no URL, or one without "
                                 "the protection that it began with"};
      }
      url = *to;
      continue;
    }
    found.source = {.place = place,
                    .etag = validator(answer.headers, "ETag"),
                    .last_modified = validator(answer.headers, "Last-Modified")};
    if (answer.failure == OutboundFailure::none && answer.status == 200) return found;
    if (answer.failure == OutboundFailure::none && answer.status == 304 && known != nullptr) {
      Fetched same;
      same.source = *known;
      return same;
    }
    return refusal_of(place, answer);
  }
  return Refusal{
      .kind = RefusalKind::redirected,
      .reason = place + ": it leads on more than " + std::to_string(kRedirectsMax) + " times"};
}

Result<bool, Refusal> Fetcher::same(const SourceFile& known, const runtime::Cancel& cancel) {
  if (!is_url(known.place)) {
    auto found = of_this_machine(known.place, &known);
    if (!found) return found.error();
    return found->path.empty();
  }
  if (known.etag.empty() && known.last_modified.empty()) return true;
  std::string url = known.place;
  for (int hops = 0; hops <= kRedirectsMax; ++hops) {
    OutboundRequest request = request_for(url, &known);
    request.sink = [](std::string_view) { return false; };  // its head tells
    const OutboundAnswer answer = send(std::move(request), cancel);
    const auto to = target(url, header_of(answer.headers, "Location"));
    if (is_redirect(answer.status) && to) {
      url = *to;
      continue;
    }
    if (answer.status == 304) return true;
    if (answer.status != 200) return refusal_of(known.place, answer);
    return known.etag.empty() ? validator(answer.headers, "Last-Modified") == known.last_modified
                              : validator(answer.headers, "ETag") == known.etag;
  }
  return false;
}

}  // namespace trialward::formulary
