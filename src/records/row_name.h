// How a row, and what is wrong with it, is told to people: "record 990 'lab-feed' 'A-1': WHAT".
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/connection.h"
#include "store/schema.h"

namespace trialward::records {

// "PLACE: what is wrong", with the code corrupt, or with that of the error.
base::Error bad(const std::string& place, const std::string& what);
base::Error in_place(const std::string& place, const base::Error& error);

std::optional<store::Table> parse_table(std::string_view name);

// The place of a column in TableInfo's order. The column exists.
std::size_t column(store::Table table, std::string_view name);

// By its id alone.
std::string row_name(store::Table table, std::int64_t id);
// With the words in it that people know it by; `row` holds all columns, or nothing.
std::string row_name(store::Table table, std::int64_t id, std::span<const store::SqlValue> row);

// Stored text as it may be shown: without control characters, and cut when it is long.
std::string printable(std::string_view text);
std::string quoted(std::string_view text);  // the same in single quotes

}  // namespace trialward::records
