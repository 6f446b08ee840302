// RemoteBook: the figures of each remote that something was sent to. Bounded: those that are idle
// make room for new ones. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "http/outbound_client.h"

namespace trialward::http {

class RemoteBook {
 public:
  static constexpr std::size_t kRemotesMax = 256;

  void waits(const std::string& remote);
  void begins(const std::string& remote);
  // `begun`: whether it was in flight, or still waited.
  void ends(const std::string& remote, bool begun, const base::OutboundAnswer& answer,
            std::uint64_t bytes_out, std::uint64_t bytes_in);
  std::vector<RemoteStats> stats() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, RemoteStats> remotes_;  // guarded by mutex_
};

}  // namespace trialward::http
