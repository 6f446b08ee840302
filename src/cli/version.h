// The program's version, as CHANGELOG.md counts it.
#pragma once

namespace trialward::cli {

const char* version();

}  // namespace trialward::cli
