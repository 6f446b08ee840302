// The audit trail, read from its first entry on and compared with the rows that it is about and
// with the signed heads. On the way it gathers what the caches must say. verify.h tells the whole.
// One thread. Errors: corrupt, which names the first bad entry; cancelled, unavailable.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "records/heads.h"
#include "store/chain.h"
#include "store/connection.h"
#include "store/schema.h"

namespace trialward::records {

class AuditScan {
 public:
  // `heads` may be null.
  AuditScan(store::Connection& reader, HeadReader* heads, std::string store_id);

  // Checks up to kEntriesPerPage further entries, up to and with `until`.
  base::Status read_page(std::int64_t until);
  static constexpr std::int64_t kEntriesPerPage = 2000;

  // Checks the heads that are left after the last page; the store must reach the newest of them.
  base::Status check_tail();

  std::int64_t seq() const { return seq_; }  // of the last entry checked
  const store::ChainHeads& chains() const { return chains_; }
  // The rows named so far: their ids are 1 to this number, by store::Table.
  const std::array<std::int64_t, store::kTables>& rows() const { return rows_; }
  // The newest record of each subject, 0 for none; [0] is of the subject with the id 1.
  const std::vector<std::int64_t>& last_records() const { return last_records_; }
  // study → the number of its newest alert event.
  const std::map<std::int64_t, std::int64_t>& event_numbers() const { return event_numbers_; }
  std::int64_t heads() const { return heads_checked_; }
  const std::optional<SignedHead>& newest_head() const { return newest_head_; }

 private:
  base::Status check_entry(const store::Query& row);
  base::Status check_row(store::Table table, const store::AuditEntry& entry);
  base::Status check_record(const store::AuditEntry& entry);
  base::Status check_event();
  base::Status check_head();
  base::Status next_head();
  std::int64_t integer(std::size_t column) const;  // of row_

  store::Connection& reader_;
  HeadReader* const heads_;
  const std::string store_id_;

  std::int64_t seq_ = 0;
  store::ChainHeads chains_{};
  std::array<std::int64_t, store::kTables> rows_{};
  std::vector<std::int64_t> last_records_;
  std::map<std::int64_t, std::int64_t> event_numbers_;

  bool begun_ = false;
  std::optional<SignedHead> head_;  // the next to come
  std::optional<SignedHead> newest_head_;
  std::int64_t heads_checked_ = 0;

  std::vector<store::SqlValue> row_;  // what the entry is about, while its query is open
};

}  // namespace trialward::records
