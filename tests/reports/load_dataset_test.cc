#include <cmath>

#include "reports/dataset.h"
#include "tests/reports/report_bench.h"

namespace trialward::reports {
namespace {

using model::Kind;

class LoadDatasetTest : public ReportBench {
 protected:
  std::string alt(double value, const std::string& more = "") {
    return R"("kind":"lab","code":"ALT","value":)" + std::to_string(value) +
           R"(,"unit":"U/L","range":{"low":5,"high":40},)"
           R"("effective":"2024-02-01","visit":"WEEK 2")" +
           more;
  }
};

TEST_F(LoadDatasetTest, HoldsWhatReportsUse) {
  enrol("A-2", "Verum", R"(,"age":"70","rfxstdtc":"2024-01-09")");
  enrol("A-1", "P");
  add("A-1", alt(50, R"(,"baseline":true,"attributes":{"lbcat":"CHEMISTRY","visitnum":"4"})"));
  add("A-2", R"("kind":"vital","code":"WEIGHT","value":100,"unit":"LB",)"
             R"("attributes":{"vsstresn":"45.36","vstpt":"STANDING"})");
  add("A-1", R"("kind":"demographics","code":"EDLEVEL","value":12,"unit":"YEARS")");
  auto loaded = load(now());
  ASSERT_TRUE(loaded.ok()) << why(loaded);
  const Dataset& data = **loaded;
  ASSERT_EQ(data.subjects.size(), 2u);
  const Subject &first = data.subjects[0], &second = data.subjects[1];
  EXPECT_EQ(first.id, "A-1");
  EXPECT_EQ(first.arm, 0);
  EXPECT_TRUE(first.treated);
  EXPECT_EQ(to_string(first.first_dose), "2024-01-10") << "by the exposure";
  EXPECT_EQ(second.arm, 1) << "by the arm's name";
  EXPECT_EQ(to_string(second.first_dose), "2024-01-09") << "as the demographics say";
  EXPECT_EQ(data.attribute(second, "age"), "70");
  ASSERT_EQ(data.labs.size(), 1u);
  EXPECT_EQ(data.labs[0].subject, 0u);
  EXPECT_EQ(data.labs[0].side, Side::high);
  EXPECT_TRUE(data.labs[0].baseline);
  EXPECT_EQ(data.text(data.code(Kind::lab, data.labs[0].code)->category), "CHEMISTRY");
  ASSERT_EQ(data.vitals.size(), 1u);
  EXPECT_NEAR(data.vitals[0].value, 45.359237, 1e-9);
  EXPECT_EQ(data.vitals[0].standard, 45.36);
  EXPECT_EQ(data.text(data.vitals[0].timepoint), "STANDING");
  ASSERT_EQ(data.demographics.size(), 1u);
  EXPECT_EQ(data.demographics[0].number, 12);
}

TEST_F(LoadDatasetTest, OnlyTheCurrentVersionsCount) {
  enrol("A-1", "P");
  const auto first = add("A-1", alt(50));
  const Positions before = now();
  const auto second =
      add("A-1", alt(30, R"(,"reason":"typing","amends":)" + std::to_string(first)));
  const auto values = [&](Positions positions) {
    auto data = load(std::move(positions));
    TW_CHECK(data.ok());
    std::vector<std::pair<std::int64_t, double>> all;
    for (const Measurement& one : (*data)->labs) all.emplace_back(one.record, one.value);
    return all;
  };
  EXPECT_EQ(values(now()), (std::vector<std::pair<std::int64_t, double>>{{second, 30}}));
  EXPECT_EQ(values(before), (std::vector<std::pair<std::int64_t, double>>{{first, 50}}))
      << "as of then it was not amended";
}

TEST_F(LoadDatasetTest, WhoCameLaterIsNotThere) {
  enrol("A-1", "P");
  const Positions before = now();
  enrol("A-0", "V");
  auto loaded = load(before);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ((*loaded)->subjects.size(), 1u);
  EXPECT_EQ((*loaded)->subjects[0].id, "A-1");
}

TEST_F(LoadDatasetTest, ReadsOnlyTheDomainsAskedFor) {
  enrol("A-1", "P");
  add("A-1", alt(50));
  add("A-1", R"("kind":"adverse_event","code":"HEADACHE")");
  auto loaded = load(now(), domain(Kind::adverse_event));
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ((*loaded)->labs.size(), 0u);
  EXPECT_EQ((*loaded)->adverse_events.size(), 1u);
  EXPECT_EQ((*loaded)->exposures.size(), 1u) << "always there";
}

TEST_F(LoadDatasetTest, TextsThatAreLimitsAreRead) {
  enrol("A-1", "P");
  use(study_with(""));
  const std::pair<const char*, double> cases[] = {
      {"<0.2", 0.2}, {">= 40", 40}, {"<", NAN}, {"NEGATIVE", NAN}, {"<0.2 mg", NAN}};
  for (const auto& [text, limit] : cases) {
    add("A-1", R"("kind":"questionnaire","code":"Q","value":")" + std::string(text) + R"(")");
  }
  auto loaded = load(now());
  ASSERT_TRUE(loaded.ok());
  for (std::size_t i = 0; i < std::size(cases); ++i) {
    const double found = (*loaded)->questionnaires[i].limit(), limit = cases[i].second;
    EXPECT_TRUE(std::isnan(limit) ? std::isnan(found) : found == limit) << cases[i].first;
  }
}

TEST_F(LoadDatasetTest, IsBoundedInBytes) {
  for (int i = 0; i < 20; ++i) enrol("A-" + std::to_string(100 + i), "P");
  auto loaded = load(now(), kSubjectDomains, 1000);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, base::Errc::refused);
  EXPECT_EQ(loaded.error().message,
            "the study's records take more than the 1000 bytes of memory that they may have; a "
            "report that is asked for alone needs fewer");
}

TEST_F(LoadDatasetTest, StopsBetweenPages) {
  enrol("A-1", "P");
  const Positions positions = now();
  for (int page = 1; page <= 3; ++page) {
    cancel_ = runtime::Cancel();
    readers_.pages = 0;
    cancel_at_page_ = page;
    auto loaded = load(positions);
    ASSERT_FALSE(loaded.ok()) << page;
    EXPECT_EQ(loaded.error().code, base::Errc::cancelled);
    EXPECT_EQ(loaded.error().message, "the report was stopped: requested");
    EXPECT_EQ(readers_.pages, page);
  }
}

// A clock that moves on by a second with each look at it.
class HastyClock final : public base::Clock {
 public:
  base::TimePoint now() const override {
    return base::TimePoint(std::chrono::seconds(++seconds_));
  }
  std::int64_t utc_ms() const override { return kNow; }
  std::string boot_id() const override { return "boot"; }
  base::Duration thread_cpu() const override { return {}; }

