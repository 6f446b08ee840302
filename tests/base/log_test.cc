#include "base/log.h"

#include <gtest/gtest.h>

#include <regex>
#include <string>

namespace trialward::base {
namespace {

std::string logged(LogLevel threshold, LogLevel level, std::string_view message) {
  testing::internal::CaptureStderr();
  set_log_level(threshold);
  log(level, message);
  flush_log();
  set_log_level(LogLevel::info);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, OneLineWithTimeLevelAndText) {
  const std::string line = logged(LogLevel::info, LogLevel::warning, "disk {} nearly full");
  const std::regex shape(
      R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning disk \{\} nearly full\n)");
  EXPECT_TRUE(std::regex_match(line, shape)) << line;
}

TEST(Log, LeavesOutWhatIsBelowTheLevel) {
  EXPECT_EQ(logged(LogLevel::info, LogLevel::debug, "detail"), "");
  EXPECT_NE(logged(LogLevel::debug, LogLevel::debug, "detail"), "");
  EXPECT_EQ(logged(LogLevel::error, LogLevel::warning, "odd"), "");
  EXPECT_NE(logged(LogLevel::error, LogLevel::error, "broken"), "");
}

}  // namespace
}  // namespace trialward::base
