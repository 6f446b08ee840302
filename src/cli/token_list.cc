#include "cli/token_list.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <vector>

#include "api/tokens_api.h"
#include "model/effective_time.h"
#include "store/token_rows.h"

namespace trialward::cli {
namespace {

constexpr std::int64_t kPageRows = 500;

constexpr std::array<const char*, 8> kTitles = {"ID",      "ROLE",   "NAME",    "SITE",
                                                "SUBJECT", "SOURCE", "EXPIRES", "STATE"};
using TableRow = std::array<std::string, kTitles.size()>;

// The text of a member for a terminal: what could steer it is not let through.
std::string cell(simdjson::dom::element token, std::string_view member) {
  std::string_view text;
  if (token[member].get(text) != simdjson::SUCCESS || text.empty()) return "-";
  std::string shown(text);
  std::replace_if(
      shown.begin(), shown.end(),
      [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }, '?');
  return shown;
}

}  // namespace

base::Result<std::string> stored_token_lines(store::Connection& connection, std::int64_t study) {
  std::string lines;
  store::TokenPage page{.study = study, .limit = kPageRows};
  while (true) {
    auto rows = store::read_tokens(connection, page);
    if (!rows) return rows.error();
    for (const store::TokenRow& row : *rows) lines += api::token_json(row) + "\n";
    if (std::ssize(*rows) < page.limit) return lines;
    page.after = rows->back().id;
  }
}

base::Result<std::string> token_table(std::string_view lines, std::int64_t now_ms) {
  std::vector<TableRow> rows(1);
  std::copy(kTitles.begin(), kTitles.end(), rows.front().begin());
  simdjson::dom::parser parser;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size() - 1);
    simdjson::dom::element token;
    std::int64_t id = 0;
    bool revoked = false;
    if (parser.parse(simdjson::padded_string(lines.substr(0, end + 1))).get(token) !=
            simdjson::SUCCESS ||
        token["id"].get(id) != simdjson::SUCCESS ||
        token["revoked"].get(revoked) != simdjson::SUCCESS) {
      return base::Error{base::Errc::corrupt, "the list of tokens cannot be read"};
    }
    lines.remove_prefix(end + 1);
    const std::string expires = cell(token, "expires");
    const auto expires_ms = model::parse_instant(expires);
    const bool expired = expires_ms && *expires_ms <= now_ms;
    rows.push_back({std::to_string(id), cell(token, "role"), cell(token, "name"),
                    cell(token, "site"), cell(token, "subject"), cell(token, "source"), expires,
                    revoked ? "revoked" : expired ? "expired" : "valid"});
  }
  std::array<std::size_t, kTitles.size()> widths{};
  for (const TableRow& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string table;
  for (const TableRow& row : rows) {
    for (std::size_t i = 0; i + 1 < row.size(); ++i) {
      table += row[i] + std::string(widths[i] + 2 - row[i].size(), ' ');
    }
    table += row.back() + "\n";
  }
  return table;
}

}  // namespace trialward::cli
