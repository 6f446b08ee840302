#include "records/row_name.h"

#include <gtest/gtest.h>

#include <vector>

namespace trialward::records {
namespace {

using store::SqlValue;
using store::Table;

TEST(RowName, NamesARowByWhatPeopleKnowItBy) {
  std::vector<SqlValue> row(39);
  row[2] = std::string_view("lab-feed");
  row[3] = std::string_view("A-1");
  EXPECT_EQ(row_name(Table::records, 990, row), "record 990 'lab-feed' 'A-1'");
  EXPECT_EQ(row_name(Table::records, 990, {}), "record 990");
  EXPECT_EQ(row_name(Table::alert_events, 3, row), "alert event 3");
}

TEST(RowName, LeavesOutWhatIsNotText) {
  std::vector<SqlValue> row(39);
  row[2] = std::int64_t{5};
  row[3] = std::string_view("A-1");
  EXPECT_EQ(row_name(Table::records, 1, row), "record 1 'A-1'");
}

TEST(RowName, KnowsEachTable) {
  for (const Table table : store::all_tables()) {
    EXPECT_EQ(parse_table(store::info(table).name), table);
    EXPECT_EQ(column(table, "id"), 0u);
  }
  for (const char* name : {"", "audit", "record", "records ", "Records"}) {
    EXPECT_FALSE(parse_table(name).has_value()) << name;
  }
}

TEST(RowName, FindsAColumnByItsWholeName) {
  EXPECT_EQ(column(Table::records, "text"), 11u);  // not number_text
  EXPECT_EQ(column(Table::records, "original"), 38u);
  EXPECT_EQ(column(Table::alerts, "rule"), 4u);  // not rule_version
}

TEST(RowName, StoredTextCannotSteerATerminal) {
  EXPECT_EQ(quoted("a\x1b[2J\n\x7f"), "'a?[2J?" "?'");
  EXPECT_EQ(quoted("Zürich"), "'Zürich'");
  EXPECT_EQ(printable(std::string(100, 'x')), std::string(80, 'x') + "…");
}

TEST(RowName, ABadEntryIsAPlaceAndWhatIsWrong) {
  EXPECT_EQ(bad("alert 1", "it is missing").message, "alert 1: it is missing");
  EXPECT_EQ(bad("alert 1", "it is missing").code, base::Errc::corrupt);
  EXPECT_EQ(in_place("alert 1", {base::Errc::cancelled, "stopped"}).code, base::Errc::cancelled);
}

}  // namespace
}  // namespace trialward::records
