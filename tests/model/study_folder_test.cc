#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "model/decode_record.h"
#include "model/study.h"

namespace trialward::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSmall = "[study]\nid = 'test'\n[[sites]]\nid = '1'\ntime_zone = 'UTC'\n";

// A folder of its own for each test, removed at its end.
class StudyFolder : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  std::string faults() const {
    const auto study = load_study(folder_.string());
    if (study.ok()) return "none";
    std::string text;
    for (const DefinitionFault& fault : study.error()) text += to_string(fault) + "\n";
    return text;
  }

  const fs::path folder_ = fs::path(testing::TempDir()) /
                           ("study_folder_" + std::to_string(getpid()) + "_" +
                            testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(StudyFolder, KeepsTheTextsOfTheDefinitionsFiles) {
  write("study.toml", kSmall);
  write("rules.toml", "# rules");
  write("schedule.toml", "# schedule");
  write("questionnaires/phq9.toml", "# phq9");
  write("questionnaires/adas.toml", "# adas");
  write("questionnaires/notes.txt", "not a part of it");
  write("README.md", "not a part of it");
  const auto study = load_study(folder_.string());
  ASSERT_TRUE(study.ok());
  std::string names;
  for (const auto& [name, text] : study->files) names += name + "=" + text.substr(0, 7) + " ";
  EXPECT_EQ(names,
            "questionnaires/adas.toml=# adas questionnaires/phq9.toml=# phq9 "
            "rules.toml=# rules schedule.toml=# sched study.toml=[study] ");
  // Read back from a store it is the same definition.
  const auto again = load_study(study->files);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->hash, study->hash);
}

TEST_F(StudyFolder, StudyTomlAloneIsEnough) {
  write("study.toml", kSmall);
  EXPECT_EQ(faults(), "none");
}

TEST_F(StudyFolder, FaultsNameTheFile) {
  EXPECT_EQ(faults(), "study.toml: is missing\n");
  fs::create_directories(folder_ / "study.toml");
  EXPECT_EQ(faults(), "study.toml: is not a file\n");
  fs::remove(folder_ / "study.toml");
  write("study.toml", std::string(kDefinitionFileBytesMax + 1, '#'));
  EXPECT_EQ(faults(), "study.toml: is larger than 4194304 bytes\n");
  write("study.toml", std::string(kSmall) + "x = 1\n");
  EXPECT_EQ(faults(), "study.toml:6: [[sites]] has no member x\n");
  write("study.toml", kSmall);
  write("questionnaires", "a file");
  EXPECT_EQ(faults(), "questionnaires: Not a directory\n");
}

TEST_F(StudyFolder, AMissingFolderIsAFaultOfItsOwn) {
  fs::remove_all(folder_);
  EXPECT_EQ(faults(), ": No such file or directory\n");
  std::ofstream(folder_) << "a file";
  EXPECT_EQ(faults(), ": is not a folder\n");
}

// What scripts outside the project rely on.
TEST(DemoStudy, HasItsFixedNames) {
  const auto study = load_study(std::string(TRIALWARD_SOURCE "/studies/demo"));
  ASSERT_TRUE(study.ok()) << to_string(study.error().front());
  EXPECT_EQ(study->id, "demo");
  EXPECT_TRUE(study->enrol_by_first_record);
  EXPECT_TRUE(study->subject_id_fits("SUBJ-1"));
  EXPECT_TRUE(study->subject_id_fits("SUBJ-0123456789"));
  EXPECT_FALSE(study->subject_id_fits("SUBJ-"));
  EXPECT_NE(study->site(study->default_site), nullptr);
  const Code* heart_rate = study->code(Kind::vital, "8867-4");
  ASSERT_NE(heart_rate, nullptr);
  EXPECT_NE(heart_rate->unit("/min"), nullptr);
  EXPECT_EQ(heart_rate->plausible->low, 20);
  EXPECT_EQ(heart_rate->plausible->high, 300);
  for (const char* lab : {"ALT", "AST", "BILI", "ALP"}) {
    ASSERT_NE(study->code(Kind::lab, lab), nullptr) << lab;
    EXPECT_TRUE(study->code(Kind::lab, lab)->range.given()) << lab;
  }
}

TEST(DemoStudy, ConvertsItsUnits) {
  const auto study = load_study(std::string(TRIALWARD_SOURCE "/studies/demo"));
  ASSERT_TRUE(study.ok());
  const struct {
    Kind kind;
    const char* code;
    const char* unit;
    double number, expected;
  } cases[] = {
      {Kind::vital, "8310-5", "F", 98.6, 37},         {Kind::vital, "8310-5", "[degF]", 32, 0},
      {Kind::vital, "29463-7", "LB", 100, 45.359237}, {Kind::lab, "BILI", "umol/L", 17.1, 1},
      {Kind::lab, "CREAT", "umol/L", 88.42, 1},       {Kind::lab, "ALT", "ukat/L", 0.5, 30},
      {Kind::lab, "PLAT", "10^3/uL", 250, 250},
  };
  for (const auto& [kind, code, unit, number, expected] : cases) {
    Record record;
    record.kind = kind;
    record.code = code;
    record.unit = unit;
    record.value.number = number;
    const auto converted = study->canonical_number(record);
    ASSERT_TRUE(converted) << code << " " << unit;
    EXPECT_NEAR(*converted, expected, 1e-9) << code << " " << unit;
  }
}

}  // namespace
}  // namespace trialward::model
