#include "records/audit_scan.h"

#include "records/row_name.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Status;
using store::AuditEntry;
using store::SqlValue;
using store::Table;

namespace {

constexpr std::string_view kPage =
    "SELECT seq, shard, position, at_ms, actor, action, object_table, object, reason, hash "
    "FROM audit WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3";

// What an entry says of itself, before anything of it is believed.
AuditEntry entry_of(const store::Query& row) {
  AuditEntry entry;
  entry.seq = row.integer(0);
  entry.shard = static_cast<int>(row.integer(1));
  entry.position = row.integer(2);
  entry.at_ms = row.integer(3);
  entry.actor = row.text(4);
  entry.action = row.text(5);
  entry.object_table = row.text(6);
  entry.object = row.integer(7);
  entry.reason = row.text(8);
  return entry;
}

std::string entry_name(const AuditEntry& entry, std::span<const SqlValue> row) {
  const auto table = parse_table(entry.object_table);
  const std::string object = table
                                 ? row_name(*table, entry.object, row)
                                 : quoted(entry.object_table) + " " + std::to_string(entry.object);
  return "audit entry " + std::to_string(entry.seq) + " (shard " + std::to_string(entry.shard) +
         ", position " + std::to_string(entry.position) + ", " + printable(entry.action) + ", " +
         object + ")";
}

}  // namespace

AuditScan::AuditScan(store::Connection& reader, HeadReader* heads, std::string store_id)
    : reader_(reader), heads_(heads), store_id_(std::move(store_id)) {}

Status AuditScan::read_page(std::int64_t until) {
  if (!begun_) {
    begun_ = true;
    if (auto done = next_head(); !done) return done;
  }
  auto page = reader_.query(kPage, {seq_, until, kEntriesPerPage});
  if (!page) return page.error();
  for (std::int64_t count = 0; count < kEntriesPerPage; ++count) {
    const std::string place = "audit entry " + std::to_string(seq_ + 1);
    auto row = page->next();
    if (!row) return in_place(place, row.error());
    if (!*row && seq_ == until) return {};
    if (!*row || page->integer(0) != seq_ + 1) return bad(place, "it is missing");
    if (auto done = check_entry(*page); !done) return done;
    if (auto done = check_head(); !done) return done;
  }
  return {};
}

Status AuditScan::check_entry(const store::Query& page) {
  const AuditEntry entry = entry_of(page);
  const std::string_view hash = page.blob(9);
  const auto wrong = [&](const std::string& what) { return bad(entry_name(entry, row_), what); };
  row_.clear();
  if (page.integer(1) != entry.shard || entry.shard < 0 || entry.shard >= std::ssize(chains_)) {
    return wrong("there is no such shard");
  }
  store::ChainHead& chain = chains_[static_cast<std::size_t>(entry.shard)];
  if (entry.position != chain.position + 1) {
    return wrong("position " + std::to_string(chain.position + 1) + " comes next in this shard");
  }
  const auto table = parse_table(entry.object_table);
  if (!table) return wrong("there is no such table");
  std::int64_t& rows = rows_[static_cast<std::size_t>(*table)];
  if (entry.object != rows + 1) return wrong(row_name(*table, rows + 1) + " comes next");

  auto found = reader_.query(store::info(*table).select, {entry.object});
  if (!found) return in_place(entry_name(entry, {}), found.error());
  auto there = found->next();
  if (!there) return in_place(entry_name(entry, {}), there.error());
  if (!*there) return wrong("the row that it is about is missing");
  for (int i = 0; i < found->columns(); ++i) row_.push_back(found->value(i));
  const base::Digest computed = store::chain(chain.hash, entry, row_);
  // An empty reason is stored as NULL; the hash does not tell the two apart.
  const bool odd_reason = entry.reason.empty() && !page.null(8);
  if (hash != base::as_bytes(computed) || odd_reason) {
    return wrong("the entry, or the stored row that it is about, is not what was written");
  }
  if (auto done = check_row(*table, entry); !done) return wrong(done.error().message);
  chain = {entry.position, computed};
  ++rows;
  seq_ = entry.seq;
  return {};
}

