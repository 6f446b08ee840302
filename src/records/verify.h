// Reads a whole store again and tells whether anything in it is not what was written (P8).
//
// In this order, so that the first bad entry is the one that is named:
//   1. the schema: every table and index as a new store has them, and no trigger or other thing
//      beside them; and the name of the store
//   2. the audit trail from its first entry on: no entry missing, every hash right over the row
//      that the entry is about, every row of the audited tables there and named once, each
//      subject's records linked; and at each signed head the digest that was signed, up to the
//      newest
//   3. rows of the audited tables that no entry names
//   4. SQLite's own check of the file and its indexes
//   5. the caches (store/schema.h): the same as what the audited tables say
// It reads the store as of the moment it began, so a server may go on writing. Only step 4 is one
// read transaction however large the file is; all others last well under a second. Memory is
// bounded but for 8 bytes a subject and the records' ids of one subject.
//
// What it cannot see: a forger who can write the store and has no signed heads to fear can compute
// all hashes anew; and entries behind the newest head can be cut off. See records/heads.h.
//
// A saved watch can be compared only under the rules that it was saved with. They are looked for in
// the study's stored definitions; a watch of none of them is a bad entry. So whoever changes what
// Monitor::hash() says of the same rules must also have saved watches renewed in every store.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/study.h"
#include "model/watch.h"
#include "records/heads.h"
#include "runtime/cancel.h"
#include "store/connection.h"
#include "store/schema.h"

namespace trialward::records {

// A study's rules from the files of its definition; an error when they cannot be loaded.
using LoadMonitor = std::function<base::Result<std::shared_ptr<const model::Monitor>>(
    std::vector<model::DefinitionFile>)>;

// What is being read, and how much of it; total is 0 when it is not known.
struct VerifyProgress {
  std::string_view step;
  std::int64_t done = 0, total = 0;
};

struct VerifyOptions {
  LoadMonitor load_monitor;
  HeadReader* heads = nullptr;  // at its first line; none: the chain alone is checked
  std::function<void(const VerifyProgress&)> progress;
  runtime::Cancel cancel;
};

struct VerifyReport {
  std::optional<std::string> bad;  // the first bad entry, in words; none: all is as written
  std::string store_id;
  // How much was found to be right.
  std::int64_t entries = 0;
  std::array<std::int64_t, store::kTables> rows{};  // by store::Table
  std::int64_t heads = 0;
  std::optional<SignedHead> newest_head;  // of those
  std::int64_t watches = 0;
  std::int64_t watches_unknown = 0;  // saved under rules that cannot be loaded any more

  bool ok() const { return !bad; }
};

// `reader` is used by nobody else meanwhile. Errors: cancelled, unavailable: not known whether the
// store is right.
base::Result<VerifyReport> verify(store::Connection& reader, const VerifyOptions& options);

}  // namespace trialward::records
