#include "model/alert_life.h"

#include <gtest/gtest.h>

#include <map>

namespace trialward::model {
namespace {

using enum AlertEventType;

AlertDetail detail_of(AlertEventType type) {
  AlertDetail detail;
  if (type == assessed) detail.assessment = Assessment{"related", "expected", "unknown"};
  if (type == merged) detail.duplicate_of = 7;
  if (type == stormed) detail.storm = 9;
  if (type == revised) detail.holds = false;
  if (type == escalated) detail.tier = 2;
  return detail;
}

// An alert to which all this has happened.
AlertLife after(std::initializer_list<AlertEventType> events) {
  std::optional<AlertLife> life;
  std::int64_t at_ms = 100;
  for (const AlertEventType type : events) {
    const auto done = take_event(life, type, detail_of(type), at_ms++);
    EXPECT_TRUE(done.ok()) << to_string(type) << ": " << (done ? "" : done.error().message);
  }
  return *life;
}

TEST(AlertLifeTest, EachStateAllowsItsEventsAndNoOthers) {
  const std::map<AlertState, AlertLife> lives = {
      {AlertState::raised, after({raised})},
      {AlertState::delivered, after({raised, delivered})},
      {AlertState::acknowledged, after({raised, acknowledged})},
      {AlertState::assessed, after({raised, acknowledged, assessed})},
      {AlertState::closed, after({raised, acknowledged, assessed, closed})},
  };
  const std::map<AlertState, std::map<AlertEventType, AlertState>> allowed = {
      {AlertState::raised,
       {{joined, AlertState::raised}, {delivered, AlertState::delivered},
        {escalated, AlertState::raised}, {acknowledged, AlertState::acknowledged},
        {stormed, AlertState::raised}, {revised, AlertState::raised}}},
      {AlertState::delivered,
       {{joined, AlertState::delivered}, {delivered, AlertState::delivered},
        {escalated, AlertState::delivered}, {acknowledged, AlertState::acknowledged},
        {stormed, AlertState::delivered}, {revised, AlertState::delivered}}},
      {AlertState::acknowledged,
       {{delivered, AlertState::acknowledged}, {assessed, AlertState::assessed},
        {merged, AlertState::closed}, {reopened, AlertState::raised},
        {stormed, AlertState::acknowledged}, {revised, AlertState::acknowledged}}},
      {AlertState::assessed,
       {{delivered, AlertState::assessed}, {assessed, AlertState::assessed},
        {closed, AlertState::closed}, {merged, AlertState::closed},
        {reopened, AlertState::raised}, {stormed, AlertState::assessed},
        {revised, AlertState::assessed}}},
      {AlertState::closed,
       {{delivered, AlertState::closed}, {reopened, AlertState::raised},
        {stormed, AlertState::closed}, {revised, AlertState::closed}}},
  };
  for (const auto& [state, life] : lives) {
    ASSERT_EQ(life.state, state);
    for (std::size_t i = 0; i < kAlertEventTypes; ++i) {
      const auto type = static_cast<AlertEventType>(i);
      std::optional<AlertLife> next = life;
      const auto done = take_event(next, type, detail_of(type), 500);
      const auto expected = allowed.at(state).find(type);
      EXPECT_EQ(done.ok(), expected != allowed.at(state).end())
          << to_string(state) << " " << to_string(type);
      if (done) {
        EXPECT_EQ(next->state, expected->second) << to_string(state) << " " << to_string(type);
      } else {
        EXPECT_EQ(done.error().code, base::Errc::conflict);
        EXPECT_EQ(*next, life) << "a refused event changed it";
      }
    }
  }
}

TEST(AlertLifeTest, ARefusalNamesWhatIsAllowed) {
  std::optional<AlertLife> life = after({raised, acknowledged});
  EXPECT_EQ(take_event(life, acknowledged, {}, 1).error().message,
            "it is acknowledged; allowed: assess, merge or reopen");
  EXPECT_EQ(take_event(life, closed, {}, 1).error().message,
            "it is acknowledged; allowed: assess, merge or reopen");
  life = after({raised, acknowledged, merged});
  EXPECT_EQ(take_event(life, assessed, detail_of(assessed), 1).error().message,
            "it is closed, a duplicate of alert 7; allowed: reopen");
}

TEST(AlertLifeTest, OnlyTheFirstEventRaises) {
  std::optional<AlertLife> life;
  EXPECT_FALSE(take_event(life, acknowledged, {}, 1).ok());
  EXPECT_FALSE(life.has_value());
}

TEST(AlertLifeTest, AnEventThatSaysTooLittleIsRefused) {
  std::optional<AlertLife> life = after({raised, acknowledged});
  for (const AlertEventType type : {assessed, merged, stormed, revised}) {
    EXPECT_FALSE(take_event(life, type, {}, 1).ok()) << to_string(type);
  }
}

TEST(AlertLifeTest, ItWaitsFromRaisingToAcknowledgingAndAgainFromReopening) {
  AlertLife life = after({raised});
  EXPECT_EQ(life.waits, AlertWait::alone);
  EXPECT_EQ(life.since_utc_ms, 100);
  life = after({raised, escalated});
  EXPECT_EQ(life.tier, 2);
  EXPECT_EQ(life.since_utc_ms, 101);
  EXPECT_EQ(after({raised, acknowledged}).waits, AlertWait::none);
  life = after({raised, escalated, acknowledged, reopened});
  EXPECT_EQ(life.waits, AlertWait::alone);
  EXPECT_EQ(life.tier, 0);
  EXPECT_EQ(life.since_utc_ms, 103);
  EXPECT_FALSE(life.takes_causes) << "acknowledged once, it takes no further records";
}

TEST(AlertLifeTest, WhatHoldsNoLongerWaitsForNobodyUntilItHoldsAgain) {
  std::optional<AlertLife> life = after({raised, revised});
  EXPECT_FALSE(life->holds);
  EXPECT_EQ(life->waits, AlertWait::none);
  EXPECT_EQ(life->state, AlertState::raised);
  std::optional<AlertLife> again = life;
  ASSERT_TRUE(take_event(again, revised, {.holds = true}, 300).ok());
  EXPECT_EQ(again->waits, AlertWait::alone);
  EXPECT_EQ(again->since_utc_ms, 300);
  ASSERT_TRUE(take_event(life, joined, {}, 400).ok());  // a further record for which it holds
  EXPECT_TRUE(life->holds);
  EXPECT_EQ(life->waits, AlertWait::alone);
}

TEST(AlertLifeTest, AHistoricalAlertWaitsForNobodyUntilItIsReopened) {
  std::optional<AlertLife> life;
  ASSERT_TRUE(take_event(life, raised, {.historical = true}, 1).ok());
  for (const auto& [type, detail] :
       {std::pair{joined, AlertDetail()}, {revised, AlertDetail{.holds = false}},
        {revised, AlertDetail{.holds = true}}, {revised, AlertDetail{.holds = false}},
        {joined, AlertDetail()}, {acknowledged, AlertDetail()}}) {
    ASSERT_TRUE(take_event(life, type, detail, 2).ok()) << to_string(type);
    EXPECT_TRUE(life->historical);
    EXPECT_EQ(life->waits, AlertWait::none) << to_string(type);
  }
  ASSERT_TRUE(take_event(life, reopened, {.targets = {"x"}, .tier = 1}, 3).ok());
  EXPECT_FALSE(life->historical);
  EXPECT_EQ(life->waits, AlertWait::alone);
  EXPECT_EQ(life->tier, 1);
}

TEST(AlertLifeTest, InAStormItWaitsWithTheOthers) {
  AlertLife life = after({raised, stormed});
  EXPECT_EQ(life.waits, AlertWait::in_storm);
  EXPECT_EQ(life.storm, 9);
  std::optional<AlertLife> next = life;
  EXPECT_FALSE(take_event(next, escalated, {.tier = 2}, 1).ok()) << "it is told of as a storm";
  EXPECT_TRUE(take_event(next, escalated, {.tier = 2, .storm = 9}, 1).ok());
  EXPECT_EQ(after({raised, acknowledged, stormed}).waits, AlertWait::none);
}

TEST(AlertDetailTest, IsReadAsItWasWritten) {
  const AlertDetail cases[] = {
      {},
      {.targets = {"a", "b\"c"}, .tier = 2, .late_ms = 7200000},
      {.storm = 5, .count = 12},
      {.historical = true},
      {.values = {{.record = 4, .kind = "lab", .code = "ALT", .value = "121.0", .unit = "U/L"},
                  {.record = 5, .kind = "adverse_event", .code = "x", .value = "Rash"}}},
      {.assessment = Assessment{"possibly_related", "unexpected", "drug_withdrawn"}},
      {.duplicate_of = 3},
      {.holds = false, .because = {1, 2}},
      {.holds = true},
      {.target = "safety"},
  };
  for (const AlertDetail& detail : cases) {
    const std::string json = to_json(detail);
    const auto read = parse_alert_detail(json);
    ASSERT_TRUE(read.ok()) << json << read.error().message;
    EXPECT_EQ(*read, detail) << json;
  }
  for (const char* json : {"x", "[]", R"({"other":1})", R"({"tier":"1"})", R"({"tier":-1})",
                           R"({"targets":[1]})", R"({"values":[{"x":1}]})", R"({"holds":0})"}) {
    EXPECT_FALSE(parse_alert_detail(json).ok()) << json;
  }
}

}  // namespace
}  // namespace trialward::model
