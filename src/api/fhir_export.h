// $export (FHIR Bulk Data Access 2): everything of the study as NDJSON, a file for each type of
// resource, as of the moment when it was asked for. Nothing is prepared or kept: a file is read as
// it is fetched, page by page in short reads, so that an export needs no disk and little memory,
// however large it is; and fetched again it is the same.
//
//   GET /fhir/$export?_type=…&_since=…   202, Content-Location: the status
//   GET /fhir/$export-status?…           200, the manifest: the files
//   GET /fhir/$export-file?…             one of them
#pragma once

#include "api/exports.h"
#include "api/fhir_study.h"
#include "api/route.h"

namespace trialward::api {

class FhirExport {
 public:
  FhirExport(ReadPool& reads, Exports& exports, const base::Clock& clock)
      : reads_(reads), exports_(exports), clock_(clock) {}

  http::Decision begin(const Call& call);
  http::Decision status(const Call& call);
  http::Decision cancel(const Call& call);  // there is nothing to end
  http::Decision file(const Call& call);

 private:
  ReadPool& reads_;
  Exports& exports_;
  const base::Clock& clock_;
};

}  // namespace trialward::api
