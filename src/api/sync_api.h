// The routes of schedule sync (schedule/sync.h): how a study is doing with its partner, subject by
// subject, and a run at once. Borrows its parts, which must live longer; any thread may call it.
#pragma once

#include <functional>

#include "api/exports.h"
#include "api/read_pool.h"
#include "api/route.h"
#include "schedule/sync.h"

namespace trialward::api {

class SyncApi {
 public:
  // Null: the study is not kept in step with anybody.
  using Find = std::function<schedule::Sync*(std::string_view study)>;

  SyncApi(ReadPool& reads, Exports& exports, const base::Clock& clock, Find find)
      : reads_(reads), exports_(exports), clock_(clock), find_(std::move(find)) {}

  std::vector<Route> routes();

  // GET /v1/studies/{study}/schedule-sync: the cycle, the partner, and how many subjects are what;
  // a token of a site: how many of its subjects
  http::Decision summary(const Call& call);
  // GET …/schedule-sync/subjects: ?state=, ?site=, ?after=, ?limit=, ?format=csv; pages, lines, CSV
  http::Decision subjects(const Call& call);
  // GET …/schedule-sync/dry-run: what the last one would have changed
  http::Decision dry_run(const Call& call);
  // POST …/schedule-sync: {"dry_run":true} or {}; 202. Not by a token of a site
  http::Decision run(const Call& call);

 private:
  ReadPool& reads_;
  Exports& exports_;
  const base::Clock& clock_;
  const Find find_;
};

// The whole of a sync's report, as members of an object that is open.
void write_sync(base::JsonWriter& json, const schedule::SyncReport& report, base::TimePoint now);

}  // namespace trialward::api
