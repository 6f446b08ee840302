#include "store/alert_rows.h"

#include "store/record_rows.h"
#include "store/study_rows.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;
using model::AlertEventType;

// Two studies with a subject each, of sites A and B, and three records of each subject.
class AlertRowsTest : public StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    commit([&] {
      for (std::int64_t study = 1; study <= 2; ++study) {
        ASSERT_TRUE(ensure_study(writer(), make_study("s" + std::to_string(study)), {}).ok());
        const std::string site = study == 1 ? "A" : "B";
        ASSERT_TRUE(append_subject(writer(), {.study = study, .subject = "P-1", .site = site},
                                   {.action = "subject.enrolled"})
                        .ok());
        for (int i = 1; i <= 3; ++i) {
          model::StoredRecord stored{.id = writer().next_id(Table::records),
                                     .position = writer().next_position(0)};
          stored.record.source = "lab";
          stored.record.source_id = "A-" + std::to_string(stored.id);
          ASSERT_TRUE(append_record(writer(), stored, {.study = study, .subject = study}).ok());
        }
      }
    });
  }

  static AlertPlace place(std::int64_t study = 1) {
    return {.study = study, .subject = study, .site = study == 1 ? "A" : "B", .definition = study};
  }
  AlertChange raise(std::vector<std::int64_t> causes, const std::string& group = "",
                    std::int64_t study = 1) {
    AlertChange change;
    commit([&] {
      auto done = raise_or_join(writer(), place(study), rule_, {.group = group, .causes = causes},
                                {.actor = "monitor", .at_ms = 10});
      ASSERT_TRUE(done.ok()) << why(done);
      change = *done;
    });
    return change;
  }
  base::Result<std::int64_t> try_acknowledge(std::int64_t alert, std::int64_t study = 1) {
    TW_CHECK(writer().begin().ok());
    auto done = step_alert(writer(), study, alert, {.type = AlertEventType::acknowledged},
                           {.actor = "safety", .reason = "a note", .at_ms = 20});
    TW_CHECK(writer().commit().ok());
    return done;
  }
  std::vector<std::int64_t> ids(const AlertPage& page) {
    auto alerts = read_alerts(connection(), page);
    EXPECT_TRUE(alerts.ok()) << why(alerts);
    std::vector<std::int64_t> all;
    for (const model::Alert& alert : *alerts) all.push_back(alert.id);
    return all;
  }

  const model::RuleInfo rule_{.id = "alt",
                              .version = 4,
                              .title = "ALT is high",
                              .severity = model::AlertSeverity::critical};
};

using Ids = std::vector<std::int64_t>;

TEST_F(AlertRowsTest, AMatchRaisesAnAlertWithAllItsParts) {
  const AlertChange change = raise({1, 2});
  EXPECT_TRUE(change.raised);
  EXPECT_EQ(change.alert, 1);
  EXPECT_EQ(change.event, 1);
  auto alerts = read_alerts(connection(), {.study = 1});
  ASSERT_TRUE(alerts.ok()) << why(alerts);
  ASSERT_EQ(alerts->size(), 1u);
  const model::Alert& alert = alerts->front();
  EXPECT_EQ(alert.id, 1);
  EXPECT_EQ(alert.subject, "P-1");
  EXPECT_EQ(alert.site, "A");
  EXPECT_EQ(alert.rule, "alt");
  EXPECT_EQ(alert.rule_version, 4);
  EXPECT_EQ(alert.title, "ALT is high");
  EXPECT_EQ(alert.severity, model::to_string(rule_.severity));
  EXPECT_EQ(alert.raised_ms, 10);
  EXPECT_EQ(alert.definition, 1);
  EXPECT_EQ(alert.status(), "open");
  ASSERT_EQ(alert.records.size(), 2u);
  EXPECT_EQ(alert.records[1].id, 2);
  EXPECT_EQ(alert.records[1].source, "lab");
  EXPECT_EQ(alert.records[1].source_id, "A-2");
}

TEST_F(AlertRowsTest, FurtherCausesJoinTheOpenAlertOnce) {
  raise({1});
  AlertChange change = raise({1, 2});
  EXPECT_FALSE(change.raised);
  EXPECT_EQ(change.alert, 1);
  EXPECT_EQ(change.event, 2);
  change = raise({2, 1});  // nothing new
  EXPECT_EQ(change.alert, 1);
  EXPECT_FALSE(change.event.has_value());
  auto events = read_alert_events(connection(), 1, 1, 10);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ(events->front().type, AlertEventType::joined);
  ASSERT_EQ(events->front().causes.size(), 1u);
  EXPECT_EQ(events->front().causes.front().id, 2);
  EXPECT_EQ(alerts_of_record(connection(), 1).value(), (Ids{1}));
  EXPECT_EQ(alerts_of_record(connection(), 3).value(), Ids{});
}

