// Streams rows of the store as lines, a page at a time: a read job makes a page's text, the page is
// written, and only when the peer has taken it the next one is read. So a slow reader holds no
// database connection, and no read transaction lasts longer than a page. What it does hold, a page,
// is limited in size, and in number for each token.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/answers.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "api/token_slots.h"
#include "runtime/memory_ladder.h"

namespace trialward::api {

// A page ends at about this size, or at a number of rows that its reader sets.
inline constexpr std::size_t kPageBytes = 128 << 10;

struct Page {
  std::string text;
  bool last = false;
};

// Makes the next page; called by one thread at a time.
using NextPage = std::function<base::Result<Page>(store::Connection&)>;

// All that a walk through rows has, each row a line. Walk::next(connection, at_end) gives a page's.
template <class Walk>
NextPage lines_of(Walk walk) {
  return [walk](store::Connection& connection) mutable -> base::Result<Page> {
    Page page;
    auto rows = walk.next(connection, page.last);
    if (!rows) return rows.error();
    for (const std::string& row : *rows) page.text += row + "\n";
    return page;
  };
}

struct ExportOptions {
  std::size_t exports_max = 64;  // at once
  std::size_t per_token_max = 4;
};

class Exports {
 public:
  Exports(ReadPool& reads, const TokenTable& tokens, const runtime::MemoryLadder& memory,
          const base::Clock& clock, ExportOptions options)
      : reads_(reads),
        tokens_(tokens),
        memory_(memory),
        clock_(clock),
        slots_(options.exports_max, options.per_token_max) {}

  // The decision that answers 200 and the lines of all pages, of this type, or 429. A failure on
  // the first page is answered as such; a later one, or the end of the token's validity, breaks the
  // connection, so that the client sees that something is missing.
  http::Decision answer(const Call& call, std::string name, NextPage next,
                        std::string_view content_type = kNdjson);

 private:
  class Stream;

  ReadPool& reads_;
  const TokenTable& tokens_;
  const runtime::MemoryLadder& memory_;
  const base::Clock& clock_;
  TokenSlots slots_;
};

}  // namespace trialward::api
