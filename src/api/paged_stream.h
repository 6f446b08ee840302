// Streams rows of the store as lines, a page at a time: a read job makes a page's text, the page is
// written, and only when the peer has taken it the next one is read. So a slow reader holds no
// database connection, and no read transaction lasts longer than a page.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/read_pool.h"
#include "http/exchange.h"

namespace trialward::api {

struct Page {
  std::string text;
  bool last = false;
};

// Makes the next page; called by one thread at a time.
using NextPage = std::function<base::Result<Page>(store::Connection&)>;

// Answers `exchange` with 200 and the lines of all pages. A failure on the first page is answered
// as such; a later one breaks the connection, so that the client sees that something is missing.
void stream_pages(ReadPool& reads, std::string name, std::shared_ptr<http::Exchange> exchange,
                  NextPage next);

}  // namespace trialward::api
