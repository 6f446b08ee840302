#include "tests/faults/short_memory.h"

#include <sqlite3.h>

#include "base/check.h"

namespace trialward::faults {
namespace {

struct Plan {
  std::int64_t succeed = ShortMemory::kAll, fail = 0, failed = 0;
};
thread_local Plan plan;

bool refused() {
  if (plan.succeed > 0) {
    if (plan.succeed != ShortMemory::kAll) --plan.succeed;
    return false;
  }
  if (plan.fail == 0) return false;
  if (plan.fail != ShortMemory::kAll) --plan.fail;
  ++plan.failed;
  return true;
}

sqlite3_mem_methods real;

bool install() {
  TW_CHECK(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real) == SQLITE_OK);
  sqlite3_mem_methods wrapped = real;
  wrapped.xMalloc = [](int bytes) { return refused() ? nullptr : real.xMalloc(bytes); };
  wrapped.xRealloc = [](void* memory, int bytes) {
    return refused() ? nullptr : real.xRealloc(memory, bytes);
  };
  // Fails when SQLite is in use already.
  TW_CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &wrapped) == SQLITE_OK);
  return true;
}

[[maybe_unused]] const bool installed = install();

}  // namespace

void ShortMemory::fail_after(std::int64_t succeed, std::int64_t fail) {
  plan = {.succeed = succeed, .fail = fail};
}

void ShortMemory::restore() {
  plan.succeed = kAll;
  plan.fail = 0;
}

std::int64_t ShortMemory::failed() { return plan.failed; }

}  // namespace trialward::faults
