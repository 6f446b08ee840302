#include "cli/delivery_list.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "base/utf8.h"

namespace trialward::cli {
namespace {

constexpr std::size_t kColumns = 8;
using Row = std::array<std::string, kColumns>;

constexpr std::size_t kErrorBytesMax = 120;  // the whole is in --json

// For a terminal: what could steer it is not let through.
std::string shown(std::string_view text) {
  std::string cell(text);
  std::replace_if(
      cell.begin(), cell.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return cell.empty() ? "-" : cell;
}

// What the newest attempt says.
std::string last_error(simdjson::dom::element delivery) {
  simdjson::dom::array attempts;
  if (delivery["newest_attempts"].get(attempts) != simdjson::SUCCESS || attempts.size() == 0) {
    return "";
  }
  std::string_view error;
  if (attempts.at(attempts.size() - 1)["error"].get(error) != simdjson::SUCCESS) return "";
  const std::string begin = base::clean_line(error, kErrorBytesMax);
  return shown(begin) + (error.size() > kErrorBytesMax ? "…" : "");
}

bool read_row(simdjson::dom::element delivery, Row& row) {
  const std::array<const char*, kColumns - 1> keys = {"id",    "status",     "target",  "alert",
                                                      "event_type", "subject", "attempts"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    std::string_view text;
    std::int64_t number = 0;
    if (delivery[keys[i]].get(text) == simdjson::SUCCESS) {
      row[i] = shown(text);
    } else if (delivery[keys[i]].get(number) == simdjson::SUCCESS) {
      row[i] = std::to_string(number);
    } else {
      return false;
    }
  }
  row[kColumns - 1] = last_error(delivery);
  return true;
}

}  // namespace

base::Result<std::string> delivery_table(const std::string& lines) {
  std::vector<Row> rows = {
      {"ID", "STATUS", "TARGET", "ALERT", "EVENT", "SUBJECT", "ATTEMPTS", "LAST ERROR"}};
  simdjson::dom::parser parser;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    simdjson::dom::element delivery;
    Row row;
    if (parser.parse(line).get(delivery) != simdjson::SUCCESS || !read_row(delivery, row)) {
      return base::Error{base::Errc::unavailable, "the server's answer cannot be read"};
    }
    rows.push_back(std::move(row));
  }
  if (rows.size() == 1) return std::string("nothing is there to be delivered\n");
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const Row& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < kColumns; ++i) {
      text += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
    }
    table += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }
  return table;
}

}  // namespace trialward::cli
