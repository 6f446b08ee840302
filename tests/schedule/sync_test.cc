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

}  // namespace
}  // namespace trialward::schedule
