#include "http/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <sys/socket.h>

#include <condition_variable>
#include <memory>
#include <optional>

#include "runtime/wait.h"

namespace trialward::http {
namespace {

using base::Errc;
using base::Error;

constexpr std::size_t kAddressesMax = 8;

bool is_numeric(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), address) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// Calls back once, also when the job that should have done so was dropped.
class Promise {
 public:
  explicit Promise(Resolver::Done done) : done_(std::move(done)) {}
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  ~Promise() { give(Error{Errc::deadline, "the name could not be looked up in time"}); }
  void give(Resolver::Answer answer) {
    if (done_ == nullptr) return;
    std::exchange(done_, nullptr)(std::move(answer));
  }

 private:
  Resolver::Done done_;
};

// What a waiting thread and the lookup share.
struct Waited {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Resolver::Answer> answer;
};

}  // namespace

Resolver::Resolver(ResolverOptions options, runtime::TaskList& tasks, Lookup lookup)
    : options_(options),
      clock_(tasks.clock()),
      lookup_(std::move(lookup)),
      jobs_({.name = "resolve", .threads = options.threads, .queued_max = options.queued_max},
            tasks) {}

bool Resolver::find_kept(const std::string& host, Addresses& addresses) {
  const base::TimePoint now = clock_.now();
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(host);
  if (found == kept_.end()) return false;
  if (found->second.until <= now) {
    kept_.erase(found);
    return false;
  }
  addresses = found->second.addresses;
  return true;
}

void Resolver::keep(const std::string& host, const Addresses& addresses) {
  const base::TimePoint until = clock_.now() + options_.keep;
  const std::lock_guard lock(mutex_);
  if (kept_.size() >= options_.kept_max) kept_.clear();
  kept_[host] = {addresses, until};
}

void Resolver::resolve(const std::string& host, Done done) {
  Addresses addresses;
  if (is_numeric(host)) return done(Addresses{host});
  if (find_kept(host, addresses)) return done(std::move(addresses));
  const auto promise = std::make_shared<Promise>(std::move(done));
  auto job = jobs_.submit(host, clock_.now() + options_.deadline,
                          [this, host, promise](const runtime::Cancel&) -> base::Status {
                            Answer answer = lookup_(host);
                            if (answer) keep(host, *answer);
                            promise->give(std::move(answer));
                            return {};
                          });
  if (job) return;
  const bool stopped = job.error() == runtime::Refusal::closed;
  promise->give(Error{stopped ? Errc::cancelled : Errc::refused,
                      stopped ? "the server is stopping" : "too many names wait to be looked up"});
}

Resolver::Answer Resolver::wait_for(const std::string& host, const runtime::Cancel& cancel) {
  const auto waited = std::make_shared<Waited>();
  resolve(host, [waited](Answer answer) {
    const std::lock_guard lock(waited->mutex);
    waited->answer = std::move(answer);
    waited->changed.notify_all();
  });
  const auto wake = cancel.on_fire([waited](runtime::CancelReason) {
    const std::lock_guard lock(waited->mutex);
    waited->changed.notify_all();
  });
  std::unique_lock lock(waited->mutex);
  runtime::wait_until(waited->changed, lock, clock_, clock_.now() + options_.deadline,
                      [&] { return waited->answer.has_value() || cancel.fired(); });
  if (waited->answer) return std::move(*waited->answer);
  if (cancel.fired()) return Error{Errc::cancelled, "stopped while its name was looked up"};
  return Error{Errc::deadline, "the name could not be looked up in time"};
}

void Resolver::stop() { jobs_.stop(); }

Resolver::Answer Resolver::system_lookup(const std::string& host) {
  thread_local bool limited = false;
  if (!limited && ::res_ninit(&_res) == 0) {
    // Of this thread alone; the C library keeps what it is told here.
    _res.retrans = kLookupTryS;
    _res.retry = 1;
    limited = true;
  }
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    const bool unknown = code == EAI_NONAME || code == EAI_NODATA;
    return Error{unknown ? Errc::not_found : Errc::unavailable,
                 "'" + host + "': " + ::gai_strerror(code)};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
  Addresses addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (addresses.size() == kAddressesMax) break;
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  if (addresses.empty()) return Error{Errc::not_found, "'" + host + "' has no address"};
  return addresses;
}

}  // namespace trialward::http
