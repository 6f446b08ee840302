#include "cli/delivery_list.h"

#include <gtest/gtest.h>

namespace trialward::cli {
namespace {

TEST(DeliveryTable, HasALineADelivery) {
  const auto table = delivery_table(
      R"({"id":7,"target":"desk","status":"dead","alert":3,"event_type":"raised","subject":"P-1",)"
      R"("attempts":2,"newest_attempts":[{"error":"first"},{"error":"the target answered 410"}]})"
      "\n"
      R"({"id":12,"target":"x","status":"pending","alert":4,"event_type":"joined",)"
      R"("subject":"P\u001b2","attempts":0,"newest_attempts":[]})"
      "\n");
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(*table,
            "ID  STATUS   TARGET  ALERT  EVENT   SUBJECT  ATTEMPTS  LAST ERROR\n"
            "7   dead     desk    3      raised  P-1      2         the target answered 410\n"
            "12  pending  x       4      joined  P?2      0\n");
}

TEST(DeliveryTable, ShowsThatAnErrorWasCut) {
  const auto error_shown = [](const std::string& error) {
    const auto table = delivery_table(
        R"({"id":7,"target":"desk","status":"dead","alert":3,"event_type":"raised","subject":"P",)"
        R"("attempts":2,"newest_attempts":[{"error":")" +
        error + "\"}]}\n");
    EXPECT_TRUE(table.ok());
    const std::string line = table->substr(table->find('\n') + 1);
    return line.substr(line.rfind("  ") + 2);
  };
  EXPECT_EQ(error_shown(std::string(120, 'x')), std::string(120, 'x') + "\n");
  EXPECT_EQ(error_shown(std::string(121, 'x')), std::string(120, 'x') + "…\n");
  EXPECT_EQ(error_shown(std::string(119, 'x') + "ä"), std::string(119, 'x') + "…\n")
      << "a character is whole or not there";
}

TEST(DeliveryTable, SaysWhenThereAreNone) {
  EXPECT_EQ(*delivery_table(""), "nothing is there to be delivered\n");
  EXPECT_FALSE(delivery_table("{}\n").ok());
  EXPECT_FALSE(delivery_table("no list\n").ok());
}

}  // namespace
}  // namespace trialward::cli
