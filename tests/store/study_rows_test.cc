#include "store/study_rows.h"

#include "tests/store/store_bench.h"

namespace trialward::store {
namespace {

using base::Errc;

class StudyRowsTest : public StoreBench {
 protected:
  StudyRow ensure(const model::Study& study) {
    StudyRow row;
    commit([&] {
      auto done = ensure_study(writer(), study, {.actor = "trialward", .at_ms = 5});
      ASSERT_TRUE(done.ok()) << why(done);
      row = *done;
    });
    return row;
  }
};

TEST_F(StudyRowsTest, AStudyAndEachOfItsDefinitionsIsAddedOnce) {
  const StudyRow first = ensure(make_study("a", "1"));
  const StudyRow other = ensure(make_study("b", "1"));
  const StudyRow second = ensure(make_study("a", "2"));
  const StudyRow again = ensure(make_study("a", "1"));
  EXPECT_EQ(first.study, 1);
  EXPECT_EQ(first.definition, 1);
  EXPECT_EQ(other.study, 2);
  EXPECT_EQ(second.study, 1);
  EXPECT_EQ(second.definition, 3);
  EXPECT_EQ(again.definition, 1);
  EXPECT_EQ(writer().last_seq(), 5);
  EXPECT_EQ(read_studies(connection()).value(),
            (std::map<std::int64_t, std::string>{{1, "a"}, {2, "b"}}));
}

TEST_F(StudyRowsTest, ADefinitionsFilesComeBackAsTheyWere) {
  model::Study study = make_study("a");
  study.files.push_back({"z/odd \"name\".toml", "Zürich\n\t\"x\"\\\r\n"});
  study.files.push_back({"zz", ""});
  const StudyRow row = ensure(study);
  const auto files = read_definition(connection(), row.definition);
  ASSERT_TRUE(files.ok()) << why(files);
  ASSERT_EQ(files->size(), study.files.size());
  for (std::size_t i = 0; i < files->size(); ++i) {
    EXPECT_EQ((*files)[i].name, study.files[i].name);
    EXPECT_EQ((*files)[i].text, study.files[i].text);
  }
}

TEST_F(StudyRowsTest, ADefinitionThatIsNotThereOrDamagedIsSaid) {
  EXPECT_EQ(read_definition(connection(), 1).error().code, Errc::not_found);
  ensure(make_study("a"));
  for (const char* damage : {"{", "[]", "{\"study.toml\":1}"}) {
    ASSERT_TRUE(connection().execute("UPDATE definitions SET files = $1", {damage}).ok());
    EXPECT_EQ(read_definition(connection(), 1).error().code, Errc::corrupt) << damage;
  }
}

}  // namespace
}  // namespace trialward::store
