#include "bench/sample.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "bench/submissions.h"
#include "intake/committer.h"
#include "store/store.h"

namespace trialward::bench {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using store::SqlValue;

namespace {

constexpr std::size_t kCommitRows = 1000;

Error failed(const std::string& what) { return {Errc::invalid, "the sample: " + what}; }

// Stores invented records as the server would, without alerts: raw SQLite raises none either.
Status store_records(store::Writer& writer, const std::string& study_folder, std::size_t count) {
  auto submissions = Submissions::open(writer, study_folder, {.alert_share = 0});
  if (!submissions) return submissions.error();
  const base::SystemClock clock;
  intake::Committer committer(writer, clock, {});
  for (std::size_t made = 0; made < count;) {
    auto batch = (*submissions)->next(std::min(kCommitRows, count - made));
    if (!batch) return batch.error();
    made += batch->size();
    if (auto done = all_stored(committer.commit(*batch).results); !done) return done;
  }
  return {};
}

// A column's value that outlives the query.
SqlValue keep(Sample& sample, const SqlValue& value) {
  const auto kept = [&](std::string_view bytes) {
    return std::string_view(sample.bytes.emplace_back(bytes));
  };
  if (const auto* text = std::get_if<std::string_view>(&value)) return kept(*text);
  if (const auto* blob = std::get_if<store::Blob>(&value)) return store::Blob{kept(blob->bytes)};
  return value;
}

Status read_rows(store::Connection& reader, Sample& sample) {
  const store::TableInfo& records = store::info(store::Table::records);
  auto query = reader.query("SELECT " + std::string(records.columns) +
                                " FROM records WHERE id > $1 ORDER BY id",
                            {sample.last_record - static_cast<std::int64_t>(kSampleRows)});
  if (!query) return query.error();
  while (true) {
    auto found = query->next();
    if (!found) return found.error();
    if (!*found) return {};
    SampleRow row;
    for (int i = 0; i < query->columns(); ++i) row.values.push_back(keep(sample, query->value(i)));
    const auto original = std::get<store::Blob>(row.values[record_column("original")]).bytes;
    const auto id = std::get<std::string_view>(row.values[record_column("source_id")]);
    const std::size_t place = original.find("\"" + std::string(id) + "\"");
    if (place == std::string_view::npos) return failed("a record's original lacks its source id");
    row.original_head = original.substr(0, place + 1);
    row.original_tail = original.substr(place + 1 + id.size());
    sample.rows.push_back(std::move(row));
  }
}

Status read_states(store::Connection& reader, Sample& sample) {
  auto query = reader.query("SELECT subject, last_record FROM subject_states");
  if (!query) return query.error();
  while (true) {
    auto found = query->next();
    if (!found) return found.error();
    if (!*found) return {};
    const auto subject = static_cast<std::size_t>(query->integer(0));
    if (subject >= sample.states.size()) sample.states.resize(subject + 1);
    sample.states[subject] = {.last_record = query->integer(1)};
  }
}

Status read_heads(store::Connection& reader, Sample& sample) {
  auto query = reader.query("SELECT shard, position, hash FROM shards");
  if (!query) return query.error();
  while (true) {
    auto found = query->next();
    if (!found) return found.error();
    if (!*found) return {};
    store::ChainHead& head = sample.heads.at(static_cast<std::size_t>(query->integer(0)));
    head.position = query->integer(1);
    TW_CHECK(query->blob(2).size() == head.hash.size());
    std::memcpy(head.hash.data(), query->blob(2).data(), head.hash.size());
  }
}

}  // namespace

std::size_t record_column(std::string_view name) {
  std::string_view rest = store::info(store::Table::records).columns;
  for (std::size_t index = 0;; ++index) {
    const std::size_t end = rest.find(", ");
    if (rest.substr(0, end) == name) return index;
    TW_CHECK(end != std::string_view::npos);
    rest.remove_prefix(end + 2);
  }
}

Result<Sample> make_sample(const std::string& path, const std::string& study_folder,
                           std::size_t stored) {
  base::SystemRandom random;
  auto store = store::Store::open(path, random);
  if (!store) return store.error();
  store::Writer& writer = (*store)->writer();
  if (auto done = store_records(writer, study_folder, stored); !done) return done.error();

  Sample sample;
  sample.last_seq = writer.last_seq();
  sample.last_record = writer.next_id(store::Table::records) - 1;
  store::Connection& reader = writer.connection();
  if (auto done = read_rows(reader, sample); !done) return done.error();
  if (auto done = read_states(reader, sample); !done) return done.error();
  if (auto done = read_heads(reader, sample); !done) return done.error();
  return sample;
}

}  // namespace trialward::bench
