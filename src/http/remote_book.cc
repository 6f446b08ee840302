#include "http/remote_book.h"

#include <algorithm>

namespace trialward::http {

void RemoteBook::waits(const std::string& remote) {
  const std::lock_guard lock(mutex_);
  if (remotes_.size() >= kRemotesMax && !remotes_.contains(remote)) {
    const auto idle = std::find_if(remotes_.begin(), remotes_.end(), [](const auto& one) {
      return one.second.waiting == 0 && one.second.in_flight == 0;
    });
    if (idle != remotes_.end()) remotes_.erase(idle);
  }
  RemoteStats& stats = remotes_[remote];
  stats.remote = remote;
  ++stats.waiting;
}

void RemoteBook::begins(const std::string& remote) {
  const std::lock_guard lock(mutex_);
  RemoteStats& stats = remotes_[remote];
  --stats.waiting;
  ++stats.in_flight;
}

void RemoteBook::ends(const std::string& remote, bool begun, const base::OutboundAnswer& answer,
                      std::uint64_t bytes_out, std::uint64_t bytes_in) {
  const std::lock_guard lock(mutex_);
  RemoteStats& stats = remotes_[remote];
  --(begun ? stats.in_flight : stats.waiting);
  ++stats.ended[static_cast<std::size_t>(answer.failure)];
  stats.bytes_out += begun ? bytes_out : 0;
  stats.bytes_in += bytes_in;
  stats.took += answer.took;
}

std::vector<RemoteStats> RemoteBook::stats() const {
  const std::lock_guard lock(mutex_);
  std::vector<RemoteStats> all;
  for (const auto& [remote, stats] : remotes_) all.push_back(stats);
  return all;
}

}  // namespace trialward::http
