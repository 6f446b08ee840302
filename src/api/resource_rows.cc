#include "api/resource_rows.h"

#include <algorithm>

#include "api/lists.h"
#include "store/subject_rows.h"

namespace trialward::api {

using base::Result;
using model::StoredRecord;
using store::RecordRow;

namespace {

constexpr std::size_t kChainRows = 200;
constexpr std::size_t kPartsMax = 500;

using Found = std::optional<RecordRow>;

// The record that a subject's Patient is: the first version of the resource.
Result<Found> find_patient(store::Connection& connection, const ResourceKey& key) {
  auto subject = store::find_subject(connection, key.study, key.id);
  if (!subject) return subject.error();
  Found first;
  std::int64_t from = *subject ? (*subject)->last_record : 0;
  while (from != 0) {
    auto rows = store::read_chain(connection, from, kChainRows);
    if (!rows) return rows.error();
    for (RecordRow& row : *rows) {
      from = row.links.previous;
      const StoredRecord& stored = row.stored;
      if (stored.version == 1 && fhir::type_of(stored) == fhir::ResourceType::patient) {
        first = std::move(row);
      }
    }
  }
  return first;
}

Result<Found> find_first(store::Connection& connection, const ResourceKey& key) {
  if (key.type == fhir::ResourceType::patient) return find_patient(connection, key);
  const std::int64_t id = id_in(key.id);
  if (id == 0) return Found();
  auto row = store::read_record(connection, id);
  if (!row || !*row) return row;
  const RecordRow& found = **row;
  const bool fits = found.links.study == key.study && found.stored.record.amends == 0 &&
                    fhir::type_of(found.stored) == key.type;
  return fits ? std::move(row) : Result<Found>(Found());
}

}  // namespace

bool is_shown(const Principal& principal, const StoredRecord& stored) {
  const model::Record& record = stored.record;
  return (stored.flags & model::kPart) == 0 &&
         (principal.site.empty() || principal.site == record.site) &&
         (principal.subject.empty() || principal.subject == record.subject) &&
         (principal.source.empty() || principal.source == record.source);
}

Result<std::vector<RecordRow>> read_versions(store::Connection& connection, const ResourceKey& key,
                                             const Principal& principal) {
  std::vector<RecordRow> versions;
  auto first = find_first(connection, key);
  if (!first) return first.error();
  if (!*first || !is_shown(principal, (*first)->stored)) return versions;
  versions.push_back(std::move(**first));
  while (true) {
    RecordRow& last = versions.back();
    auto next = store::amended_by(connection, last.stored.id);
    if (!next) return next.error();
    last.stored.amended_by = *next;
    if (*next == 0) break;
    auto row = store::read_record(connection, *next);
    if (!row) return row.error();
    if (!*row) return base::Error{base::Errc::corrupt, "a record that amends is not there"};
    (*row)->stored.first = versions.front().stored.id;
    if (versions.size() == kVersionsMax) versions.erase(versions.begin() + 1);
    versions.push_back(std::move(**row));
  }
  std::reverse(versions.begin(), versions.end());
  return versions;
}

Result<Found> read_version(store::Connection& connection, const ResourceKey& key,
                           const Principal& principal, int version) {
  auto versions = read_versions(connection, key, principal);
  if (!versions) return versions.error();
  for (RecordRow& row : *versions) {
    if (version == kNewest || row.stored.version == version) return Found(std::move(row));
  }
  return Found();
}

Result<Found> read_demographics(store::Connection& connection, std::int64_t study,
                                const std::string& subject, const Principal& principal) {
  auto place = store::find_subject(connection, study, subject);
  if (!place) return place.error();
  std::int64_t from = *place ? (*place)->last_record : 0;
  while (from != 0) {
    auto rows = store::read_chain(connection, from, kChainRows);
    if (!rows) return rows.error();
    for (RecordRow& row : *rows) {
      from = row.links.previous;
      const bool newest =
          row.stored.amended_by == 0 && row.stored.record.kind == model::Kind::demographics;
      if (newest && is_shown(principal, row.stored)) return Found(std::move(row));
    }
  }
  return Found();
}

Result<std::vector<RecordRow>> read_parts(store::Connection& connection, const RecordRow& of) {
  const std::string prefix = of.stored.record.source_id + "#";
  auto rows = store::read_page(connection, {.study = of.links.study,
                                            .source = of.stored.record.source,
                                            .after_source_id = prefix,
                                            .until_id = store::kUntilNow,
                                            .limit = kPartsMax});
  if (!rows) return rows;
  std::erase_if(*rows, [&](const RecordRow& row) {
    return !row.stored.record.source_id.starts_with(prefix);
  });
  return rows;
}

}  // namespace trialward::api
