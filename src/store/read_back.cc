#include "store/read_back.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "model/record.h"

namespace trialward::store {

using base::Result;
using model::ReadBack;

namespace {

// A version of a record as it is read back, and where it stands in time.
struct Candidate {
  std::int64_t at_ms = 0;
  ReadBack value;
};

std::string value_text(const Query& row) {
  for (const int column : {2, 3, 5}) {  // number_text, text, not_done
    if (!row.null(column)) return std::string(row.text(column));
  }
  return std::string(row.text(1));
}

// The current version of a record; nothing for one that is left out.
Result<std::optional<Candidate>> candidate(Connection& connection, std::int64_t record) {
  while (true) {
    auto newer = connection.integer("SELECT id FROM records WHERE amends = $1", {record});
    if (!newer && newer.error().code != base::Errc::not_found) return newer.error();
    if (!newer) break;
    record = *newer;
  }
  auto rows = connection.query(
      "SELECT kind, code, number_text, text, unit, not_done, coalesce(from_ms, received_ms), "
      "effective FROM records WHERE id = $1",
      {record});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) {
    return base::Error{base::Errc::corrupt, "record " + std::to_string(record) + " is not there"};
  }
  const auto kind = static_cast<model::Kind>(rows->integer(0));
  if (kind == model::Kind::exposure) return std::optional<Candidate>();
  return std::optional<Candidate>({.at_ms = rows->integer(6),
                                   .value = {.record = record,
                                             .kind = std::string(model::to_string(kind)),
                                             .code = std::string(rows->text(1)),
                                             .value = value_text(*rows),
                                             .unit = std::string(rows->text(4)),
                                             .effective = std::string(rows->text(7))}});
}

Result<std::vector<std::int64_t>> causes_of(Connection& connection, std::int64_t alert) {
  auto rows = connection.query(
      "SELECT record FROM alert_causes WHERE alert = $1 ORDER BY record DESC LIMIT $2",
      {alert, kReadBackRecordsMax});
  if (!rows) return rows.error();
  std::vector<std::int64_t> causes;
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row) return causes;
    causes.push_back(rows->integer(0));
  }
}

bool newer(const Candidate& a, const Candidate& b) {
  return std::tie(a.at_ms, a.value.record) > std::tie(b.at_ms, b.value.record);
}

std::string plain(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return "";
  std::string out(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
  for (char& c : out) {
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool same_value(std::string_view a, std::string_view b) {
  const std::string one = plain(a), other = plain(b);
  if (one == other) return true;
  const auto x = number(one);
  const auto y = number(other);
  return x && y && *x == *y;
}

// Quoted is what has to be typed, and nothing else.
std::string quoted(const ReadBack& value) {
  return '"' + value.value + '"' + (value.unit.empty() ? "" : " in " + value.unit) +
         " (record " + std::to_string(value.record) + ")";
}

// A record without a value stands with its code, which is not told twice.
bool is_code(const ReadBack& value) { return value.value == value.code; }

std::string demand(const ReadBack& value) {
  return (is_code(value) ? "" : "the value of " + value.code + ", ") + quoted(value) +
         (is_code(value) ? "" : ",") + " has to be read back";
}

std::string correction(const ReadBack& value) {
  return (is_code(value) ? "it is " : "the value of " + value.code + " is ") + quoted(value);
}

}  // namespace

Result<std::vector<ReadBack>> read_back_of(Connection& connection, std::int64_t alert) {
  auto causes = causes_of(connection, alert);
  if (!causes) return causes.error();
  std::map<std::pair<std::string, std::string>, Candidate> newest;  // by kind and code
  std::set<std::int64_t> seen;
  for (const std::int64_t cause : *causes) {
    auto found = candidate(connection, cause);
    if (!found) return found.error();
    if (!*found || !seen.insert((*found)->value.record).second) continue;
    Candidate& one = **found;
    const auto [place, is_new] = newest.try_emplace({one.value.kind, one.value.code}, one);
    if (!is_new && newer(one, place->second)) place->second = std::move(one);
  }
  std::vector<Candidate> all;
  for (auto& [key, one] : newest) all.push_back(std::move(one));
  std::sort(all.begin(), all.end(), newer);
  if (all.size() > kReadBackMax) all.resize(kReadBackMax);
  std::vector<ReadBack> values;
  for (Candidate& one : all) values.push_back(std::move(one.value));
  return values;
}

model::Faults compare_read_back(std::span<const ReadBack> expected,
                                std::span<const ReadBack> given) {
  model::Faults faults;
  for (const ReadBack& right : expected) {
    const auto read = std::find_if(given.begin(), given.end(), [&](const ReadBack& one) {
      return one.record == right.record;
    });
    if (read == given.end()) {
      faults.push_back({"/values", demand(right)});
      continue;
    }
    if (same_value(read->value, right.value) && read->unit == right.unit) continue;
    const std::string place = "/values/" + std::to_string(read - given.begin());
    faults.push_back({place, correction(right)});
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const bool known = std::any_of(expected.begin(), expected.end(), [&](const ReadBack& one) {
      return one.record == given[i].record;
    });
    if (known) continue;
    faults.push_back({"/values/" + std::to_string(i),
                      "record " + std::to_string(given[i].record) +
                          " is not one whose value the alert stands for now"});
  }
  return faults;
}

}  // namespace trialward::store
