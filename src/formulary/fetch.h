// Fetcher: gets the files of a formulary, from this machine or by HTTP, to where they can be read
// as a stream: an answer is spooled to a file, whatever its size, and never held in memory. At most
// two files are spooled at a time, each up to file_bytes_max, and never into the disk's reserve.
//
// It follows a few redirects itself, never from https to http; it sends no credentials, and asks
// for nothing compressed. One thread, which waits; the answers come on the Outbound's.
#pragma once

#include <string>

#include "base/outbound.h"
#include "formulary/disk_room.h"
#include "formulary/list_image.h"
#include "formulary/refusal.h"
#include "runtime/cancel.h"

namespace trialward::formulary {

struct FetchOptions {
  std::string spool;                                      // what the names of its files begin with
  base::Duration timeout = std::chrono::minutes(10);      // of one file
  std::uint64_t file_bytes_max = std::uint64_t{4} << 30;  // as it is sent
  DiskRoom room;                                          // for what is spooled
};

inline constexpr std::string_view kSpoolMark = ".fetch-";  // follows FetchOptions::spool
inline constexpr int kRedirectsMax = 5;

bool is_url(std::string_view place);

// A file that is there to be read; one that was spooled is removed with this.
class Fetched {
 public:
  Fetched() = default;
  Fetched(Fetched&& other) noexcept;
  Fetched& operator=(Fetched&& other) noexcept;
  ~Fetched();

  std::string path;   // empty: it is as it was known
  SourceFile source;  // what it is now
  bool spooled = false;
};

class Fetcher {
 public:
  // `outbound` may be null: then no URL is reachable. Both must outlive it.
  Fetcher(FetchOptions options, base::Outbound* outbound)
      : options_(std::move(options)), outbound_(outbound) {}

  // With `known`, only if it has changed since.
  base::Result<Fetched, Refusal> fetch(const std::string& place, const SourceFile* known,
                                       const runtime::Cancel& cancel);
  // Whether it still is what it was a moment ago, as far as its server tells.
  base::Result<bool, Refusal> same(const SourceFile& known, const runtime::Cancel& cancel);

 private:
  base::Result<Fetched, Refusal> fetch_url(const std::string& place, const SourceFile* known,
                                           const runtime::Cancel& cancel);
  base::OutboundAnswer send(base::OutboundRequest request, const runtime::Cancel& cancel);
  base::OutboundRequest request_for(const std::string& url, const SourceFile* known) const;

  const FetchOptions options_;
  base::Outbound* const outbound_;
  std::uint64_t spools_ = 0;  // so far
};

}  // namespace trialward::formulary
