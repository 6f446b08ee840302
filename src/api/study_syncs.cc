#include "api/study_syncs.h"

#include <algorithm>

#include "base/log.h"
#include "model/schedule.h"

namespace trialward::api {

StudySyncs::StudySyncs(const Parts& parts) {
  for (const auto& [id, study] : parts.studies) {
    const auto& schedule = study->study->schedule;
    if (schedule == nullptr || !schedule->sync) continue;
    const std::string& name = schedule->sync->partner;
    const auto partner =
        std::find_if(parts.partners.begin(), parts.partners.end(),
                     [&name](const schedule::Partner& one) { return one.name == name; });
    if (partner == parts.partners.end()) {
      base::log_warning("schedule: '" + id + "' is not kept in step with '" + name +
                        "': this server has no such partner");
      continue;
    }
    auto one = std::make_unique<One>(SyncPlanner(study), SyncLedger(parts.intake, study,
                                                                    "partner:" + name,
                                                                    parts.tasks.clock()));
    schedule::CycleOptions options{.study = id,
                                   .study_row = study->row,
                                   .definition = study->definition,
                                   .out_of_step_max_ms = schedule->sync->out_of_step_max_ms,
                                   .on_duty = parts.on_duty};
    one->sync = std::make_unique<schedule::Sync>(
        schedule::Sync::Parts{.outbound = parts.outbound,
                              .ledger = one->ledger,
                              .planner = one->planner,
                              .random = parts.random,
                              .tasks = parts.tasks},
        *partner, std::move(options), parts.reads.background());
    all_.emplace(id, std::move(one));
  }
}

void StudySyncs::start() {
  for (const auto& [id, one] : all_) one->sync->start();
}

void StudySyncs::catch_up() {
  for (const auto& [id, one] : all_) one->sync->catch_up();
}

void StudySyncs::stop() {
  for (const auto& [id, one] : all_) one->sync->stop();
}

schedule::Sync* StudySyncs::find(std::string_view study) {
  const auto found = all_.find(study);
  return found == all_.end() ? nullptr : found->second->sync.get();
}

schedule::SyncReports StudySyncs::reports() {
  schedule::SyncReports reports;
  for (const auto& [id, one] : all_) reports.emplace_back(id, one->sync->report());
  return reports;
}

}  // namespace trialward::api
