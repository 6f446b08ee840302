// The outbox, compared with what the audited delivery_outcomes say must be in it: each delivery
// that was queued and neither taken nor discarded has its row, no row is there that nobody queued,
// and each is in the state that the last outcome left it in. What cannot be known is left out:
// whether a row that is settled was cleaned up in time, and attempts that failed, which are not
// audited.
//
// Rows of events from before deliveries were audited (store/schema.h, version 6) have no `queued`;
// they are compared with the outcomes that there are.
// One thread. Errors: corrupt, which names the first bad entry; cancelled, unavailable.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "store/connection.h"

namespace trialward::records {

// A page at a time, each in a read transaction of its own.
class OutboxCheck {
 public:
  explicit OutboxCheck(store::Connection& reader) : reader_(reader) {}

  // False when all is checked.
  base::Result<bool> check_next();

 private:
  base::Result<bool> check_page();
  base::Status begin();
  base::Status check_outcomes();
  base::Result<bool> check_rows();
  base::Status check_counts();

  store::Connection& reader_;
  bool begun_ = false;
  std::int64_t audited_from_ = 0;  // the first event of which it was audited that it was queued
  std::int64_t outcomes_ = 0;      // outcomes up to this one were looked at
  std::int64_t outcomes_last_ = 0;
  std::int64_t row_ = 0, event_ = 0;  // the last row that was looked at
  bool rows_begun_ = false;
};

}  // namespace trialward::records
