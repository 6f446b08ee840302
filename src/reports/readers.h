// The seam through which reports read the store: a connection for one page, and no longer. Who
// implements it takes a slot of the reports' budget (runtime::Gate), lends a connection for the
// time of the call, and gives both back before it returns; so a report holds no connection between
// two pages, and never two.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/cancel.h"
#include "store/connection.h"

namespace trialward::reports {

class Readers {
 public:
  using Read = std::function<base::Status(store::Connection&)>;
  virtual ~Readers() = default;
  // Calls `read` once, on this thread, outside of a transaction: each of its statements sees one
  // state of its own, and each page is one statement. Errors: read's own; those of waiting for a
  // connection (refused, deadline, cancelled, unavailable).
  virtual base::Status lend(const Read& read) = 0;
};

// Over one connection that its owner keeps, for the command line and for tests.
class OneReader final : public Readers {
 public:
  explicit OneReader(store::Connection& connection) : connection_(connection) {}
  base::Status lend(const Read& read) override { return read(connection_); }

 private:
  store::Connection& connection_;
};

// A page's statement is dropped, and the rest becomes the next page, once it has run so long: well
// below the second that no read transaction may last.
inline constexpr std::chrono::milliseconds kPageTimeMax{250};
inline constexpr std::int64_t kPageIds = 8192;  // a page looks at so many ids at most

// What every reading of pages needs.
struct Reading {
  Readers& readers;
  const base::Clock& clock;  // only for how long pages run, never for what is in them
  const runtime::Cancel& cancel;
};

// Lends a connection for one page, whose statement stops when `cancel` fires. Errors: cancelled,
// with the reason in words, also when it fired before.
base::Status read_page(const Reading& reading, const Readers::Read& read);

}  // namespace trialward::reports
