// The rows of FHIR resources: a resource is a record, and its versions are the records that correct
// it. Its id is the first version's; a Patient's is its subject's. Errors are those of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/principal.h"
#include "fhir/resource.h"
#include "store/record_rows.h"

namespace trialward::api {

// The source of Patients, of which a subject has one whoever sends it; and of what comes from a
// token that has no source of its own ("fhir:SITE" if the token is of a site).
inline constexpr std::string_view kFhirSource = "fhir";

struct ResourceKey {
  std::int64_t study = 0;  // its row
  fhir::ResourceType type = fhir::ResourceType::observation;
  std::string id;
};

// Whether what stands in the row is shown to them, as something of its own. The row is of a first
// version: whoever sees that sees its corrections.
bool is_shown(const Principal& principal, const model::StoredRecord& stored);

// The same of a row of any version, whose `first` is filled in.
base::Result<bool> is_version_shown(store::Connection& connection, const Principal& principal,
                                    model::StoredRecord& stored);

inline constexpr int kNewest = 0;
// A version of it, from 1 on. Nothing when there is no such resource, or version, for them.
base::Result<std::optional<store::RecordRow>> read_version(store::Connection& connection,
                                                           const ResourceKey& key,
                                                           const Principal& principal, int version);
// Its versions, newest first, at most kVersionsMax of the newest.
inline constexpr std::size_t kVersionsMax = 200;
base::Result<std::vector<store::RecordRow>> read_versions(store::Connection& connection,
                                                          const ResourceKey& key,
                                                          const Principal& principal);

// The newest record of the subject's demographics; nothing when there is none for them.
base::Result<std::optional<store::RecordRow>> read_demographics(store::Connection& connection,
                                                                std::int64_t study,
                                                                const std::string& subject,
                                                                const Principal& principal);

// The parts that were stored with a version, each in its newest version and under the source id
// that it had then.
base::Result<std::vector<store::RecordRow>> read_parts(store::Connection& connection,
                                                       const store::RecordRow& of);

}  // namespace trialward::api
