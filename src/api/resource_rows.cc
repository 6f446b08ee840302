#include "api/resource_rows.h"

#include <algorithm>

#include "api/lists.h"
#include "store/subject_rows.h"

namespace trialward::api {

using base::Result;
using model::StoredRecord;
using store::RecordRow;

namespace {

constexpr std::size_t kPartsMax = 500;

using Found = std::optional<RecordRow>;

constexpr std::size_t kDemographicsMax = 500;  // of a subject, that are looked at

// The record that a subject's Patient is: the first version of the resource.
Result<Found> find_patient(store::Connection& connection, const ResourceKey& key) {
  auto subject = store::find_subject(connection, key.study, key.id);
  if (!subject) return subject.error();
  if (!*subject) return Found();
  auto rows = store::read_demographics(connection, (*subject)->id, kDemographicsMax);
  if (!rows) return rows.error();
  for (RecordRow& row : *rows) {
    const StoredRecord& stored = row.stored;
    if (stored.version == 1 && fhir::type_of(stored) == fhir::ResourceType::patient) {
      return Found(std::move(row));
    }
  }
  return Found();
}

// Whether it is shown as a resource of the type. What did not fit is what it was meant to be, if it
// is a resource at all.
bool is_of_type(const StoredRecord& stored, fhir::ResourceType type) {
  if ((stored.flags & model::kUnfit) == 0) return fhir::type_of(stored) == type;
  return (stored.flags & model::kResource) != 0 &&
         type == fhir::ResourceType::questionnaire_response;
}

Result<Found> find_first(store::Connection& connection, const ResourceKey& key) {
  if (key.type == fhir::ResourceType::patient) return find_patient(connection, key);
  const std::int64_t id = id_in(key.id);
  if (id == 0) return Found();
  auto row = store::read_record(connection, id);
  if (!row || !*row) return row;
  const RecordRow& found = **row;
  const bool fits = found.links.study == key.study && found.stored.record.amends == 0 &&
                    is_of_type(found.stored, key.type);
  return fits ? std::move(row) : Result<Found>(Found());
}

}  // namespace

bool is_shown(const Principal& principal, const StoredRecord& stored) {
  const model::Record& record = stored.record;
  // Who the subject is, is of no source.
  const bool of_all = record.source == kFhirSource && record.kind == model::Kind::demographics;
  return (stored.flags & model::kPart) == 0 &&
         (principal.site.empty() || principal.site == record.site) &&
         (principal.subject.empty() || principal.subject == record.subject) &&
         (of_all || principal.source.empty() || principal.source == record.source);
}

Result<bool> is_version_shown(store::Connection& connection, const Principal& principal,
                              StoredRecord& stored) {
  if (stored.record.amends == 0) return is_shown(principal, stored);
  auto first = store::first_version(connection, stored.id);
  if (!first) return first.error();
  stored.first = *first;
  if (principal.source.empty()) return is_shown(principal, stored);
  auto row = store::read_record(connection, *first);
  if (!row) return row.error();
  return *row && is_shown(principal, (*row)->stored);
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
  auto row = find_first(connection, key);
  if (!row || !*row) return row;
  if (!is_shown(principal, (*row)->stored)) return Found();
  const std::int64_t first = (*row)->stored.id;
  std::int64_t id = first;
  for (int at = 1; version == kNewest || at < version; ++at) {
    auto next = store::amended_by(connection, id);
    if (!next) return next.error();
    if (*next == 0) break;
    id = *next;
  }
  if (id != first) {
    row = store::read_record(connection, id);
    if (!row) return row;
    if (!*row) return base::Error{base::Errc::corrupt, "a record that amends is not there"};
    (*row)->stored.first = first;
  }
  const bool found = version == kNewest || (*row)->stored.version == version;
  return found ? std::move(row) : Result<Found>(Found());
}

Result<Found> read_demographics(store::Connection& connection, std::int64_t study,
                                const std::string& subject, const Principal& principal) {
  auto place = store::find_subject(connection, study, subject);
  if (!place) return place.error();
  Found newest;
  if (!*place) return newest;
  auto rows = store::read_demographics(connection, (*place)->id, kDemographicsMax);
  if (!rows) return rows.error();
  for (RecordRow& row : *rows) {
    if (row.stored.amended_by == 0 && is_shown(principal, row.stored)) newest = std::move(row);
  }
  return newest;
}

Result<std::vector<RecordRow>> read_parts(store::Connection& connection, const RecordRow& of) {
  const std::string prefix = of.stored.record.source_id + "#";
  auto rows = store::read_page(connection, {.study = of.links.study,
                                            .source = of.stored.record.source,
                                            .after_source_id = prefix,
                                            .until_id = store::kUntilNow,
                                            .limit = kPartsMax});
  if (!rows) return rows;
  // Ids of others may begin so, too: what belongs to a resource says so, and is of its subject.
  std::erase_if(*rows, [&](const RecordRow& row) {
    const bool told = (row.stored.flags & (model::kPart | model::kTold)) != 0;
    return !told || row.links.subject != of.links.subject ||
           !row.stored.record.source_id.starts_with(prefix);
  });
  // One may have been corrected by itself.
  for (RecordRow& row : *rows) {
    while (row.stored.amended_by != 0) {
      auto newer = store::read_record(connection, row.stored.amended_by);
      if (!newer) return newer.error();
      if (!*newer) return base::Error{base::Errc::corrupt, "a record that amends is not there"};
      auto next = store::amended_by(connection, row.stored.amended_by);
      if (!next) return next.error();
      const std::string source_id = row.stored.record.source_id;
      row = std::move(**newer);
      row.stored.amended_by = *next;
      row.stored.record.source_id = source_id;
    }
  }
  return rows;
}

}  // namespace trialward::api
