#include "api/connection_room.h"

#include "base/file_limit.h"
#include "base/log.h"
#include "schedule/partner.h"

namespace trialward::api {
namespace {

// Beside connections: the store, its readers and side files, the threads' wake-ups, connections
// that are being told that there is no room.
constexpr std::size_t kOtherFiles = 384;
constexpr std::size_t kTargetFiles = 384;
constexpr std::size_t kPartnerFiles = schedule::kInFlightMax;
constexpr std::size_t kConnectionsMin = 16;

}  // namespace

base::Status fit_connections(http::ServerOptions& main, const Called& called) {
  const std::size_t others = kOtherFiles + 2 * kSideConnectionsMax +
                             (called.targets ? kTargetFiles : 0) +
                             (called.partners ? kPartnerFiles : 0);
  const std::size_t files = base::raise_file_limit(others + main.connections_max);
  if (files < others + kConnectionsMin) {
    return base::Error{base::Errc::unavailable,
                       "the limit on open files is " + std::to_string(files) + ", at least " +
                           std::to_string(others + kConnectionsMin) + " are needed: ulimit -n"};
  }
  if (files < others + main.connections_max) {
    main.connections_max = files - others;
    base::log_warning("the limit on open files is " + std::to_string(files) + ", so at most " +
                      std::to_string(main.connections_max) + " connections are let in");
  }
  return {};
}

}  // namespace trialward::api
