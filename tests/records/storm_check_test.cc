#include "records/storm_check.h"

#include "tests/records/tampered_copy.h"

namespace trialward::records {
namespace {

// A store with a storm of four alerts, one of which was acknowledged.
class StormCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    TRIALWARD_NEEDS_STORE();
    escalation_.ladders[static_cast<std::size_t>(model::AlertSeverity::warning)].tiers = {
        {.targets = {"on-call"}, .after_ms = 60'000}};
    escalation_.storm = model::StormLimit{.subjects = 3, .within_ms = 3'600'000};
    SampleWriter writer(path_);
    writer.use_study("trial", "1");
    writer.escalation = &escalation_;
    for (int i = 0; i < 4; ++i) writer.add("P-" + std::to_string(i), 120);
    writer.acknowledge(2);
  }

  StorePlace place_;
  const std::string path_ = place_.store();
  model::Escalation escalation_;
};

TEST_F(StormCheckTest, AStormIsWhatItsAlertsEventsMakeOfIt) {
  Copy copy(path_);
  EXPECT_EQ(texts(copy.connection(),
                  "SELECT alert, count, waits, tier, since_utc_ms, last_utc_ms FROM alert_storms"),
            (std::vector<std::vector<std::string>>{
                {"3", "4", "1", "1", std::to_string(kNow + 5), std::to_string(kNow)}}));
  EXPECT_EQ(copy.verify(), "");
}

TEST_F(StormCheckTest, P8AFlippedColumnIsNamed) {
  Copy original(path_);
  const TableShape shape = shape_of(original.connection(), "alert_storms");
  ASSERT_EQ(shape.rows.size(), 1u);
  for (const auto& column : shape.columns) {
    if (column[0] == "since_ms") continue;  // on a clock that only the machine knew
    for (const std::string& value : other_values(column)) {
      Copy copy(path_);
      ASSERT_TRUE(copy.change("UPDATE alert_storms SET " + column[0] + " = " + value));
      EXPECT_TRUE(copy.verify().starts_with("alert_storms")) << column[0] << ' ' << copy.verify();
    }
  }
}

TEST_F(StormCheckTest, P8AMissingAndAnInventedStormAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      // Whichever of its alerts comes first: here the one that nobody waits for.
      {"DELETE FROM alert_storms", "alert_storms: the storm of alert 2 is missing"},
      {"INSERT INTO alert_storms SELECT 1, study, rule, severity, count, waits, tier, since_ms, "
       "since_utc_ms, last_utc_ms FROM alert_storms",
       "alert_storms, alert 1: there is no such alert, or it leads no storm"},
      {"INSERT INTO alert_storms SELECT -1, study, rule, severity, count, waits, tier, since_ms, "
       "since_utc_ms, last_utc_ms FROM alert_storms",
       "alert_storms, alert -1: there is no such alert"},
  };
  for (const auto& [sql, expected] : cases) {
    Copy copy(path_);
    ASSERT_TRUE(copy.change(sql));
    EXPECT_EQ(copy.verify(), expected) << sql;
  }
}

}  // namespace
}  // namespace trialward::records
