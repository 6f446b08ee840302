// The rows of records: appending them, and reading them again.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/sha256.h"
#include "model/record.h"
#include "store/writer.h"

namespace trialward::store {

// What a record's row holds beside the record.
struct RecordLinks {
  std::int64_t study = 0;
  std::int64_t subject = 0;   // the subject's row
  std::int64_t previous = 0;  // the subject's record before this one; 0 for none
  base::Digest content{};     // SHA-256 of model::canonical_content
};

// Appends with the action record.stored or record.corrected. record.id, shard and position must be
// the writer's next. Errors: conflict (source id taken, or the amended record amended already).
base::Status append_record(Writer& writer, const model::StoredRecord& record,
                           const RecordLinks& links);

struct KnownRecord {
  std::int64_t id = 0;
  base::Digest content{};
};
base::Result<std::optional<KnownRecord>> find_record(Connection& connection, std::int64_t study,
                                                     std::string_view source,
                                                     std::string_view source_id);

// A record with the links that lead from it.
struct RecordRow {
  model::StoredRecord stored;
  RecordLinks links;
};
// Nothing when there is no such record. Does not look for what amends it.
base::Result<std::optional<RecordRow>> read_record(Connection& connection, std::int64_t id);

// The records after an id, of all studies, in the order of their ids. Does not look for what amends
// them.
base::Result<std::vector<RecordRow>> read_records_after(Connection& connection, std::int64_t id,
                                                        std::size_t limit);

// The first version of a record: the id at the end of its chain of `amends`, itself when it is no
// correction. Errors: not_found.
base::Result<std::int64_t> first_version(Connection& connection, std::int64_t id);

// The id of the record that amends this one; 0 when none does.
base::Result<std::int64_t> amended_by(Connection& connection, std::int64_t id);

// The ids from `from` along `previous` down to `after` (0: the last), newest first, without that;
// nothing when the chain does not come by it.
base::Result<std::optional<std::vector<std::int64_t>>> chain_ids(Connection& connection,
                                                                 std::int64_t from,
                                                                 std::int64_t after);

// Up to `limit` records from `from` along `previous`: a subject's records, newest first, with what
// amends them, if its id is at most `until_id`.
inline constexpr std::int64_t kUntilNow = std::numeric_limits<std::int64_t>::max();
base::Result<std::vector<RecordRow>> read_chain(Connection& connection, std::int64_t from,
                                                std::size_t limit,
                                                std::int64_t until_id = kUntilNow);

// A page of a subject's records, newest first, along `previous`, in one statement and without what
// is long: the ids, kind, code, visit, value, not_done, effective time, amends, seriousness, flags
// and the time of receipt; and the attributes of demographics and dispositions.
struct HistoryPage {
  std::vector<model::StoredRecord> records;
  std::int64_t next = 0;  // where the next page begins; 0: there is none
};
base::Result<HistoryPage> read_history(Connection& connection, std::int64_t from,
                                       std::size_t limit);

// A page through a study's records; the next page starts behind the last row's place.
struct RecordPage {
  std::int64_t study = 0;
  std::string source;           // empty: of every source, ordered by id; else by source id
  std::string after_source_id;  // with a source
  std::int64_t after_id = 0;    // without one
  std::int64_t until_id = 0;    // the state as of this record, inclusive; also of `amended_by`
  std::size_t limit = 500;
};
base::Result<std::vector<RecordRow>> read_page(Connection& connection, const RecordPage& page);

// The records that were kept though they do not fit (model::kUnfit), with an id above `after`; also
// those that were corrected since: see `amended_by`.
base::Result<std::vector<RecordRow>> read_unfit(Connection& connection, std::int64_t study,
                                                std::int64_t after, std::size_t limit);

// A subject's demographics, by its row, in the order of their ids.
base::Result<std::vector<RecordRow>> read_demographics(Connection& connection,
                                                       std::int64_t subject, std::size_t limit);

// The newest record's id; 0 in an empty store.
base::Result<std::int64_t> last_record(Connection& connection);

}  // namespace trialward::store
