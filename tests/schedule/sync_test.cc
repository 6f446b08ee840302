#include "schedule/sync.h"

#include "tests/schedule/sync_bench.h"

namespace trialward::schedule {
namespace {

using std::chrono::minutes;

// Stepped, under a clock that a test moves.
class CycleSyncTest : public SyncBench {
 protected:
  void SetUp() override {
    SyncBench::SetUp();
    if (store_ == nullptr) return;
    auto reader = store_->open_reader();
    ASSERT_TRUE(reader.ok());
    sync_ = std::make_unique<Sync>(Sync::Parts{.outbound = memory_,
                                               .ledger = *this,
                                               .planner = *this,
                                               .random = random_,
                                               .tasks = fake_tasks_},
                                   partner_,
                                   CycleOptions{.study = "s", .study_row = 1, .definition = 1},
                                   std::move(*reader));
  }
  void TearDown() override {
    sync_.reset();
    SyncBench::TearDown();
  }
  // The next cycle, a period later.
  CycleReport later() {
    fake_.advance(minutes(15));
    EXPECT_TRUE(sync_->step());
    return sync_->report().last.value();
  }

  base::FakeClock fake_;
  runtime::TaskList fake_tasks_{fake_};
  std::unique_ptr<Sync> sync_;
};

TEST_F(CycleSyncTest, AllIsListedAtTheStartOnceADayAndWhenTheListWasFoundWanting) {
  enrol(3);
  EXPECT_TRUE(sync_->step());
  EXPECT_TRUE(sync_->report().last->listed_whole);
  EXPECT_TRUE(later().listed_whole) << "nothing was there to list";
  std::int64_t looked = 0;
  for (int i = 1; i < 4 * 24; ++i) {
    const CycleReport report = later();
    EXPECT_FALSE(report.listed_whole) << i;
    looked += report.looked;
  }
  EXPECT_EQ(looked, 3);
  EXPECT_TRUE(later().listed_whole);
  memory_.plans.at("S-2").version = 9;
  memory_.plans.at("S-2").updated_ms -= kDay;
  for (int i = 1; i < 4 * 24; ++i) {
    if (later().unlisted) break;
  }
  EXPECT_TRUE(sync_->report().last->unlisted);
  EXPECT_TRUE(later().listed_whole);
  EXPECT_FALSE(later().listed_whole);
}

TEST_F(CycleSyncTest, ADryRunTakesNoCyclesPlace) {
  enrol(2);
  const auto last = [this] { return sync_->report().last->started_ms; };
  sync_->dry_run();  // while the first cycle is due
  EXPECT_TRUE(sync_->step());
  ASSERT_TRUE(sync_->report().dry && sync_->report().last);
  std::int64_t before = last();
  fake_.advance(minutes(1));
  sync_->run_now();
  sync_->dry_run();
  EXPECT_TRUE(sync_->step());
  EXPECT_GT(last(), before) << "both were asked for";
  // By itself it does not bring a cycle, nor does it put the next one off.
  before = last();
  fake_.advance(minutes(10));
  sync_->dry_run();
  EXPECT_TRUE(sync_->step());
  EXPECT_EQ(last(), before);
  fake_.advance(minutes(5));
  EXPECT_TRUE(sync_->step());
  EXPECT_GT(last(), before);
  // One that failed is tried again.
  enrol(1);
  planner_fails_ = true;
  EXPECT_EQ(later().error, "no plan");
  planner_fails_ = false;
  sync_->dry_run();
  EXPECT_TRUE(sync_->step());
  EXPECT_EQ(sync_->report().last->error, "");
}

}  // namespace
}  // namespace trialward::schedule
