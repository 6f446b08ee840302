#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace trialward::base {

void check_failed(const char* file, int line, const char* expression) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant: %s\n", file, line, expression);
  std::abort();
}

}  // namespace trialward::base
