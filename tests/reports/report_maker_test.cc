#include "reports/report_maker.h"

#include <fstream>
#include <sstream>

#include "tests/reports/report_bench.h"
#include "tests/temporary_folder.h"

namespace trialward::reports {
namespace {

class ReportMakerTest : public ReportBench {
 protected:
  void SetUp() override {
    ReportBench::SetUp();
    enrol("A-1", "P");
    enrol("B-1", "V");
  }

  // All reports that need no parameters and no CTCAE, of the study and of its sites.
  static std::shared_ptr<const std::vector<Request>> many() {
    auto requests = std::make_shared<std::vector<Request>>();
    for (const char* site : {"", "A", "B"}) {
      for (const ReportInfo& info : catalogue()) {
        if (info.id == "lab-grades" || info.id == "subject-profile") continue;
        requests->push_back(
            {std::string(info.id), {.site = site, .unblinded = false, .others = {}}});
      }
    }
    return requests;
  }
  ReportStudy study() { return {study_, settings_, row_.study}; }
  MakeReport make(const std::shared_ptr<const std::vector<Request>>& together, std::size_t which,
                  const std::optional<AsOf>& as_of) {
    return maker_.make(study(),
                       {.request = (*together)[which], .together = together, .as_of = as_of});
  }
  base::Result<std::vector<ResultFile>> run(const MakeReport& make) {
    return make({.cancel = cancel_,
                 .path = folder_.file(std::to_string(++files_)),
                 .version = version_,
                 .progress = [](std::uint64_t, std::uint64_t) {}});
  }
  static std::string bytes(const std::vector<ResultFile>& files) {
    std::ostringstream all;
    for (const ResultFile& file : files) all << std::ifstream(file.path).rdbuf();
    return all.str();
  }

  class Lent final : public Readers {
   public:
    explicit Lent(Readers& readers) : readers_(readers) {}
    base::Status lend(const Read& read) override { return readers_.lend(read); }

   private:
    Readers& readers_;
  };

  TemporaryFolder folder_;
  int files_ = 0;
  std::uint64_t version_ = 1;
  ReportMaker maker_{{.program = "test", .shelf = {}, .coverage = {}},
                     [this](const runtime::Cancel&) { return std::make_unique<Lent>(readers_); },
                     clock_,
                     [this] { return version_; }};
};

TEST_F(ReportMakerTest, ManyAsOfOneMomentReadTheStoreOnce) {
  const auto together = many();
  ASSERT_GE(together->size(), 36u);
  const AsOf then{kNow, place_of(now())};
  const auto first = run(make(together, 0, then));
  ASSERT_TRUE(first.ok()) << why(first);
  const int pages = readers_.pages;
  EXPECT_GT(pages, 0);
  for (std::size_t which = 1; which < together->size(); ++which) {
    const auto done = run(make(together, which, then));
    ASSERT_TRUE(done.ok()) << why(done);
  }
  EXPECT_EQ(readers_.pages, pages);
}

TEST_F(ReportMakerTest, AsOfThenIsByTheDefinitionOfThen) {
  const auto together = many();
  clock_.jump_wall(std::chrono::milliseconds(kNow - clock_.utc_ms()));
  const auto made = run(make(together, 0, {}));
  ASSERT_TRUE(made.ok()) << why(made);
  const AsOf then{kNow, place_of(now())};
  now_ms_ += 1000;
  use(study_with("[numbers]\nrounding = \"R\"\n"));
  enrol("A-2", "V");
  ++version_;
  const auto again = run(make(together, 0, then));
  ASSERT_TRUE(again.ok()) << why(again);
  EXPECT_EQ(bytes(*again), bytes(*made));
  const auto today = run(make(together, 0, {}));
  ASSERT_TRUE(today.ok()) << why(today);
  EXPECT_NE(bytes(*today), bytes(*made));
}

TEST_F(ReportMakerTest, P5ACancelledRunLeavesNothing) {
  const auto together = many();
  // While it reads, and before it begins, with what an earlier one has left.
  for (const bool begun : {true, false}) {
    ASSERT_TRUE(run(make(together, 0, {})).ok());
    EXPECT_GT(maker_.dataset_bytes(), 0u) << "for who asks next";
    MakeReport cancelled = make(together, 1, {});
    if (begun) {
      ++version_;  // so that it reads anew
      cancel_at_page_ = readers_.pages + 2;
      const auto done = run(cancelled);
      ASSERT_FALSE(done.ok());
      EXPECT_EQ(done.error().code, base::Errc::cancelled);
      cancel_ = runtime::Cancel();
    }
    cancelled = nullptr;
    EXPECT_EQ(maker_.dataset_bytes(), 0u);
  }
}

}  // namespace
}  // namespace trialward::reports
