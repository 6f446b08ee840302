#include "records/watch_check.h"

#include "tests/records/tampered_copy.h"

namespace trialward::records {
namespace {

using store::why;

class WatchCheckTest : public SampleTest {
 protected:
  VerifyReport verify_with(Copy& copy, const LoadMonitor& load_monitor) {
    auto report = verify(copy.connection(), {.load_monitor = load_monitor});
    EXPECT_TRUE(report.ok()) << why(report);
    return report ? *report : VerifyReport();
  }
};

TEST_F(WatchCheckTest, WatchesUnderRulesThatCannotBeLoadedAreCounted) {
  Copy copy(sample().late());
  const auto without_first = [](std::vector<model::DefinitionFile> files)
      -> base::Result<std::shared_ptr<const model::Monitor>> {
    auto monitor = load_hundred(std::move(files));
    if (monitor && (*monitor)->hash() == "rules of trial 1") {
      return base::Error{base::Errc::invalid, "this version cannot read it"};
    }
    return monitor;
  };
  const VerifyReport report = verify_with(copy, without_first);
  EXPECT_EQ(report.bad.value_or(""), "");
  EXPECT_EQ(report.watches, 4);
  EXPECT_EQ(report.watches_unknown, 2);  // P-1 and P-3 were not seen under the second
}

TEST_F(WatchCheckTest, ADefinitionIsLoadedOnceAndOnlyWhenItIsNeeded) {
  Copy copy(sample().late());
  int loaded = 0;
  const VerifyReport report = verify_with(copy, [&](std::vector<model::DefinitionFile> files) {
    ++loaded;
    return load_hundred(std::move(files));
  });
  EXPECT_EQ(report.watches, 6);
  EXPECT_EQ(loaded, 3);
}

TEST_F(WatchCheckTest, P8RulesThatAreNoStoredDefinitionsAreBad) {
  Copy copy(sample().late());
  ASSERT_TRUE(copy.change("UPDATE subject_watches SET rules = 'my own' WHERE subject = 3"));
  EXPECT_EQ(copy.verify(),
            "the state of subject 3: it was saved under rules that no stored definition of the "
            "study has");
}

TEST_F(WatchCheckTest, P8AStateThatPointsElsewhereIsNamed) {
  const std::pair<std::int64_t, std::string> cases[] = {
      {3, "record 3"}, {4, "record 4"}, {0, "no record"}, {99, "record 99"}, {-2, "record -2"}};
  for (const auto& [last, name] : cases) {
    Copy copy(sample().late());
    ASSERT_TRUE(copy.change("UPDATE subject_states SET last_record = " + std::to_string(last) +
                            " WHERE subject = 3"));
    EXPECT_EQ(copy.verify(), "the state of subject 3: it says that " + name +
                                 " is the subject's newest, but that is record 7");
  }
}

}  // namespace
}  // namespace trialward::records
