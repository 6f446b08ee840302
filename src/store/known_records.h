// Which records of a batch are stored already. Where each look-up is a way to a server and back
// they are made for the whole batch at once, at its start, or not at all: most records are new, and
// of one that is presumed to be and is not the insert fails. Elsewhere they are made one by one.
// Of one transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/record_rows.h"

namespace trialward::store {

// What names a record.
struct RecordKey {
  std::int64_t study = 0;  // its row
  std::string_view source, source_id;
};

class KnownRecords {
 public:
  // For the records that are about to be looked up; does nothing where it does not pay.
  base::Status prefetch(Connection& connection, const std::vector<RecordKey>& keys);
  // They are not looked up, unless they are asked for.
  void presume_new(const std::vector<RecordKey>& keys);
  bool presumed_new(const RecordKey& key) const;
  base::Result<std::optional<KnownRecord>> find(Connection& connection, const RecordKey& key);
  // It has been stored since.
  void add(const RecordKey& key, const KnownRecord& record);
  // Another transaction begins.
  void forget() {
    known_.clear();
    before_part_.clear();
  }
  // What becomes known from here on may be taken back.
  void begin_part() { before_part_.clear(); }
  void rolled_back_part();

 private:
  struct Entry {
    std::optional<KnownRecord> record;
    bool presumed = false;
  };
  using Entries = std::unordered_map<std::string, Entry>;
  static std::string name_of(const RecordKey& key);
  void set(Entries::iterator known, Entry entry);

  Entries known_;
  std::vector<std::pair<std::string, Entry>> before_part_;  // what was changed since, as it was
};

}  // namespace trialward::store
