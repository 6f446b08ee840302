#include "reports/past.h"

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class PastTest : public ReportBench {
 protected:
  // By another definition, and one more subject, each a second later.
  void SetUp() override {
    ReportBench::SetUp();
    first_ = study_;
    enrol("A-1", "P");
    positions_ = now();
    now_ms_ += 1000;
    use(study_with("[indicators]\nlate_days = 9\n"));
    now_ms_ += 1000;
    enrol("A-2", "V");
  }

  ReportStudy today() { return {study_, settings_, row_.study}; }
  AsOf then() const { return {positions_.as_of_ms, place_of(positions_)}; }
  Past::Found find(const AsOf& as_of) { return past_.find(reading(), today(), as_of, version_); }

  std::shared_ptr<const model::Study> first_;
  Positions positions_;
  std::uint64_t version_ = 1;
  Past past_{[this] { return version_; }, 2};
};

TEST_F(PastTest, GivesTheStudyByTheDefinitionOfThen) {
  auto found = find(then());
  ASSERT_TRUE(found.ok()) << why(found);
  EXPECT_EQ((*found)->positions.definition, first_->hash);
  EXPECT_EQ((*found)->study.study->hash, first_->hash);
  EXPECT_EQ((*found)->study.row, row_.study);
  EXPECT_EQ((*found)->positions.audit, positions_.audit);
  // Positions of an earlier program name no definition.
  found = find({positions_.as_of_ms, Place{positions_.as_of_ms, positions_.audit, {}}});
  ASSERT_TRUE(found.ok()) << why(found);
  EXPECT_EQ((*found)->study.study->hash, first_->hash);
  found = find({now_ms_, {}});
  ASSERT_TRUE(found.ok()) << why(found);
  EXPECT_EQ((*found)->study.study, study_) << "today's is not read again";
}

TEST_F(PastTest, ADefinitionThatIsNotThereIsTold) {
  Place place = place_of(positions_);
  place.definition = std::string(16, '0');
  const auto found = find({place.as_of_ms, place});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().message,
            "the store has no definition 0000000000000000 of the study, which the positions name");
}

TEST_F(PastTest, ReadsTheAuditTrailOnce) {
  const auto found = find(then());
  ASSERT_TRUE(found.ok());
  const int pages = readers_.pages;
  ++version_;
  EXPECT_EQ(*find(then()), *found);
  EXPECT_EQ(readers_.pages, pages);
  // What an instant means, until there are other commits.
  const AsOf instant{kNow, {}};
  ASSERT_TRUE(find(instant).ok());
  const int scanned = readers_.pages;
  EXPECT_GT(scanned, pages);
  ASSERT_TRUE(find(instant).ok());
  EXPECT_EQ(readers_.pages, scanned);
  ++version_;
  ASSERT_TRUE(find(instant).ok());
  EXPECT_GT(readers_.pages, scanned);
}

TEST_F(PastTest, P3RemembersNoMoreThanItMay) {
  const auto found = find(then());
  ASSERT_TRUE(find({kNow + 1, {}}).ok() && find({kNow + 2, {}}).ok());
  const int pages = readers_.pages;
  ASSERT_TRUE(find(then()).ok());
  EXPECT_GT(readers_.pages, pages) << "the oldest went";
}

TEST_F(PastTest, P5IsStoppedByCancelling) {
  cancel_.fire(runtime::CancelReason::requested);
  const auto found = find(then());
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, base::Errc::cancelled);
}

}  // namespace
}  // namespace trialward::reports
