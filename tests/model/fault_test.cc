#include "model/fault.h"

#include <gtest/gtest.h>

namespace trialward::model {
namespace {

TEST(Fault, TheBodyOfARefusalListsPathsAndReasons) {
  EXPECT_EQ(to_json(Faults{}), R"({"faults":[]})");
  const Faults faults = {{"/value", "is \"odd\""}, {"", "is not an object"}};
  EXPECT_EQ(to_json(faults), R"({"faults":[{"path":"/value","reason":"is \"odd\""},)"
                             R"({"path":"","reason":"is not an object"}]})");
}

TEST(Fault, OnePathHasOneFault) {
  Faults faults;
  add_fault(faults, "/unit", "first");
  add_fault(faults, "/unit", "second");
  add_fault(faults, "/code", "third");
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[0].reason, "first");
  EXPECT_EQ(faults[1].path, "/code");
}

TEST(Fault, TheListIsBounded) {
  Faults faults;
  for (std::size_t i = 0; i < kFaultsMax + 10; ++i) {
    add_fault(faults, pointer("", std::to_string(i)), "is unknown");
  }
  EXPECT_EQ(faults.size(), kFaultsMax);
}

TEST(Fault, APointerEscapesWhatRfc6901Reserves) {
  EXPECT_EQ(pointer("", "value"), "/value");
  EXPECT_EQ(pointer("/attributes", "a/b~c"), "/attributes/a~1b~0c");
  EXPECT_EQ(pointer("", ""), "/");
}

TEST(Fault, ADefinitionFaultNamesItsPlace) {
  EXPECT_EQ(to_string(DefinitionFault{"study.toml", 12, "no"}), "study.toml:12: no");
  EXPECT_EQ(to_string(DefinitionFault{"study.toml", 0, "is missing"}), "study.toml: is missing");
}

}  // namespace
}  // namespace trialward::model
