// The alerts of a dataset, as of recorded positions.
#include "reports/alert_history.h"

#include "store/alert_rows.h"
#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

class AlertHistoryTest : public ReportBench {
 protected:
  std::int64_t raise(const std::string& subject, std::vector<std::int64_t> causes,
                     const std::string& rule = "alt") {
    const model::RuleInfo info{.id = rule, .title = "ALT is high",
                               .severity = model::AlertSeverity::critical};
    std::int64_t alert = 0;
    commit([&] {
      auto done = store::raise_or_join(
          writer(),
          {.study = row_.study, .subject = subject_row(subject, "A"), .site = "A",
           .definition = row_.definition, .shard = model::shard_of(study_->id, subject)},
          info, {.causes = std::move(causes)}, {.actor = "monitor", .at_ms = now_ms_});
      ASSERT_TRUE(done.ok()) << why(done);
      alert = done->alert;
    });
    return alert;
  }
  void acknowledge(std::int64_t alert, std::int64_t at_ms) {
    commit([&] {
      const auto done = store::step_alert(writer(), row_.study, alert,
                                          {.type = model::AlertEventType::acknowledged},
                                          {.actor = "dr", .reason = "seen", .at_ms = at_ms});
      ASSERT_TRUE(done.ok()) << why(done);
    });
  }
  std::int64_t alt(const std::string& subject) {
    return add(subject, R"("kind":"lab","code":"ALT","value":200,"unit":"U/L",)"
                        R"("range":{"low":7,"high":40},"effective":"2024-02-01")");
  }
};

TEST_F(AlertHistoryTest, AreWhatTheirEventsMadeOfThemByThen) {
  enrol("A-1", "P");
  const std::int64_t first = alt("A-1"), second = alt("A-1");
  const std::int64_t alert = raise("A-1", {first});
  EXPECT_EQ(raise("A-1", {second}), alert);
  const Positions then = now();
  now_ms_ += 1000;
  acknowledge(alert, now_ms_);
  const Positions later = now();
  auto before = load(then), after = load(later);
  ASSERT_TRUE(before.ok() && after.ok());
  ASSERT_EQ((*before)->alerts.size(), 1u);
  ASSERT_EQ((*after)->alerts.size(), 1u);
  const AlertHistory &was = (*before)->alerts[0], &is = (*after)->alerts[0];
  EXPECT_EQ(was.alert, alert);
  EXPECT_EQ((*before)->subjects[was.subject].id, "A-1");
  EXPECT_EQ((*before)->text(was.title), "ALT is high");
  EXPECT_EQ((*before)->text(was.severity), "critical");
  EXPECT_EQ(was.raised_ms, kNow);
  EXPECT_EQ(was.causes, (std::vector{first, second}));
  EXPECT_TRUE(was.life->open());
  EXPECT_FALSE(was.acknowledged_ms);
  EXPECT_EQ(is.life->state, model::AlertState::acknowledged);
  EXPECT_EQ(is.acknowledged_ms, now_ms_);
}

TEST_F(AlertHistoryTest, AreReadOnlyWhenTheyAreAskedFor) {
  enrol("A-1", "P");
  raise("A-1", {alt("A-1")});
  auto without = load(now(), kAllDomains & ~kAlerts);
  ASSERT_TRUE(without.ok());
  EXPECT_TRUE((*without)->alerts.empty());
}

TEST_F(AlertHistoryTest, AreBounded) {
  enrol("A-1", "P");
  const std::int64_t record = alt("A-1");
  auto small = load(now());
  ASSERT_TRUE(small.ok());
  const std::size_t bytes = (*small)->bytes();
  for (int i = 0; i < 40; ++i) raise("A-1", {record}, "rule-" + std::to_string(i));
  const auto refused = load(now(), kAllDomains, bytes + 1000);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, base::Errc::refused);
  EXPECT_NE(refused.error().message.find("records and alerts take more"), std::string::npos);
}

TEST_F(AlertHistoryTest, OfOneSubjectStandInItsProfile) {
  enrol("A-1", "P");
  enrol("A-2", "V");
  const std::int64_t cause = alt("A-1");
  const std::int64_t alert = raise("A-1", {cause});
  const auto profile = [&](const char* subject) {
    return write({"subject-profile",
                  {.site = {}, .unblinded = false, .others = {{"subject", subject}}}});
  };
  EXPECT_NE(profile("A-1").find("\"" + std::to_string(alert) +
                                "\",\"2025-06-15T15:06:40.000Z\",\"ALT is high\",\"alt\","
                                "\"critical\",\"raised\",\"yes\",\"no\",\"\",\"" +
                                std::to_string(cause) + "\""),
            std::string::npos)
      << profile("A-1");
  EXPECT_EQ(profile("A-2").find("ALT is high"), std::string::npos);
}

}  // namespace
}  // namespace trialward::reports
