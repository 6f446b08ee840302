#include "formulary/list_image.h"

#include <filesystem>
#include <sstream>

#include "tests/formulary/files.h"

namespace trialward::formulary {
namespace {

class ListImageTest : public FormularyFiles {
 protected:
  static std::string text_of(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  DrugList sample() const {
    return list_of(R"([{"plan_id":"P","marketing_name":"Plan","years":[2020,2021],"formulary":)"
                   R"([{"drug_tier":"GENERIC","mail_order":false}]},)" +
                   drug("2", "B", in_plan("P")) + "," + drug("1", "A", in_plan("Q", "BRAND")) +
                   "," + drug("1", "C") + "]");
  }
  const ListMeta meta_{.version = "v1",
                       .fetched_ms = 5,
                       .confirmed_ms = 7,
                       .places = {"http://x/a", "b.json"},
                       .sources = {{"http://x/a", "\"e\"", "Mon"}, {"b.json", "1", ""}}};
  const std::string path_ = folder_.file("image");
};

TEST_F(ListImageTest, GivesBackTheSameList) {
  const DrugList list = sample();
  ASSERT_TRUE(write_image(path_, list, meta_));
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  const auto image = read_image(path_);
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->meta.version, "v1");
  EXPECT_EQ(image->meta.fetched_ms, 5);
  EXPECT_EQ(image->meta.confirmed_ms, 7);
  EXPECT_EQ(image->meta.places, meta_.places);
  ASSERT_EQ(image->meta.sources.size(), 2U);
  EXPECT_EQ(image->meta.sources[0].etag, "\"e\"");
  EXPECT_EQ(image->meta.sources[0].last_modified, "Mon");
  EXPECT_EQ(image->meta.sources[1].place, "b.json");
  EXPECT_EQ(version_of(image->list), version_of(list));
  EXPECT_EQ(image->list.codes(), 2U);
  EXPECT_EQ(image->list.find_plan("P")->tiers.at(0).mail_order, false);
  for (const char* plan : {"P", "Q", "R"}) {
    for (RxCui code = 1; code <= 3; ++code) {
      EXPECT_EQ(image->list.coverage(code, plan, 0).status, list.coverage(code, plan, 0).status);
    }
  }
  EXPECT_EQ(image->list.names(1), (std::vector<std::string_view>{"A", "C"}));
}

TEST_F(ListImageTest, StopsWhenAskedAndLeavesTheOldOne) {
  ASSERT_TRUE(write_image(path_, sample(), meta_));
  const std::string before = text_of(path_);
  runtime::Cancel cancel;
  cancel.fire(runtime::CancelReason::shutdown);
  const auto written = write_image(path_, list_of("[" + drug("2", "B") + "]"), meta_, cancel);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, base::Errc::cancelled);
  EXPECT_EQ(text_of(path_), before);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(ListImageTest, TheVersionIsThatOfTheContent) {
  EXPECT_EQ(version_of(sample()), version_of(sample()));
  EXPECT_EQ(version_of(sample()).size(), 16U);
  EXPECT_NE(version_of(sample()), version_of(list_of("[" + drug("2", "B", in_plan("P")) + "]")));
}

TEST_F(ListImageTest, WhenItWasConfirmedIsWrittenInItsPlace) {
  EXPECT_EQ(write_confirmed(path_, 9).error().code, base::Errc::not_found);
  ASSERT_TRUE(write_image(path_, sample(), meta_));
  ASSERT_TRUE(write_confirmed(path_, 9));
  EXPECT_EQ(read_image(path_)->meta.confirmed_ms, 9);
  // Cut off while it was written: the list is believed, and is as old as it was taken.
  std::string bytes = text_of(path_);
  bytes[8] = static_cast<char>(bytes[8] + 1);
  write("image", bytes);
  const auto image = read_image(path_);
  ASSERT_TRUE(image);
  EXPECT_EQ(image->meta.confirmed_ms, 5);
}

TEST_F(ListImageTest, NothingDamagedIsBelieved) {
  EXPECT_EQ(read_image(path_).error().code, base::Errc::not_found);
  ASSERT_TRUE(write_image(path_, sample(), meta_));
  const std::string whole = text_of(path_);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const bool confirmed = i >= 8 && i < 24;
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x55);
    write("image", bytes);
    const auto image = read_image(path_);
    ASSERT_EQ(image.ok(), confirmed) << i;
    if (!image) {
      ASSERT_EQ(image.error().code, base::Errc::corrupt) << i;
    }
    write("image", whole.substr(0, i));
    ASSERT_FALSE(read_image(path_)) << i;
  }
  write("image", whole + "x");
  EXPECT_FALSE(read_image(path_));
}

}  // namespace
}  // namespace trialward::formulary
