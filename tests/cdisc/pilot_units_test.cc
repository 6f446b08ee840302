// The units of CDISCPILOT01's laboratory and vital signs data, which lie outside of the project:
// each is read, and what the study converted agrees with UCUM and the table of molar masses.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "cdisc/dataset_json.h"
#include "ucum/analyte.h"
#include "ucum/lab_unit.h"

namespace trialward::cdisc {
namespace {

std::string dataset(const std::string& name) {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  const std::string root = shared ? shared : TRIALWARD_SOURCE "/../shared";
  return root + "/data/cdiscpilot01/sdtm/" + name + ".ndjson.gz";
}

std::size_t column(const Metadata& metadata, const std::string& name) {
  for (std::size_t i = 0; i < metadata.columns.size(); ++i) {
    if (metadata.columns[i].name == name) return i;
  }
  ADD_FAILURE() << "no column " << name;
  return 0;
}

// What a conversion says of a value beside what the dataset has.
struct Compared {
  std::size_t rows = 0;
  double worst = 0;  // relative
};

void compare(const std::string& domain, std::map<std::string, Compared>& by_code,
             std::set<std::string>& units) {
  auto reader = DatasetReader::open(dataset(domain));
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  const std::string prefix = domain == "lb" ? "LB" : "VS";
  const auto& metadata = reader->metadata();
  const std::size_t code = column(metadata, prefix + "TESTCD");
  const std::size_t given = column(metadata, prefix + "ORRES");
  const std::size_t from_unit = column(metadata, prefix + "ORRESU");
  const std::size_t number = column(metadata, prefix + "STRESN");
  const std::size_t to_unit = column(metadata, prefix + "STRESU");
  Row row;
  for (;;) {
    const auto more = reader->next(row);
    ASSERT_TRUE(more.ok()) << more.error().message;
    if (!*more) return;
    const std::string from = row.cells[from_unit], to = row.cells[to_unit];
    for (const auto& unit : {from, to}) {
      if (!unit.empty() && unit != "NO UNITS") units.insert(unit);
    }
    char* end = nullptr;
    const std::string original = row.cells[given], published = row.cells[number];
    const double value = std::strtod(original.c_str(), &end);
    if (original.empty() || *end || published.empty() || from.empty() || to.empty()) continue;
    const double expected = std::strtod(published.c_str(), nullptr);
    const auto to_read = ucum::parse_lab_unit(to);
    ASSERT_TRUE(to_read.ok()) << to_read.error().message;
    const auto from_read = ucum::parse_lab_unit(from, &to_read->unit);
    ASSERT_TRUE(from_read.ok()) << from_read.error().message;
    const std::string which = row.cells[code];
    const auto* known = ucum::analyte(which);
    const auto converted = ucum::convert(value, from_read->unit, to_read->unit,
                                         known ? known->molar_mass : ucum::MolarMass{});
    ASSERT_TRUE(converted.ok()) << which << ": " << converted.error().message;
    Compared& compared = by_code[which];
    ++compared.rows;
    if (expected != 0) {
      compared.worst = std::max(compared.worst, std::abs(*converted / expected - 1));
    }
  }
}

TEST(PilotUnits, EveryPublishedConversionAgrees) {
  if (!std::filesystem::exists(dataset("lb"))) GTEST_SKIP() << "no " << dataset("lb");
  std::map<std::string, Compared> by_code;
  std::set<std::string> units;
  ASSERT_NO_FATAL_FAILURE(compare("lb", by_code, units));
  std::size_t rows = 0;
  for (const auto& [code, compared] : by_code) {
    rows += compared.rows;
    // The study's factors have four digits.
    EXPECT_LE(compared.worst, 5e-4) << code;
  }
  EXPECT_EQ(rows, 54911u);
  // Of vital signs the published value is rounded to two decimals.
  by_code.clear();
  ASSERT_NO_FATAL_FAILURE(compare("vs", by_code, units));
  for (const auto& [code, compared] : by_code) EXPECT_LE(compared.worst, 5e-4) << code;
  EXPECT_EQ(by_code.size(), 6u);
  for (const std::string& unit : units) EXPECT_TRUE(ucum::parse_lab_unit(unit).ok()) << unit;
  EXPECT_EQ(units.size(), 28u);
}

}  // namespace
}  // namespace trialward::cdisc
