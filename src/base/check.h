// Checks of invariants. They stay on in release builds: a broken invariant stops the process,
// because a server that goes on with a broken one writes wrong data. Input never fails a check.
#pragma once

namespace trialward::base {

// Prints the place and the expression to standard error and aborts.
[[noreturn]] void check_failed(const char* file, int line, const char* expression) noexcept;

}  // namespace trialward::base

#define TW_CHECK(expression)                  \
  ((expression) ? static_cast<void>(0)        \
                : ::trialward::base::check_failed(__FILE__, __LINE__, #expression))
