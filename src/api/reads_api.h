// The routes that read records.
#pragma once

#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"

namespace trialward::api {

class ReadsApi {
 public:
  ReadsApi(ReadPool& reads, Exports& exports) : reads_(reads), exports_(exports) {}

  // GET /v1/studies/{study}/records: ?source=, ?after=, ?limit=; as lines all, else a page
  http::Decision records(const Call& call);
  // GET /v1/studies/{study}/subjects/{subject}/records: newest first; ?from=, ?limit=
  http::Decision subject_records(const Call& call);

 private:
  ReadPool& reads_;
  Exports& exports_;
};

}  // namespace trialward::api
