#include "ctcae/age.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace trialward::ctcae {
namespace {

std::string to_text(const std::optional<Age>& age) {
  if (!age) return "-";
  const std::string least = std::to_string(age->least);
  return age->least == age->most ? least : least + " to " + std::to_string(age->most);
}

TEST(Age, IsCountedByBirthdays) {
  struct Case {
    const char *born, *at, *age;
  };
  const std::vector<Case> cases = {
      {"2005-06-01", "2023-05-31", "17"},
      {"2005-06-01", "2023-06-01", "18"},
      {"2005-06-01", "2023-06-01T00:10", "18"},
      {"2005-06-01", "2023-05-31T23:50:00-05:00", "17"},  // on the day that was written
      {"2005-06-01", "2023-06-02", "18"},
      {"2004-01-01", "2022-01-01", "18"},  // 18 years of 365.2425 days later
      {"2000-03-01", "2018-03-01", "18"},
      {"2000-03-01", "2018-02-28", "17"},
      {"2004-02-29", "2022-02-28", "17"},
      {"2004-02-29", "2022-03-01", "18"},
      {"2004-02-29", "2024-02-28", "19"},
      {"2004-02-29", "2024-02-29", "20"},
      {"1924-12-31", "2024-12-30", "99"},
      {"2020-01-02", "2020-01-01", "-1"},
      {"2005-06", "2023-05-31", "17"},
      {"2005-06", "2023-06-15", "17 to 18"},
      {"2005-06", "2023-07-01", "18"},
      {"2005", "2023-06-01", "17 to 18"},
      {"2005", "2024-01-01", "18 to 19"},
      {"2005-06-15", "2023-06", "17 to 18"},
      {"2005-06-15", "2023", "17 to 18"},
      {"2005-06-15", "", "-"},
      {"2005-06-15", "2023-02-30", "-"},
  };
  for (const Case& one : cases) {
    const auto birth = Birth::on(one.born);
    ASSERT_TRUE(birth) << one.born;
    EXPECT_EQ(to_text(birth->at(one.at)), one.age) << one.born << ", at " << one.at;
  }
  EXPECT_FALSE(Birth::on(""));
  EXPECT_FALSE(Birth::on("2005-13-01"));
  EXPECT_FALSE(Birth::on("2005-02-29"));
  EXPECT_FALSE(Birth::on("about 2005"));
}

TEST(Age, FollowsFromAnEarlierOneAsFarAsItGoes) {
  struct Case {
    int years;
    const char *asked, *at, *age;
  };
  const std::vector<Case> cases = {
      {17, "2020-03-01", "2020-03-01", "17"},
      {17, "2020-03-01", "2020-03-02", "17 to 18"},
      {17, "2020-03-01", "2021-02-28", "17 to 18"},
      {17, "2020-03-01", "2021-03-01", "18"},
      {17, "2020-03-01", "2021-03-02", "18 to 19"},
      {18, "2020-03-01", "2020-02-29", "17 to 18"},
      {18, "2020-03-01", "2019-03-01", "17"},
      {18, "2020-03", "2020-03-10", "17 to 19"},
      {0, "2020-03-01", "2020-03-01", "0"},
  };
  for (const Case& one : cases) {
    const auto birth = Birth::from_age(one.years, one.asked);
    ASSERT_TRUE(birth) << one.asked;
    EXPECT_EQ(to_text(birth->at(one.at)), one.age) << one.years << " on " << one.asked << ", at "
                                                   << one.at;
  }
  EXPECT_FALSE(Birth::from_age(-1, "2020-03-01"));
  EXPECT_FALSE(Birth::from_age(201, "2020-03-01"));
  EXPECT_FALSE(Birth::from_age(17, ""));
}

}  // namespace
}  // namespace trialward::ctcae
