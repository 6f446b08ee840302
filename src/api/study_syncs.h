// The syncs of the server's studies with their partners, each with its way to the plan and to the
// store. start() and stop() belong to one thread; any may call the rest.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/read_pool.h"
#include "api/route.h"
#include "api/sync_ledger.h"
#include "api/sync_planner.h"
#include "schedule/sync.h"

namespace trialward::api {

class StudySyncs {
 public:
  struct Parts {
    const Studies& studies;
    const std::vector<schedule::Partner>& partners;
    intake::Intake& intake;
    ReadPool& reads;
    base::Outbound& outbound;
    base::Random& random;
    runtime::TaskList& tasks;
    std::function<bool()> on_duty;
  };
  // One for each study whose schedule names one of the partners.
  explicit StudySyncs(const Parts& parts);

  void start();
  void catch_up();
  void stop();
  // Null: the study has none.
  schedule::Sync* find(std::string_view study);
  schedule::SyncReports reports();

 private:
  struct One {
    One(SyncPlanner its_planner, SyncLedger its_ledger)
        : planner(std::move(its_planner)), ledger(std::move(its_ledger)) {}
    SyncPlanner planner;
    SyncLedger ledger;
    std::unique_ptr<schedule::Sync> sync;  // last: it uses the others
  };
  std::map<std::string, std::unique_ptr<One>, std::less<>> all_;  // by study; never changes
};

}  // namespace trialward::api
