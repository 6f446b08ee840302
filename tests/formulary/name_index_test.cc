#include "formulary/name_index.h"

#include <cstring>

#include "formulary/list_builder.h"
#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

DrugList list_of_names(const std::vector<std::string>& names) {
  ListBuilder builder(1 << 30);
  RxCui code = 0;
  for (const std::string& name : names) EXPECT_TRUE(builder.add_drug(++code, name, {}));
  return std::move(builder.finish({}).value());
}

TEST(NameIndex, CountsSlips) {
  const struct {
    const char *word, *longer;
    int slips;
  } cases[] = {
      {"aspirin", "aspirin", 0},    {"aspi", "aspirin", 0},
      {"asprin", "aspirin", 1},     {"apsirin", "aspirin", 1},
      {"asspirin", "aspirin", 1},   {"bspirin", "aspirin", 1},
      {"asp", "aspirin", 0},        {"apsi", "aspirin", 1},
      {"aprin", "aspirin", 2},      {"xyz", "aspirin", 3},
      {"", "aspirin", 0},           {"aspirins", "aspirin", 1},
      {"aspirinxxx", "aspirin", 3}, {"a", "", 1},
  };
  for (const auto& one : cases) {
    std::size_t steps = 0;
    EXPECT_EQ(slips_between(one.word, one.longer, 2, steps), one.slips) << one.word << one.longer;
    EXPECT_LE(steps, std::strlen(one.word) * std::strlen(one.longer));
  }
}

TEST(NameIndex, FindsByBeginningsOfWordsInAnyOrderAndWithSlips) {
  const DrugList list =
      list_of_names({"Acetaminophen 500 MG Oral Tablet [Tylenol]",
                     "Azithromycin 500 MG Oral Tablet [Zithromax]", "Lialda 1.2 mg tablet",
                     "Mesalamine 200 mg tablet", "Oral Acetaminophen Solution", "\xc3\x84ther"});
  const NameIndex index(list);
  const auto codes = [&](std::string_view text, std::size_t limit = kHitsMax) {
    std::string found;
    const Hits hits = index.search(list, text, limit);
    for (const Hit& hit : hits.best) found += std::to_string(hit.code) + " ";
    return found;
  };
  EXPECT_EQ(codes("acet"), "1 5 ");  // the name that begins so is the first
  EXPECT_EQ(codes("TYLENOL"), "1 ");
  EXPECT_EQ(codes("tablet 500"), "1 2 ");
  EXPECT_EQ(codes("tab 500 zith"), "2 ");
  EXPECT_EQ(codes("500 mesalamine"), "");
  EXPECT_EQ(codes("acetominophen"), "1 5 ");
  EXPECT_EQ(codes("azitromicin"), "2 ");
  EXPECT_EQ(codes("mesalmine tablte"), "4 ");
  EXPECT_EQ(codes("lia"), "3 ");
  EXPECT_EQ(codes("lix"), "");  // too short for a slip
  EXPECT_EQ(codes("\xc3\x84th"), "6 ");
  EXPECT_EQ(codes(""), "");
  EXPECT_EQ(codes(" -/ "), "");
  EXPECT_EQ(codes("tablet", 2), "1 2 ");
  EXPECT_EQ(codes(std::string(10'000, 'a')), "");
}

TEST(NameIndex, WordsThatAreEverywhereAreFoundAsWell) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) {
    names.push_back("Drug" + std::to_string(i) + " Oral Tablet " + (i % 2 == 0 ? "Red" : "Blue"));
  }
  const DrugList list = list_of_names(names);
  const NameIndex index(list);
  EXPECT_LT(index.bytes(), 1000 * 24 + TextPool::kBlockBytes);
  EXPECT_EQ(index.search(list, "tablet oral", 7).best.size(), 7U);
  EXPECT_EQ(index.search(list, "oral blue", kHitsMax).best.size(), kHitsMax);
  EXPECT_EQ(index.search(list, "red drug998", 7).best.at(0).code, 999U);
  EXPECT_TRUE(index.search(list, "blue drug998", 7).best.empty());
  for (int i = 0; i < 1000; ++i) {
    const auto hits = index.search(list, "drug" + std::to_string(i), kHitsMax).best;
    EXPECT_EQ(hits.at(0).name, names[static_cast<std::size_t>(i)]);
  }
}

// Questions that would take seconds of a list of a million drugs: words that nothing begins with,
// so that all are compared with a slip in mind; one letter that begins everything; words that are
// everywhere.
TEST(NameIndex, NoQuestionTakesMoreStepsThanItMay) {
  std::vector<std::string> names;
  for (int i = 0; i < 5000; ++i) {
    names.push_back("acetaminophenol" + std::to_string(i) +
                    " oral tablet of the most common sort " + std::string(200, 'x'));
  }
  const DrugList list = list_of_names(names);
  const NameIndex index(list);
  constexpr std::size_t kStepsMax = 20'000;
  constexpr std::size_t kOneStepMax = 10'000;  // what it may have begun when it gives up
  const std::string sought[] = {
      "acetaminofenol acetaminohpenol acetaminopphenol acettaminophenol aacetaminophenol",
      "a",
      "a a a a a a a a",
      "oral tablet of the most common sort",
      "oral xxxxxxxx",
  };
  for (const std::string& text : sought) {
    const Hits cut = index.search(list, text, kHitsMax, kStepsMax);
    EXPECT_FALSE(cut.complete) << text;
    EXPECT_LE(cut.steps, kStepsMax + kOneStepMax) << text;
    const Hits whole = index.search(list, text, kHitsMax);
    EXPECT_TRUE(whole.complete) << text;
    EXPECT_GT(whole.steps, kStepsMax) << text;
    EXPECT_EQ(whole.best.size(), kHitsMax) << text;
  }
  EXPECT_TRUE(index.search(list, "acetaminophenol77", kHitsMax, kStepsMax).complete);
}

TEST(NameIndex, TakesNoMoreMemoryThanItMayAndStopsWhenAsked) {
  std::vector<std::string> names;
  for (int i = 0; i < 20'000; ++i) names.push_back(std::to_string(i) + "a " + std::to_string(i));
  const DrugList list = list_of_names(names);
  const NameIndex whole(list);
  EXPECT_EQ(NameIndex::make(list, whole.bytes() / 2, {}).error().code, base::Errc::refused);
  // While it is made it also has a table of its words.
  const auto made = NameIndex::make(list, 2 * whole.bytes(), {});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->words(), whole.words());
  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::shutdown);
  EXPECT_EQ(NameIndex::make(list, SIZE_MAX, cancel).error().code, base::Errc::cancelled);
}

}  // namespace
}  // namespace trialward::formulary
