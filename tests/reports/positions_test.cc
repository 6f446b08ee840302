#include "reports/positions.h"

#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class PositionsTest : public ReportBench {
 protected:
  Positions of_now(std::int64_t now_ms) {
    auto positions = positions_now(reading(), row_.study, now_ms);
    TW_CHECK(positions.ok());
    return *positions;
  }
};

TEST_F(PositionsTest, ArePlacesInWhatOnlyGrows) {
  enrol("A-1", "P");
  now_ms_ = kNow + 10;
  const Positions first = of_now(now_ms_);
  now_ms_ = kNow + 1000;
  enrol("A-2", "V");
  const Positions second = of_now(now_ms_);
  EXPECT_EQ(first.record, 2);
  EXPECT_EQ(second.record, 4);
  EXPECT_NE(first.audit_heads, second.audit_heads);
  EXPECT_LT(first.audit, second.audit);

  const auto by_time = positions_at(reading(), row_.study, first.as_of_ms);
  ASSERT_TRUE(by_time.ok()) << why(by_time);
  EXPECT_EQ(*by_time, first);
  const auto by_entry = positions_of(reading(), row_.study, {first.as_of_ms, first.audit, {}});
  ASSERT_TRUE(by_entry.ok()) << why(by_entry);
  EXPECT_EQ(*by_entry, first);
  EXPECT_EQ(*positions_of(reading(), row_.study, {second.as_of_ms, second.audit, {}}), second);
}

TEST_F(PositionsTest, AnEntryThatIsNotThereIsTold) {
  enrol("A-1", "P");
  const auto none = positions_of(reading(), row_.study, {kNow, 1'000'000, {}});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().message, "the audit trail has no entry 1000000");
  const auto before = positions_at(reading(), row_.study, 1);
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(before->record, 0);
}

TEST_F(PositionsTest, AreStoppedByCancelling) {
  cancel_.fire(runtime::CancelReason::deadline);
  EXPECT_EQ(positions_now(reading(), row_.study, kNow).error().code, base::Errc::cancelled);
  EXPECT_EQ(positions_at(reading(), row_.study, kNow).error().code, base::Errc::cancelled);
}

TEST(Place, IsReadAsItIsWritten) {
  const Place place{kNow, 42, {}};
  EXPECT_EQ(to_text(place), "2025-06-15T15:06:40.000Z@42");
  const auto read = parse_place(to_text(place));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->as_of_ms, kNow);
  EXPECT_EQ(read->audit, 42);
  const Place named{kNow, 42, "0123456789abcdef"};
  EXPECT_EQ(to_text(named), "2025-06-15T15:06:40.000Z@42@0123456789abcdef");
  const auto read_named = parse_place(to_text(named));
  ASSERT_TRUE(read_named);
  EXPECT_EQ(read_named->audit, 42);
  EXPECT_EQ(read_named->definition, named.definition);
  for (const char* text : {"2025-06-15T15:06:40.000Z@42@0123456789abcde",
                           "2025-06-15T15:06:40.000Z@42@0123456789abcdeg",
                           "2025-06-15T15:06:40.000Z@42@", "2025-06-15T15:06:40.000Z@@42"}) {
    EXPECT_FALSE(parse_place(text)) << text;
  }
  for (const char* text : {"", "@", "2025-06-15T15:06:40.000Z", "2025-06-15T15:06:40.000Z@",
                           "2025-06-15T15:06:40.000Z@-1", "2025-06-15T15:06:40.000Z@1x",
                           "yesterday@1", "2025-06-15T15:06:40.000Z@99999999999999999999"}) {
    EXPECT_FALSE(parse_place(text)) << text;
  }
}

}  // namespace
}  // namespace trialward::reports
