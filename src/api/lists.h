// What the lists of the API have in common: how many rows a page has, where the next one begins,
// and that all of it can be had as lines. Any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "api/answers.h"
#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "base/json_writer.h"

namespace trialward::api {

inline constexpr std::int64_t kPageDefault = 100;
inline constexpr std::int64_t kPageMax = 500;
inline constexpr std::size_t kExportRows = 200;
inline constexpr std::int64_t kIdMax = std::numeric_limits<std::int64_t>::max();

// The positive number in a query member; `otherwise` when it is not there; 0 when it is no number
// from 1 to max.
std::int64_t number_in(const QueryMembers& query, std::string_view name, std::int64_t otherwise,
                       std::int64_t max);
// The positive number that a text is; 0 when it is none.
std::int64_t id_in(std::string_view text);

// The rows of a query's page, as JSON, up to about kPageBytes. `page.after` is moved on; `at_end`
// when there are none behind them.
template <class Row, class Page>
std::vector<std::string> rows_of(const std::vector<Row>& rows, Page& page, bool& at_end) {
  at_end = rows.size() < page.limit;
  std::vector<std::string> lines;
  std::size_t bytes = 0;
  for (const Row& row : rows) {
    if (bytes >= kPageBytes) {
      at_end = false;
      break;
    }
    lines.push_back(to_json(row));
    bytes += lines.back().size();
    page.after = row.id;
  }
  return lines;
}

struct ListParts {
  ReadPool& reads;
  Exports& exports;
};

// Answers with a walk through rows, `name` of them: all as lines, or a page {name:[…],"next":…} of
// as many as ?limit= says. The walk has `page.limit`, next(connection, at_end) as rows_of gives it,
// and put_next(json), where the next page begins.
template <class Walk>
http::Decision answer_list(const Call& call, ListParts parts, const std::string& name, Walk walk) {
  if (wants_ndjson(call.head)) {
    walk.page.limit = kExportRows;
    return parts.exports.answer(call, name + ".export", lines_of(walk));
  }
  const std::int64_t limit = number_in(call.query, "limit", kPageDefault, kPageMax);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 500");
  walk.page.limit = static_cast<std::size_t>(limit);
  return http::Accepted{.handler = [&reads = parts.reads, name,
                                    walk](std::shared_ptr<http::Exchange> exchange) {
    reads.run(
        ReadClass::view, name + ".page", {},
        [exchange, name, walk](store::Connection& connection) mutable {
          bool at_end = false;
          auto rows = walk.next(connection, at_end);
          if (!rows) return exchange->respond(error_response(rows.error()));
          base::JsonWriter json;
          json.begin_object().key(name).begin_array();
          for (const std::string& row : *rows) json.raw(row);
          json.end_array();
          if (!at_end) walk.put_next(json);
          exchange->respond(http::json_response(200, json.end_object().take()));
        },
        [exchange](std::string_view reason) { exchange->respond(busy_response(reason)); });
  }};
}

}  // namespace trialward::api
