#include "records/row_name.h"

#include <array>

namespace trialward::records {

using store::SqlValue;
using store::Table;

namespace {

constexpr std::size_t kPrintableBytesMax = 80;

struct Words {
  std::string_view noun;
  std::array<std::string_view, 2> columns;  // that people know a row by
};
constexpr std::array<Words, store::kTables> kWords = {{
    {"study", {"study", ""}},
    {"definition", {"", ""}},
    {"subject", {"subject", ""}},
    {"record", {"source", "source_id"}},
    {"alert", {"rule", ""}},
    {"alert event", {"", ""}},
    {"token", {"name", ""}},
    {"revocation of a token", {"", ""}},
    {"outcome of a delivery", {"target", "outcome"}},
    {"detail of an alert event", {"", ""}},
    {"passing of time for a subject", {"", ""}},
    {"version of a subscription", {"status", ""}},
    {"appointment", {"activity", "state"}},
}};

const Words& words(Table table) { return kWords[static_cast<std::size_t>(table)]; }

}  // namespace

base::Error bad(const std::string& place, const std::string& what) {
  return {base::Errc::corrupt, place + ": " + what};
}

base::Error in_place(const std::string& place, const base::Error& error) {
  return {error.code, place + ": " + error.message};
}

std::optional<Table> parse_table(std::string_view name) {
  for (const Table table : store::all_tables()) {
    if (store::info(table).name == name) return table;
  }
  return std::nullopt;
}

std::size_t column(Table table, std::string_view name) {
  std::string_view rest = store::info(table).columns;
  for (std::size_t index = 0;; ++index) {
    const std::size_t end = rest.find(", ");
    if (rest.substr(0, end) == name) return index;
    TW_CHECK(end != std::string_view::npos);
    rest.remove_prefix(end + 2);
  }
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kPrintableBytesMax)) {
    out += static_cast<unsigned char>(c) < ' ' || c == 0x7f ? '?' : c;
  }
  return text.size() > kPrintableBytesMax ? out + "…" : out;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  out += printable(text);
  out += '\'';
  return out;
}

std::string row_name(Table table, std::int64_t id) {
  return std::string(words(table).noun) + " " + std::to_string(id);
}

std::string row_name(Table table, std::int64_t id, std::span<const SqlValue> row) {
  std::string name = row_name(table, id);
  for (const std::string_view known_by : words(table).columns) {
    if (known_by.empty() || row.empty()) continue;
    const SqlValue& value = row[column(table, known_by)];
    const auto* text = std::get_if<std::string_view>(&value);
    if (text == nullptr) continue;
    name += ' ';
    name += quoted(*text);
  }
  return name;
}

}  // namespace trialward::records
