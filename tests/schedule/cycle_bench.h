// What the tests of a cycle and of its list have in common.
#pragma once

#include <string>
#include <string_view>

#include "tests/schedule/sync_bench.h"

namespace trialward::schedule {

class CycleBench : public SyncBench {
 protected:
  static std::int64_t of(const CycleReport& report, store::SyncState state) {
    return report.states[static_cast<std::size_t>(state)];
  }
  static base::OutboundAnswer list_page(const std::string& next, const std::string& entries = "") {
    std::string body = R"({"resourceType":"Bundle")";
    if (!entries.empty()) body += R"(,"entry":[)" + entries + "]";
    if (!next.empty()) body += R"(,"link":[{"relation":"next","url":")" + next + R"("}])";
    return {.status = 200, .body = body + "}"};
  }
  std::size_t calls_of(std::string_view method) {
    std::size_t found = 0;
    for (const std::string& call : memory_.calls) found += call.starts_with(method) ? 1 : 0;
    return found;
  }
};

}  // namespace trialward::schedule
