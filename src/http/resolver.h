// Resolver: addresses for the names of remotes, on threads of its own, because the C library's
// lookup can neither be cancelled nor given a deadline, and libcurl would wait for it when a
// request is taken back. At most `threads` lookups run and `queued_max` wait; each is limited by
// what the resolver of the C library is told on its threads (kLookupTry for each name server).
// What was found is kept for `keep`.
//
// Any thread may call anything. `done` is called once, on any thread, perhaps before resolve()
// returns. stop() returns when the lookups that run have ended.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/cancel.h"
#include "runtime/job_pool.h"
#include "runtime/task_list.h"

namespace trialward::http {

inline constexpr int kLookupTryS = 2;  // for a name server to answer; each is asked once

struct ResolverOptions {
  std::size_t threads = 4;
  std::size_t queued_max = 64;
  base::Duration deadline = std::chrono::seconds(10);  // of a lookup, waiting included
  base::Duration keep = std::chrono::seconds(30);
  std::size_t kept_max = 256;  // names
};

class Resolver {
 public:
  // Numeric addresses, the best first; never empty.
  using Addresses = std::vector<std::string>;
  using Answer = base::Result<Addresses>;
  using Done = std::function<void(Answer)>;
  // Blocks. Errors: not_found (no such name), unavailable.
  using Lookup = std::function<Answer(const std::string& host)>;

  Resolver(ResolverOptions options, runtime::TaskList& tasks, Lookup lookup = system_lookup);
  ~Resolver() { stop(); }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // A numeric address is its own answer, at once. Errors: those of the lookup; deadline; refused
  // (too many wait); cancelled (it has stopped).
  void resolve(const std::string& host, Done done);
  // The same for a thread that may wait; cancelled when `cancel` fires first.
  Answer wait_for(const std::string& host, const runtime::Cancel& cancel);
  void stop();

  // By getaddrinfo.
  static Answer system_lookup(const std::string& host);

 private:
  struct Kept {
    Addresses addresses;
    base::TimePoint until;
  };

  bool find_kept(const std::string& host, Addresses& addresses);
  void keep(const std::string& host, const Addresses& addresses);

  const ResolverOptions options_;
  const base::Clock& clock_;
  const Lookup lookup_;
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;  // guarded by mutex_
  runtime::JobPool jobs_;             // last: its threads use the rest
};

}  // namespace trialward::http