Status AuditScan::check_row(Table table, const AuditEntry& entry) {
  if (table == Table::subjects) last_records_.push_back(0);
  if (table == Table::records) return check_record(entry);
  if (table == Table::alert_events) return check_event();
  return {};
}

std::int64_t AuditScan::integer(std::size_t column) const {
  const auto* value = std::get_if<std::int64_t>(&row_[column]);
  return value != nullptr ? *value : 0;
}

Status AuditScan::check_record(const AuditEntry& entry) {
  static const std::size_t kSubject = column(Table::records, "subject");
  static const std::size_t kShard = column(Table::records, "shard");
  static const std::size_t kPosition = column(Table::records, "position");
  static const std::size_t kPrevious = column(Table::records, "previous");
  if (integer(kShard) != entry.shard || integer(kPosition) != entry.position) {
    return Error{Errc::corrupt, "the record says that it is at shard " +
                                    std::to_string(integer(kShard)) + ", position " +
                                    std::to_string(integer(kPosition))};
  }
  const std::int64_t subject = integer(kSubject);
  if (subject < 1 || subject > std::ssize(last_records_)) {
    return Error{Errc::corrupt, "subject " + std::to_string(subject) + " was not enrolled before"};
  }
  std::int64_t& last = last_records_[static_cast<std::size_t>(subject - 1)];
  if (integer(kPrevious) != last) {
    return Error{Errc::corrupt, "the record follows record " + std::to_string(integer(kPrevious)) +
                                    ", but its subject's newest is " + std::to_string(last)};
  }
  last = entry.object;
  return {};
}

Status AuditScan::check_event() {
  static const std::size_t kStudy = column(Table::alert_events, "study");
  static const std::size_t kNumber = column(Table::alert_events, "number");
  std::int64_t& last = event_numbers_[integer(kStudy)];
  if (integer(kNumber) != last + 1) {
    return Error{Errc::corrupt, "the event has the number " + std::to_string(integer(kNumber)) +
                                    " in its study, but " + std::to_string(last + 1) +
                                    " comes next"};
  }
  ++last;
  return {};
}

Status AuditScan::next_head() {
  head_.reset();
  if (heads_ == nullptr) return {};
  auto head = heads_->next(store_id_);
  if (!head) return head.error();
  head_ = std::move(*head);
  return {};
}

Status AuditScan::check_head() {
  if (!head_ || head_->seq != seq_) return {};
  if (head_->digest != store::digest(chains_)) {
    const std::int64_t first = newest_head_ ? newest_head_->seq + 1 : 1;
    return bad("audit entries " + std::to_string(first) + " to " + std::to_string(seq_),
               "they are not those that the head of " + head_->at + " signed (line " +
                   std::to_string(heads_->line()) + " of the signed heads)");
  }
  newest_head_ = std::move(head_);
  ++heads_checked_;
  return next_head();
}

Status AuditScan::check_tail() {
  std::optional<SignedHead> newest;
  while (head_) {
    newest = head_;
    if (auto done = next_head(); !done) return done;
  }
  if (!newest) return {};
  // Read after the head: a running server signs only what it has committed.
  auto end = reader_.integer("SELECT coalesce(max(seq), 0) FROM audit");
  if (!end) return end.error();
  if (*end >= newest->seq) return {};
  const std::string cut = *end + 1 == newest->seq ? "entry " + std::to_string(newest->seq) + " is"
                                                  : "entries " + std::to_string(*end + 1) + " to " +
                                                        std::to_string(newest->seq) + " are";
  return bad("the store ends at entry " + std::to_string(*end),
             "the head signed at " + newest->at + " covers " + std::to_string(newest->seq) + ": " +
                 cut + " cut off");
}

}  // namespace trialward::records
