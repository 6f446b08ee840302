// The published cases, graded as they were published: the unit must be one that the criteria list.
#include <cstdlib>
#include <filesystem>

#include "ctcae/fit.h"
#include "ctcae/tables.h"
#include "tests/ctcae/harness.h"

namespace trialward::ctcae {
namespace {

std::string shared_folder() {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  return std::string(shared != nullptr ? shared : TRIALWARD_SOURCE "/../shared") + "/data/ctcae";
}

// The fields of a line of CSV.
std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        quoted = !quoted;
      }
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else if (line[i] != '\r') {
      fields.back() += line[i];
    }
  }
  return fields;
}

std::optional<double> number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return std::stod(text);
}

struct Columns {
  std::vector<std::string> names, fields;
  const std::string& operator[](const std::string& name) const {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) return fields.at(i);
    }
    ADD_FAILURE() << "there is no column " << name;
    return fields.front();
  }
};

// Of "ctcv5_uscv": version 5, US-conventional.
std::string grade_by(const std::string& meta, const Columns& row) {
  const Criteria* criteria = criteria_of(meta.substr(4, 1));
  const UnitSystem system =
      meta.ends_with("_uscv") ? UnitSystem::us_conventional : UnitSystem::si;
  const Term* term = criteria != nullptr ? criteria->term(row["TERM"]) : nullptr;
  const Direction direction = row["DIRECTION"] == "L" ? Direction::low : Direction::high;
  if (term == nullptr || term->direction != direction) return "";
  const auto unit = listed_unit(*term, row["AVALU"], system);
  if (!unit) return "";
  Measurement measurement{.unit = *unit,
                          .value = number(row["AVAL"]),
                          .lln = number(row["ANRLO"]),
                          .uln = number(row["ANRHI"]),
                          .baseline = number(row["BASE"]),
                          .change_percent = number(row["PCHG"])};
  const std::string& flag = row["BNRIND"];
  if (flag == row["HIGH_INDICATOR"]) measurement.baseline_flag = BaselineFlag::high;
  if (flag == row["LOW_INDICATOR"]) measurement.baseline_flag = BaselineFlag::low;
  if (flag == "NORMAL") measurement.baseline_flag = BaselineFlag::normal;
  if (!row["SIGNIF_DIG"].empty()) {
    measurement.significant_digits = std::stoi(row["SIGNIF_DIG"]);
  }
  const Grade grade = grade_of(*term, measurement);
  return grade.grade ? std::to_string(*grade.grade) : "";
}

TEST(Published, EveryCaseHasItsGrade) {
  const std::string path = shared_folder() + "/grading-cases.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  auto lines = read_lines(path);
  Columns row{.names = fields_of(lines.front())};
  lines.erase(lines.begin());
  std::size_t right = 0;
  for (const std::string& line : lines) {
    row.fields = fields_of(line);
    ASSERT_EQ(row.fields.size(), row.names.size()) << line;
    // "ctcv4_uscv+ctcv4": the criteria of both together.
    std::string grade;
    std::istringstream metas(row["META"]);
    for (std::string meta; std::getline(metas, meta, '+');) {
      const std::string by_one = grade_by(meta, row);
      if (grade.empty()) grade = by_one;
    }
    EXPECT_EQ(grade, row["EXPECTED_GRADE"]) << line;
    right += grade == row["EXPECTED_GRADE"] ? 1 : 0;
  }
  EXPECT_EQ(right, 1200u);
}

// The tables say what the criteria's list says, term by term and line by line.
TEST(Published, EveryTermAndLineOfTheCriteriaIsInTheTables) {
  const std::string path = shared_folder() + "/criteria.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is not here";
  const auto lines = read_lines(path);
  Columns row{.names = fields_of(lines.front())};
  for (std::size_t i = 1; i < lines.size(); ++i) {
    row.fields = fields_of(lines[i]);
    ASSERT_EQ(row.fields.size(), row.names.size()) << lines[i];
    SCOPED_TRACE(row["META"] + " " + row["TERM"]);
    const Criteria* criteria = criteria_of(row["META"].substr(4, 1));
    ASSERT_NE(criteria, nullptr);
    const Term* term = criteria->term(row["TERM"]);
    ASSERT_NE(term, nullptr);
    EXPECT_EQ(term->soc, row["SOC"]);
    EXPECT_EQ(to_string(term->direction), row["DIRECTION"] == "L" ? "low" : "high");
    EXPECT_EQ(term->has_absolute_limits(), !row["UNIT_CHECK"].empty());
    const bool us = row["META"].ends_with("_uscv");
    EXPECT_TRUE(listed_unit(*term, row["UNIT_CHECK"],
                            us ? UnitSystem::us_conventional : UnitSystem::si));
    for (int grade = 1; grade <= 4; ++grade) {
      std::string text = row["GRADE_" + std::to_string(grade)];
      while (text.ends_with(' ')) text.pop_back();
      if (text == "-") text.clear();
      const auto line = std::find_if(term->lines.begin(), term->lines.end(),
                                     [&](const Line& one) { return one.grade == grade; });
      EXPECT_EQ(line == term->lines.end() ? "" : line->text, text) << "grade " << grade;
    }
  }
}

}  // namespace
}  // namespace trialward::ctcae
