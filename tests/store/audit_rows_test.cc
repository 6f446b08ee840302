#include "store/audit_rows.h"

#include <algorithm>

#include "store/alert_rows.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

// Beyond what is read at the end of halving (256), and beyond the first steps of a look ahead.
constexpr std::int64_t kLong = 3000;

class AuditRowsTest : public StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    if (store_ == nullptr) return;
    commit([this] {
      const std::array<SqlValue, 2> row = {std::int64_t{1}, std::string_view("s1")};
      ASSERT_TRUE(writer().append(Table::studies, 0, {.action = "study"}, row).ok());
    });
  }
  void enrol(std::int64_t count) {
    commit([&] {
      for (std::int64_t i = 0; i < count; ++i) {
        const std::string subject = "P-" + std::to_string(++subjects_);
        const NewSubject newcomer{.study = 1, .subject = subject, .site = "A"};
        const Act act{.actor = "Anna", .action = "enrolled"};
        ASSERT_TRUE(append_subject(writer(), newcomer, act).ok());
      }
    });
  }
  void wait(std::int64_t count) {
    commit([&] {
      for (std::int64_t i = 0; i < count; ++i) {
        const NewPass pass{.subject = 1, .utc_ms = ++passes_};
        ASSERT_TRUE(append_pass(writer(), pass, {.actor = "time", .action = "waited"}).ok());
      }
    });
  }
  std::int64_t raise() {
    std::int64_t alert = 0;
    commit([&] {
      const AlertPlace place{.study = 1, .subject = 1, .site = "A"};
      auto change = raise_or_join(writer(), place, {.id = "r", .title = "T"}, {}, {.actor = "m"});
      ASSERT_TRUE(change.ok()) << why(change);
      alert = change->alert;
    });
    return alert;
  }
  // Each row's entry is found, and is about that row.
  void expect_found(Table table, std::int64_t rows) {
    const std::string name(info(table).name);
    for (std::int64_t id = 1; id <= rows; ++id) {
      const auto found = audit_of(connection(), table, id);
      ASSERT_TRUE(found.ok()) << why(found);
      ASSERT_TRUE(found->has_value()) << name << " " << id;
      ASSERT_EQ(count("SELECT count(*) FROM audit WHERE seq = " + std::to_string(**found) +
                      " AND object_table = '" + name + "' AND object = " + std::to_string(id)),
                1)
          << name << " " << id;
    }
    for (const std::int64_t none : {std::int64_t{-1}, std::int64_t{0}, rows + 1}) {
      EXPECT_FALSE(audit_of(connection(), table, none).value().has_value()) << name << " " << none;
    }
  }

  std::int64_t subjects_ = 0, passes_ = 0;
};

TEST_F(AuditRowsTest, AnEntryIsFoundByHalving) {
  enrol(3);
  wait(kLong);  // a run without a subject
  enrol(2);
  for (int i = 0; i < 40; ++i) {
    wait(17);
    enrol(1);
  }
  wait(kLong);
  enrol(1);
  expect_found(Table::subjects, subjects_);
  expect_found(Table::studies, 1);
  for (const std::int64_t pass : {std::int64_t{1}, kLong, kLong + 1, kLong + 17, passes_}) {
    EXPECT_TRUE(audit_of(connection(), Table::subject_passes, pass).value().has_value()) << pass;
  }
}

TEST_F(AuditRowsTest, AShortTrailIsReadAtOnce) {
  EXPECT_FALSE(audit_of(connection(), Table::subjects, 1).value().has_value());
  enrol(2);
  expect_found(Table::subjects, 2);
  EXPECT_EQ(last_audit(connection()).value(), count("SELECT count(*) FROM audit"));
}

TEST_F(AuditRowsTest, APageIsWithinItsBounds) {
  enrol(20);
  const std::int64_t last = last_audit(connection()).value();
  AuditPage page{.study = 1, .from = last - 9, .until = last, .limit = 4};
  auto rows = read_audit(connection(), page);
  ASSERT_TRUE(rows.ok()) << why(rows);
  ASSERT_EQ(rows->size(), 4u);
  EXPECT_EQ(rows->front().seq, last);
  page.newest_first = false;
  page.limit = 100;
  rows = read_audit(connection(), page);
  ASSERT_EQ(rows->size(), 10u);  // no more are looked at
  EXPECT_EQ(rows->front().seq, last - 9);
  EXPECT_EQ(rows->front().actor, "Anna");
  page.actor = "ann";
  EXPECT_EQ(read_audit(connection(), page)->size(), 10u);
  page.actor = "bob";
  EXPECT_TRUE(read_audit(connection(), page)->empty());
  page.actor = "";
  page.study = 2;
  EXPECT_TRUE(read_audit(connection(), page)->empty());
}

TEST_F(AuditRowsTest, OfAnAlertAtMostSoManyOfEachAreGiven) {
  enrol(1);
  const std::int64_t alert = raise();
  for (int i = 0; i < 6; ++i) {
    commit([&] {
      const AlertStep step{.type = model::AlertEventType::delivered,
                           .detail = {.target = "desk-" + std::to_string(i)}};
      auto done = step_alert(writer(), 1, alert, step, {.actor = "x"});
      ASSERT_TRUE(done.ok()) << why(done);
    });
  }
  const auto of = [&](std::size_t limit, Table table) {
    const auto rows = audited_of_alert(connection(), alert, limit);
    return std::count_if(rows->begin(), rows->end(),
                         [table](const AuditedRow& row) { return row.table == table; });
  };
  for (const Table table : {Table::alert_events, Table::alert_details}) {
    const std::int64_t all = count("SELECT count(*) FROM " + std::string(info(table).name));
    EXPECT_GE(all, 6);
    EXPECT_EQ(of(3, table), 3);
    EXPECT_EQ(of(static_cast<std::size_t>(all), table), all);
    EXPECT_EQ(of(500, table), all);
  }
  EXPECT_EQ(of(3, Table::alerts), 1);
}

}  // namespace
}  // namespace trialward::store