TEST_F(AlertRowsTest, AnotherGroupRuleOrSubjectRaisesAnotherAlert) {
  EXPECT_EQ(raise({1}, "ALT").alert, 1);
  EXPECT_EQ(raise({1}, "AST").alert, 2);
  EXPECT_EQ(raise({4}, "ALT", 2).alert, 3);
  EXPECT_EQ(alerts_of_record(connection(), 1).value(), (Ids{1, 2}));
}

TEST_F(AlertRowsTest, EventsAreNumberedInTheirStudyWithoutAGap) {
  raise({1});
  raise({4}, "", 2);
  raise({2});
  ASSERT_EQ(try_acknowledge(1).value(), 3);
  EXPECT_EQ(last_alert_event(connection(), 1).value(), 3);
  EXPECT_EQ(last_alert_event(connection(), 2).value(), 1);
  EXPECT_EQ(last_alert_event(connection(), 9).value(), 0);
  auto events = read_alert_events(connection(), 1, 0, 2);
  ASSERT_TRUE(events.ok());
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].number, 1);
  EXPECT_EQ((*events)[1].number, 2);
}

TEST_F(AlertRowsTest, AnEventTellsItsAlert) {
  raise({1});
  ASSERT_TRUE(try_acknowledge(1).ok());
  auto events = read_alert_events(connection(), 1, 1, 10);
  ASSERT_TRUE(events.ok());
  const model::AlertEvent& event = events->at(0);
  EXPECT_EQ(event.type, AlertEventType::acknowledged);
  EXPECT_EQ(event.at_ms, 20);
  EXPECT_EQ(event.actor, "safety");
  EXPECT_EQ(event.note, "a note");
  EXPECT_TRUE(event.causes.empty());
  EXPECT_EQ(event.alert, 1);
  EXPECT_EQ(event.subject, "P-1");
  EXPECT_EQ(event.site, "A");
  EXPECT_EQ(event.rule, "alt");
  EXPECT_EQ(event.title, "ALT is high");
  EXPECT_EQ(event.severity, model::to_string(rule_.severity));
}

TEST_F(AlertRowsTest, AcknowledgedItIsClosedAndTheNextCauseRaisesAnew) {
  raise({1});
  ASSERT_TRUE(try_acknowledge(1).ok());
  auto alerts = read_alerts(connection(), {.study = 1});
  ASSERT_TRUE(alerts.ok());
  EXPECT_EQ(alerts->front().status(), "acknowledged");
  EXPECT_EQ(alerts->front().acknowledged_ms, 20);
  EXPECT_EQ(alerts->front().acknowledged_by, "safety");
  EXPECT_EQ(alerts->front().note, "a note");
  const AlertChange next = raise({2});
  EXPECT_TRUE(next.raised);
  EXPECT_EQ(next.alert, 2);
  // The first does not become open again by the second.
  EXPECT_EQ(try_acknowledge(1).error().code, Errc::conflict);
  EXPECT_EQ(ids({.study = 1, .status = "open"}), (Ids{2}));
}

TEST_F(AlertRowsTest, OnlyAnAlertOfTheStudyIsAcknowledged) {
  raise({1});
  EXPECT_EQ(try_acknowledge(9).error().code, Errc::not_found);
  EXPECT_EQ(try_acknowledge(1, 2).error().code, Errc::not_found);
  EXPECT_EQ(count("SELECT count(*) FROM alert_events"), 1);
}

TEST_F(AlertRowsTest, PagesByStudySiteAndStatus) {
  raise({1}, "a");
  raise({2}, "b");
  raise({4}, "a", 2);
  raise({3}, "c");
  ASSERT_TRUE(try_acknowledge(2).ok());
  EXPECT_EQ(ids({.study = 1}), (Ids{1, 2, 4}));
  EXPECT_EQ(ids({.study = 1, .limit = 2}), (Ids{1, 2}));
  EXPECT_EQ(ids({.study = 1, .after = 2}), (Ids{4}));
  EXPECT_EQ(ids({.study = 1, .status = "open"}), (Ids{1, 4}));
  EXPECT_EQ(ids({.study = 1, .status = "acknowledged"}), (Ids{2}));
  EXPECT_EQ(ids({.study = 1, .site = "A"}), (Ids{1, 2, 4}));
  EXPECT_EQ(ids({.study = 1, .site = "B"}), Ids{});
  EXPECT_EQ(ids({.study = 2, .site = "B"}), (Ids{3}));
}

TEST_F(AlertRowsTest, TheSiteOfAnAlertIsToldInItsStudy) {
  raise({4}, "", 2);
  EXPECT_EQ(alert_site(connection(), 2, 1).value(), "B");
  EXPECT_EQ(alert_site(connection(), 1, 1).error().code, Errc::not_found);
  EXPECT_EQ(alert_site(connection(), 2, 2).error().code, Errc::not_found);
}

}  // namespace
}  // namespace trialward::store
