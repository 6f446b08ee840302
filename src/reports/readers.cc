#include "reports/readers.h"

#include "store/stopped_by.h"

namespace trialward::reports {
namespace {

base::Error cancelled(const runtime::Cancel& cancel) {
  return {base::Errc::cancelled,
          "the report was stopped: " + std::string(runtime::to_string(cancel.reason()))};
}

}  // namespace

base::Status read_page(const Reading& reading, const Readers::Read& read) {
  if (reading.cancel.fired()) return cancelled(reading.cancel);
  auto done = reading.readers.lend([&](store::Connection& connection) {
    const store::StoppedBy stopping(reading.cancel, connection);
    return read(connection);
  });
  if (reading.cancel.fired()) return cancelled(reading.cancel);
  return done;
}

}  // namespace trialward::reports
