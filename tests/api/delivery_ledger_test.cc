#include "api/delivery_ledger.h"

#include "tests/intake/bench_study.h"

namespace trialward::api {
namespace {

class DeliveryLedgerTest : public intake::StudyBench {
 protected:
  std::int64_t waiting(intake::Lane lane) const {
    return static_cast<std::int64_t>(
        intake_->lanes()[static_cast<std::size_t>(lane)].counts.items);
  }
  void make(intake::IntakeOptions options) {
    intake_ = std::make_unique<intake::Intake>(
        store_->writer(), clock_, std::move(options), [](std::vector<intake::Publication>) {},
        [](const intake::BatchReport&) {});
    ledger_ = std::make_unique<DeliveryLedger>(*intake_, studies_, clock_);
  }
  bool record() {
    return ledger_->record({{.delivery = 1, .outcome = "failed", .error = ""}},
                           [this](bool stored) { stored_ += stored ? 1 : 0; });
  }

  const Studies studies_;
  std::unique_ptr<intake::Intake> intake_;
  std::unique_ptr<DeliveryLedger> ledger_;
  int stored_ = 0;
};

// Batches are shortened for what the safety lane holds (docs/decisions/015, 018).
TEST_F(DeliveryLedgerTest, OutcomesDoNotTravelInTheSafetyLane) {
  make({});
  ASSERT_TRUE(record());
  EXPECT_EQ(waiting(intake::Lane::safety), 0);
  EXPECT_EQ(waiting(intake::Lane::live), 1);
  while (intake_->run_once()) {
  }
  EXPECT_EQ(stored_, 1);
}

TEST_F(DeliveryLedgerTest, UnlessTheLaneOfLiveRecordsHasNoPlace) {
  make({.live = {"live", 0, 0, 4, 4}});
  ASSERT_TRUE(record());
  EXPECT_EQ(waiting(intake::Lane::safety), 1);
  while (intake_->run_once()) {
  }
  EXPECT_EQ(stored_, 1);
  make({.safety = {"safety", 0, 0, 8, 4}, .live = {"live", 0, 0, 4, 4}});
  EXPECT_FALSE(record()) << "it is offered again";
}

}  // namespace
}  // namespace trialward::api
