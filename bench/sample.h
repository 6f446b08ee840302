// A new store with invented records in it, stored by the server's own code, and these records'
// rows read back: what the raw-SQLite reference stores again under new source ids. So both store
// the same rows, also when the schema or the rules change. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/chain.h"
#include "store/connection.h"

namespace trialward::bench {

// A row of `records`, all columns in TableInfo's order. `original` is its column of that name, cut
// where the source id stood in it.
struct SampleRow {
  std::vector<store::SqlValue> values;
  std::string_view original_head, original_tail;
};

// A row of `subject_states`.
struct SampleState {
  std::int64_t last_record = 0;
};

struct Sample {
  std::vector<SampleRow> rows;
  std::vector<SampleState> states;  // by subject id; the first is nobody's
  store::ChainHeads heads{};
  std::int64_t last_record = 0;
  std::int64_t last_seq = 0;      // of audit
  std::deque<std::string> bytes;  // what the views above are of; its strings stay where they are
};

// A record's place among the columns of `records`; stops the process if there is no such column.
std::size_t record_column(std::string_view name);

// What the invented source ids begin with; a number follows.
inline constexpr std::string_view kSourceIdPrefix = "R-";

// Makes the store at `path`, where no file may be, with `stored` records of the folder's study; the
// rows read back are the last kSampleRows of them. The store is closed again.
inline constexpr std::size_t kSampleRows = 8192;
base::Result<Sample> make_sample(const std::string& path, const std::string& study_folder,
                                 std::size_t stored);

}  // namespace trialward::bench
