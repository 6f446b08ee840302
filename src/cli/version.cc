#include "cli/version.h"

namespace trialward::cli {

// CMake passes in the project's.
const char* version() { return TRIALWARD_VERSION; }

}  // namespace trialward::cli
