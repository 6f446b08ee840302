#include "store/subject_rows.h"

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

class SubjectRowsTest : public StoreBench {
 protected:
  base::Result<std::int64_t> try_append(std::int64_t study, const std::string& subject) {
    TW_CHECK(writer().begin().ok());
    auto done = append_subject(writer(), {.study = study, .subject = subject, .site = "A"},
                               {.actor = "feed", .action = "subject.enrolled", .at_ms = 9});
    auto there = written(done ? base::Status() : base::Status(done.error()), "subjects");
    if (!there && on_postgres()) {
      writer().rollback();
      return there.error();
    }
    TW_CHECK(writer().commit().ok());
    return done;
  }
  SubjectRow find(const std::string& subject) {
    auto row = find_subject(connection(), 1, subject);
    TW_CHECK(row.ok() && row->has_value());
    return **row;
  }
};

TEST_F(SubjectRowsTest, ASubjectIsEnrolledOnceAStudy) {
  EXPECT_EQ(try_append(1, "P-1").value(), 1);
  EXPECT_EQ(try_append(1, "P-2").value(), 2);
  EXPECT_EQ(try_append(2, "P-1").value(), 3);
  EXPECT_EQ(try_append(1, "P-1").error().code, base::Errc::conflict);
  EXPECT_FALSE(find_subject(connection(), 1, "P-3").value().has_value());
  const SubjectRow row = find("P-2");
  EXPECT_EQ(row.id, 2);
  EXPECT_EQ(row.site, "A");
  EXPECT_EQ(row.last_record, 0);
  EXPECT_EQ(row.as_of, 0);
  EXPECT_EQ(row.rules, "");
  EXPECT_EQ(row.watch, "");
}

TEST_F(SubjectRowsTest, AreReadInPagesOfAStudyAndASite) {
  for (const char* name : {"P-1", "P-2", "P-3"}) ASSERT_TRUE(try_append(1, name).ok());
  ASSERT_TRUE(try_append(2, "P-4").ok());
  ASSERT_TRUE(put_last_record(connection(), {.id = 2, .last_record = 7}).ok());
  const auto names = [&](std::int64_t after, const char* site, std::size_t limit) {
    const auto page = read_subjects_after(connection(), 1, after, site, limit);
    EXPECT_TRUE(page.ok()) << why(page);
    std::string text;
    for (const SubjectPlace& one : page.value()) {
      text += one.subject + "@" + one.site + ":" + std::to_string(one.last_record) + " ";
    }
    return text;
  };
  EXPECT_EQ(names(0, "", 2), "P-1@A:0 P-2@A:7 ");
  EXPECT_EQ(names(2, "", 2), "P-3@A:0 ");
  EXPECT_EQ(names(0, "A", 9), "P-1@A:0 P-2@A:7 P-3@A:0 ");
  EXPECT_EQ(names(0, "B", 9), "");
}

TEST_F(SubjectRowsTest, WhatIsRememberedReplacesWhatWas) {
  ASSERT_TRUE(try_append(1, "P-1").ok());
  const std::string bytes("\0\x01w", 3);
  for (const SubjectRow& state :
       {SubjectRow{.id = 1, .last_record = 7, .as_of = 5, .rules = "h1", .watch = bytes},
        SubjectRow{.id = 1, .last_record = 8, .as_of = 8, .rules = "h2", .watch = ""}}) {
    const auto placed = put_last_record(connection(), state);
    ASSERT_TRUE(placed.ok()) << why(placed);
    const auto saved = put_watch(connection(), state);
    ASSERT_TRUE(saved.ok()) << why(saved);
    const SubjectRow row = find("P-1");
    EXPECT_EQ(row.last_record, state.last_record);
    EXPECT_EQ(row.as_of, state.as_of);
    EXPECT_EQ(row.rules, state.rules);
    EXPECT_EQ(row.watch, state.watch);
  }
}

}  // namespace
}  // namespace trialward::store
