// The program's log: one line an event, to standard error, through spdlog. Thread-safe.
// Lines say what happened and name the thing; they never carry subject data or tokens.
#pragma once

#include <string_view>

namespace trialward::base {

enum class LogLevel { debug, info, warning, error, off };  // off: for set_log_level() alone

void set_log_level(LogLevel level);
void log(LogLevel level, std::string_view message);
inline void log_info(std::string_view message) { log(LogLevel::info, message); }
inline void log_warning(std::string_view message) { log(LogLevel::warning, message); }
inline void log_error(std::string_view message) { log(LogLevel::error, message); }
void flush_log();

}  // namespace trialward::base