 private:
  mutable std::int64_t seconds_ = 0;
};

TEST_F(LoadDatasetTest, APageThatTakesTooLongEndsEarlyAndNothingIsMissed) {
  enrol("A-1", "P");
  for (int i = 0; i < 1000; ++i) add("A-1", alt(i + 1));
  const Positions positions = now();
  readers_.pages = 0;
  auto slow = load(positions);
  ASSERT_TRUE(slow.ok()) << why(slow);
  const int pages = readers_.pages;
  readers_.pages = 0;
  const HastyClock clock;
  auto hasty = load_dataset({.study = study_,
                             .settings = settings_,
                             .study_row = row_.study,
                             .positions = positions,
                             .domains = domain(Kind::lab)},
                            {readers_, clock, cancel_});
  ASSERT_TRUE(hasty.ok()) << why(hasty);
  EXPECT_EQ(readers_.pages, pages + 3) << "of 256 rows each";
  EXPECT_EQ((*hasty)->labs.size(), 1000u);
}

TEST_F(LoadDatasetTest, NamesARecordThatIsDamaged) {
  enrol("A-1", "P");
  const auto id = add("A-1", R"("kind":"adverse_event","code":"HEADACHE","attributes":{"a":"b"})");
  const std::pair<const char*, const char*> cases[] = {
      {"attributes = '{'", "the attributes cannot be read"},
      {"attributes = '{\"a\":1}'", "the attributes are not texts"},
      {"kind = 99", "its kind is unknown"},
      {"subject = 99", "it is of a subject that is not there"}};
  for (const auto& [damage, reason] : cases) {
    commit([&] {
      const auto done = connection().script("UPDATE records SET " + std::string(damage) +
                                            " WHERE id = " + std::to_string(id));
      ASSERT_TRUE(done.ok()) << why(done);
    });
    auto loaded = load(now());
    ASSERT_FALSE(loaded.ok()) << damage;
    EXPECT_EQ(loaded.error().code, base::Errc::corrupt);
    EXPECT_EQ(loaded.error().message, "record " + std::to_string(id) + ": " + reason);
    commit([&] {
      ASSERT_TRUE(connection()
                      .script("UPDATE records SET attributes = NULL, kind = 5, subject = 1 "
                              "WHERE id = " + std::to_string(id))
                      .ok());
    });
  }
}

}  // namespace
}  // namespace trialward::reports
