#include "store/record_rows.h"

#include <simdjson.h>

#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "base/json_writer.h"
#include "model/study.h"

namespace trialward::store {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using model::Record;
using model::StoredRecord;

namespace {

template <class T>
SqlValue or_null(const std::optional<T>& value) {
  if (!value) return {};
  if constexpr (std::is_same_v<T, double>) {
    return *value;
  } else {
    return static_cast<std::int64_t>(*value);
  }
}

SqlValue id_or_null(std::int64_t id) { return id == 0 ? SqlValue{} : SqlValue{id}; }

std::string attributes_json(const Record& record) {
  if (record.attributes.empty()) return {};
  base::JsonWriter json;
  json.begin_object();
  for (const auto& [name, text] : record.attributes) json.member(name, text);
  return json.end_object().take();
}

Status read_attributes(std::string_view json, Record& record) {
  if (json.empty()) return {};
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(std::string(json)).get(object) != simdjson::SUCCESS) {
    return Error{Errc::corrupt, "the attributes cannot be read"};
  }
  for (const auto& [name, value] : object) {
    std::string_view text;
    if (value.get(text) != simdjson::SUCCESS) {
      return Error{Errc::corrupt, "the attributes are not texts"};
    }
    record.attributes.emplace_back(name, text);
  }
  return {};
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

base::Digest digest_of(std::string_view bytes) {
  base::Digest digest{};
  std::memcpy(digest.data(), bytes.data(), std::min(bytes.size(), digest.size()));
  return digest;
}

// A query over all columns of records, on its row.
Result<RecordRow> row_of(const Query& q) {
  RecordRow row;
  StoredRecord& stored = row.stored;
  Record& record = stored.record;
  int at = 0;
  const auto integer = [&] { return q.integer(at++); };
  const auto text = [&] { return std::string(q.text(at++)); };
  const auto instant = [&]() -> std::optional<std::int64_t> {
    const int column = at++;
    return q.null(column) ? std::nullopt : std::optional(q.integer(column));
  };
  stored.id = integer();
  row.links.study = integer();
  record.source = text();
  record.source_id = text();
  row.links.subject = integer();
  record.site = text();
  record.kind = static_cast<model::Kind>(integer());
  record.code = text();
  record.system = text();
  if (!q.null(at)) record.value.number = q.real(at);
  ++at;
  record.value.number_text = text();
  record.value.text = text();
  record.unit = text();
  record.value.not_done = text();
  record.range.low_text = text();
  record.range.high_text = text();
  record.range.low = number_of(record.range.low_text);
  record.range.high = number_of(record.range.high_text);
  record.effective = text();
  const auto from = instant();
  const auto until = instant();
  if (from && until) stored.interval = model::Interval{*from, *until};
  record.device_ms = instant();
  record.sent_ms = instant();
  record.author = text();
  record.visit = text();
  record.baseline = integer() != 0;
  if (const auto serious = instant()) record.serious = *serious != 0;
  record.severity = text();
  if (auto read = read_attributes(q.text(at++), record); !read) {
    return Error{Errc::corrupt,
                 "record " + std::to_string(stored.id) + ": " + read.error().message};
  }
  record.amends = integer();
  record.reason = text();
  stored.flags = static_cast<std::uint16_t>(integer());
  stored.version = static_cast<int>(integer());
  stored.received_ms = integer();
  stored.actor = text();
  stored.definition = integer();
  stored.shard = static_cast<int>(integer());
  stored.position = integer();
  row.links.previous = integer();
  row.links.content = digest_of(q.blob(at++));
  record.original = std::string(q.blob(at++));
  return row;
}

// What a query over `records r` selects for row_of, and after it the subject's name, which is not
// in that table: it is the same for all of a subject's rows.
std::string columns_of_row() {
  std::string columns = "r.";
  for (const char c : info(Table::records).columns) {
    columns += c;
    if (c == ' ') columns += "r.";
  }
  return columns + ", s.subject";
}
const std::string kRowColumns = columns_of_row();
const std::string kRowSubject = " LEFT JOIN subjects s ON s.id = r.subject ";

std::string select_rows(std::string_view where) {
  return "SELECT " + kRowColumns + " FROM records r" + kRowSubject + std::string(where);
}
// With what amends each: one look-up in an index that only corrections stand in.
std::string select_amended_rows(std::string_view where, std::string_view from = "records r") {
  return "SELECT " + kRowColumns + ", (SELECT a.id FROM records a WHERE a.amends = r.id) FROM " +
         std::string(from) + kRowSubject + std::string(where);
}

// `until_id`: the query selects what amends a row as well, which counts if its id is at most that.
Result<std::vector<RecordRow>> read_rows(Connection& connection, std::string_view sql,
                                         std::initializer_list<SqlValue> parameters,
                                         std::optional<std::int64_t> until_id = {}) {
  const int after = info(Table::records).column_count;
  std::vector<RecordRow> rows;
  auto query = connection.query(sql, parameters);
  if (!query) return query.error();
  while (true) {
    auto next = query->next();
    if (!next) return next.error();
    if (!*next) return rows;
    auto row = row_of(*query);
    if (!row) return row.error();
    if (query->null(after)) {
      return Error{Errc::corrupt, "record " + std::to_string(row->stored.id) +
                                      " is of a subject that is not there"};
    }
    row->stored.record.subject = query->text(after);
    if (until_id && query->integer(after + 1) <= *until_id) {
      row->stored.amended_by = query->integer(after + 1);
    }
    rows.push_back(std::move(*row));
  }
}

// A subject's $2 records from $1 along `previous`; each step leads to an older one.
constexpr std::string_view kChain =
    "WITH RECURSIVE chain (id, previous, place) AS ("
    "SELECT id, previous, CAST(1 AS BIGINT) FROM records WHERE id = $1 AND $2 > 0 UNION ALL "
    "SELECT r.id, r.previous, c.place + 1 FROM chain c "
    "JOIN records r ON r.id = c.previous AND r.id < c.id WHERE c.place < $2) ";

Error no_record(std::int64_t record) {
  return {Errc::corrupt, "record " + std::to_string(record) + " is not there"};
}

}  // namespace

Status append_record(Writer& writer, const StoredRecord& stored, const RecordLinks& links) {
  const Record& record = stored.record;
  const std::string attributes = attributes_json(record);
  const std::array<SqlValue, 39> values = {
      stored.id,
      links.study,
      std::string_view(record.source),
      std::string_view(record.source_id),
      links.subject,
      std::string_view(record.site),
      static_cast<std::int64_t>(record.kind),
      std::string_view(record.code),
      text_or_null(record.system),
      or_null(record.value.number),
      text_or_null(record.value.number_text),
      text_or_null(record.value.text),
      text_or_null(record.unit),
      text_or_null(record.value.not_done),
      text_or_null(record.range.low_text),
      text_or_null(record.range.high_text),
      text_or_null(record.effective),
      stored.interval ? SqlValue{stored.interval->from_ms} : SqlValue{},
      stored.interval ? SqlValue{stored.interval->until_ms} : SqlValue{},
      or_null(record.device_ms),
      or_null(record.sent_ms),
      text_or_null(record.author),
      text_or_null(record.visit),
      record.baseline ? SqlValue{std::int64_t{1}} : SqlValue{},
      or_null(record.serious),
      text_or_null(record.severity),
      text_or_null(attributes),
      id_or_null(record.amends),
      text_or_null(record.reason),
      std::int64_t{stored.flags},
      std::int64_t{stored.version},
      stored.received_ms,
      std::string_view(stored.actor),
      stored.definition,
      std::int64_t{stored.shard},
      stored.position,
      id_or_null(links.previous),
      Blob{base::as_bytes(links.content)},
      Blob{record.original},
  };
  const Act act{.actor = stored.actor,
                .action = record.amends == 0 ? "record.stored" : "record.corrected",
                .reason = record.reason,
                .at_ms = stored.received_ms};
  return writer.append(Table::records, stored.shard, act, values);
}

Result<std::optional<KnownRecord>> find_record(Connection& connection, std::int64_t study,
                                               std::string_view source,
                                               std::string_view source_id) {
  auto query = connection.query(
      "SELECT id, content FROM records WHERE study = $1 AND source = $2 AND source_id = $3",
      {study, source, source_id});
  if (!query) return query.error();
  auto row = query->next();
  if (!row) return row.error();
  if (!*row) return std::optional<KnownRecord>();
  return std::optional<KnownRecord>(KnownRecord{query->integer(0), digest_of(query->blob(1))});
}

Result<std::optional<RecordRow>> read_record(Connection& connection, std::int64_t id) {
  static const std::string kById = select_rows("WHERE r.id = $1");
  auto rows = read_rows(connection, kById, {id});
  if (!rows) return rows.error();
  if (rows->empty()) return std::optional<RecordRow>();
  return std::optional<RecordRow>(std::move(rows->front()));
}

Result<std::vector<RecordRow>> read_records_after(Connection& connection, std::int64_t id,
                                                  std::size_t limit) {
  static const std::string kAfter = select_rows("WHERE r.id > $1 ORDER BY r.id LIMIT $2");
  return read_rows(connection, kAfter, {id, static_cast<std::int64_t>(limit)});
}

// Each step leads to an older record, so that even a damaged chain ends.
Result<std::int64_t> first_version(Connection& connection, std::int64_t id) {
  return connection.integer(
      "WITH RECURSIVE versions (id, amends) AS ("
      "SELECT id, amends FROM records WHERE id = $1 UNION ALL "
      "SELECT r.id, r.amends FROM versions v JOIN records r ON r.id = v.amends AND r.id < v.id) "
      "SELECT min(id) FROM versions HAVING count(*) > 0",
      {id});
}

Result<std::int64_t> amended_by(Connection& connection, std::int64_t id) {
  auto found = connection.integer("SELECT id FROM records WHERE amends = $1", {id});
  if (found || found.error().code != Errc::not_found) return found;
  return std::int64_t{0};
}

Result<std::optional<std::vector<std::int64_t>>> chain_ids(Connection& connection,
                                                           std::int64_t from,
                                                           std::int64_t after) {
  auto query = connection.query(
      "WITH RECURSIVE chain (id, previous) AS ("
      "SELECT id, coalesce(previous, 0) FROM records WHERE id = $1 AND id > $2 UNION ALL "
      "SELECT r.id, coalesce(r.previous, 0) FROM chain c "
      "JOIN records r ON r.id = c.previous AND r.id < c.id WHERE c.previous > $2) "
      "SELECT id, previous FROM chain ORDER BY id DESC",
      {from, after});
  if (!query) return query.error();
  std::vector<std::int64_t> ids;
  std::int64_t next_id = from;
  while (true) {
    auto next = query->next();
    if (!next) return next.error();
    if (!*next) break;
    ids.push_back(query->integer(0));
    next_id = query->integer(1);
  }
  if (next_id != after) return std::optional<std::vector<std::int64_t>>();
  return std::optional(std::move(ids));
}

Result<std::vector<RecordRow>> read_chain(Connection& connection, std::int64_t from,
                                          std::size_t limit, std::int64_t until_id) {
  static const std::string kChainRows =
      std::string(kChain) +
      select_amended_rows("ORDER BY c.place", "chain c JOIN records r ON r.id = c.id");
  auto rows =
      read_rows(connection, kChainRows, {from, static_cast<std::int64_t>(limit)}, until_id);
  if (!rows) return rows;
  const std::int64_t next = rows->empty() ? from : rows->back().links.previous;
  if (next != 0 && rows->size() < limit) return no_record(next);
  return rows;
}

Result<HistoryPage> read_history(Connection& connection, std::int64_t from, std::size_t limit) {
  static const std::string kHistory =
      std::string(kChain) +
      "SELECT r.id, r.kind, r.code, r.number, r.text, r.not_done, r.effective, r.from_ms, "
      "r.until_ms, r.visit, r.serious, r.amends, r.flags, r.received_ms, r.previous, "
      "CASE WHEN r.kind IN (" +
      std::to_string(static_cast<int>(model::Kind::demographics)) + ", " +
      std::to_string(static_cast<int>(model::Kind::disposition)) +
      ") THEN r.attributes END FROM chain c JOIN records r ON r.id = c.id ORDER BY c.place";
  auto query = connection.query(kHistory, {from, static_cast<std::int64_t>(limit)});
  if (!query) return query.error();
  HistoryPage page;
  page.next = from;
  while (true) {
    auto next = query->next();
    if (!next) return next.error();
    if (!*next) break;
    StoredRecord& stored = page.records.emplace_back();
    Record& record = stored.record;
    stored.id = query->integer(0);
    record.kind = static_cast<model::Kind>(query->integer(1));
    record.code = query->text(2);
    if (!query->null(3)) record.value.number = query->real(3);
    record.value.text = query->text(4);
    record.value.not_done = query->text(5);
    record.effective = query->text(6);
    if (!query->null(7) && !query->null(8)) {
      stored.interval = model::Interval{query->integer(7), query->integer(8)};
    }
    record.visit = query->text(9);
    if (!query->null(10)) record.serious = query->integer(10) != 0;
    record.amends = query->integer(11);
    stored.flags = static_cast<std::uint16_t>(query->integer(12));
    stored.received_ms = query->integer(13);
    page.next = query->integer(14);
    if (auto read = read_attributes(query->text(15), record); !read) return read.error();
  }
  if (page.next != 0 && page.records.size() < limit) return no_record(page.next);
  return page;
}

Result<std::vector<RecordRow>> read_page(Connection& connection, const RecordPage& page) {
  const auto limit = static_cast<std::int64_t>(page.limit);
  if (page.source.empty()) {
    // "+ 0" keeps the planner on the primary key: the page is read in its order, without a sort.
    static const std::string kById = select_amended_rows(
        "WHERE r.study + 0 = $1 AND r.id > $2 AND r.id <= $3 ORDER BY r.id LIMIT $4");
    return read_rows(connection, kById, {page.study, page.after_id, page.until_id, limit},
                     page.until_id);
  }
  static const std::string kBySource = select_amended_rows(
      "WHERE r.study = $1 AND r.source = $2 AND r.source_id > $3 AND r.id <= $4 "
      "ORDER BY r.source_id LIMIT $5");
  return read_rows(connection, kBySource,
                   {page.study, std::string_view(page.source),
                    std::string_view(page.after_source_id), page.until_id, limit},
                   page.until_id);
}

Result<std::vector<RecordRow>> read_unfit(Connection& connection, std::int64_t study,
                                          std::int64_t after, std::size_t limit) {
  static_assert(model::kUnfit == 1024, "the condition is that of the index records_unfit");
  static const std::string kUnfitRows = select_amended_rows(
      "WHERE r.flags >= 1024 AND r.study = $1 AND r.id > $2 ORDER BY r.id LIMIT $3");
  return read_rows(connection, kUnfitRows, {study, after, static_cast<std::int64_t>(limit)},
                   kUntilNow);
}

Result<std::vector<RecordRow>> read_demographics(Connection& connection, std::int64_t subject,
                                                 std::size_t limit) {
  static_assert(static_cast<int>(model::Kind::demographics) == 0,
                "the condition is that of the index records_demographics");
  static const std::string kDemographics =
      select_amended_rows("WHERE r.kind = 0 AND r.subject = $1 ORDER BY r.id LIMIT $2");
  return read_rows(connection, kDemographics, {subject, static_cast<std::int64_t>(limit)},
                   kUntilNow);
}

Result<std::int64_t> last_record(Connection& connection) {
  return connection.integer("SELECT coalesce(max(id), 0) FROM records");
}

}  // namespace trialward::store
