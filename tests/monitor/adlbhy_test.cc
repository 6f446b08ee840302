// The published analysis of Hy's law in CDISCPILOT01, ADLBHY, which lies outside of the project:
// its flags "above 1.5 x ULN" and its signal must come out of the rules, from its own values and
// from the laboratory's in SDTM's LB.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>

#include "cdisc/dataset_json.h"
#include "cdisc/sdtm.h"
#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

// HYLAW is of one visit: transaminase and bilirubin above 1.5 x ULN, whatever their order.
constexpr const char* kLiverRules = R"(
[[rules]]
id = "above"
title = "t"
one_alert_per = "code"
kind = "lab"
codes = ["ALT", "AST", "BILI"]
above = 1.5
of = "ULN"
[[rules]]
id = "hylaw"
title = "t"
within = "1 s"
all = [
  { kind = "lab", codes = ["ALT", "AST"], above = 1.5, of = "ULN" },
  { kind = "lab", codes = ["BILI"], above = 1.5, of = "ULN" },
]
[[rules]]
id = "in-order"
title = "t"
within = "30 d"
then = [
  { kind = "lab", codes = ["ALT", "AST"], above = 1.5, of = "ULN" },
  { kind = "lab", codes = ["BILI"], above = 1.5, of = "ULN" },
]
)";

constexpr const char* kAnalysisStudy = R"(
[study]
id = "adlbhy"
enrol = "first-record"
default_site = "1"
[[sites]]
id = "1"
time_zone = "UTC"
[[codes]]
kind = "lab"
code = "ALT"
unit = "U/L"
[[codes]]
kind = "lab"
code = "AST"
unit = "U/L"
[[codes]]
kind = "lab"
code = "BILI"
unit = "umol/L"
)";

std::string data(const std::string& name) {
  const char* shared = std::getenv("TRIALWARD_SHARED");
  return std::string(shared ? shared : TRIALWARD_SOURCE "/../shared") + "/data/cdiscpilot01/" +
         name;
}

// Each row by the names of its columns.
template <class Take>
void read_rows(const std::string& name, Take take) {
  auto reader = cdisc::DatasetReader::open(data(name));
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  cdisc::Row row;
  while (true) {
    const auto more = reader->next(row);
    ASSERT_TRUE(more.ok()) << more.error().message;
    if (!*more) return;
    std::map<std::string, std::string> cells;
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      cells[reader->metadata().columns[i].name] = row.cells[i];
    }
    take(reader->metadata(), row, cells);
  }
}

using Place = std::array<std::string, 3>;  // subject, code, visit

// What ADLBHY says.
struct Published {
  std::map<Place, std::string> flags;                                 // Y or N
  std::set<std::pair<std::string, std::string>> signals;              // subject and analysis visit
  std::map<std::pair<std::string, std::string>, std::string> visits;  // its VISIT, of both
};

// Which places and subjects the rules found.
class Found {
 public:
  explicit Found(const std::string& study_toml) {
    auto study = model::load_study(std::vector<model::DefinitionFile>{{"study.toml", study_toml},
                                                                      {"rules.toml", kLiverRules}});
    if (!study) {
      ADD_FAILURE() << model::to_string(study.error().front());
      return;
    }
    study_ = std::make_shared<const model::Study>(std::move(*study));
    auto monitor = load_rules(study_);
    if (monitor) monitor_ = std::move(*monitor);
  }

  void add(model::Record record, const std::string& visit) {
    ASSERT_TRUE(monitor_);
    auto& watch = watches_[record.subject];
    if (watch == nullptr) watch = open_watch(*monitor_);
    model::StoredRecord stored{.id = ++ids_, .record = std::move(record)};
    const auto interval = model::resolve_effective(stored.record.effective, "UTC");
    ASSERT_TRUE(interval.ok());
    stored.interval = *interval;
    const std::string& subject = stored.record.subject;
    bool above = false;
    for (const model::Match& match : watch->observe(stored).matches) {
      const std::string& rule = monitor_->rules()[match.rule].id;
      above = above || rule == "above";
      if (rule == "hylaw") signals.insert({subject, visit});
      if (rule == "in-order") in_order.insert(subject);
    }
    flags[{subject, stored.record.code, visit}] = above ? "Y" : "N";
  }

  std::map<Place, std::string> flags;
  std::set<std::pair<std::string, std::string>> signals;  // subject and visit
  std::set<std::string> in_order;

 private:
  std::shared_ptr<const model::Study> study_;
  Monitor monitor_;
  std::map<std::string, std::unique_ptr<model::Watch>> watches_;
  std::int64_t ids_ = 0;
};

class Adlbhy : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(data("adam/adlbhy.ndjson.gz"))) {
      GTEST_SKIP() << "no data: TRIALWARD_SHARED or ../shared has no " << data("adam");
    }
  }

  // Also shows each row of a measurement.
  template <class Take>
  Published read_published(Take take) {
    Published published;
    read_rows("adam/adlbhy.ndjson.gz", [&](const auto&, const auto&, const auto& cells) {
      const std::string &subject = cells.at("USUBJID"), &visit = cells.at("AVISIT");
      if (cells.at("PARAMCD") == "HYLAW" && cells.at("AVAL") == "1") {
        published.signals.insert({subject, visit});
      }
      if (cells.at("CRIT1FL").empty()) return;
      published.flags[{subject, cells.at("PARAMCD"), cells.at("VISIT")}] = cells.at("CRIT1FL");
      published.visits[{subject, visit}] = cells.at("VISIT");
      take(cells);
    });
    return published;
  }

  static void compare(const Published& published, const Found& found, std::size_t rows) {
    ASSERT_EQ(published.flags.size(), rows);
    std::size_t high = 0;
    for (const auto& [place, flag] : published.flags) {
      high += flag == "Y" ? 1 : 0;
      const auto own = found.flags.find(place);
      ASSERT_TRUE(own != found.flags.end()) << place[0] << " " << place[1] << " " << place[2];
      EXPECT_EQ(own->second, flag) << place[0] << " " << place[1] << " " << place[2];
    }
    EXPECT_EQ(high, 42u);
    std::set<std::pair<std::string, std::string>> signals;
    std::set<std::string> subjects;
    for (const auto& signal : published.signals) {
      signals.insert({signal.first, published.visits.at(signal)});
      subjects.insert(signal.first);
    }
    EXPECT_EQ(found.signals, signals);
    EXPECT_EQ(subjects.size(), 1u);
    // In order: it adds nobody whose bilirubin was high before the transaminase.
    EXPECT_EQ(found.in_order, subjects);
  }
};

TEST_F(Adlbhy, ItsOwnValuesGetItsFlagsAndItsSignal) {
  Found found(kAnalysisStudy);
  const Published published = read_published([&](const auto& cells) {
    model::Record record;
    record.source = "adlbhy";
    record.source_id = cells.at("USUBJID") + cells.at("PARAMCD") + cells.at("VISIT");
    record.subject = cells.at("USUBJID");
    record.code = cells.at("PARAMCD");
    record.value.number = std::stod(cells.at("AVAL"));
    record.range.low = std::stod(cells.at("A1LO"));
    record.range.high = std::stod(cells.at("A1HI"));
    record.unit = record.code == "BILI" ? "umol/L" : "U/L";
    record.effective = cells.at("ADT");
    found.add(std::move(record), cells.at("VISIT"));
  });
  compare(published, found, 4972);
}

TEST_F(Adlbhy, TheLaboratorysValuesGetItsFlagsAndItsSignal) {
  Found found(read_text(TRIALWARD_SOURCE "/studies/cdiscpilot01/study.toml"));
  const Published published = read_published([](const auto&) {});
  std::optional<cdisc::SdtmMapper> mapper;
  read_rows("sdtm/lb.ndjson.gz", [&](const auto& metadata, const auto& row, const auto& cells) {
    if (!mapper) {
      auto made = cdisc::SdtmMapper::make(metadata);
      ASSERT_TRUE(made.ok());
      mapper = std::move(*made);
    }
    const Place place{cells.at("USUBJID"), cells.at("LBTESTCD"), cells.at("VISIT")};
    if (!published.flags.contains(place)) return;
    auto record = mapper->to_record(row);
    ASSERT_TRUE(record.ok());
    found.add(std::move(*record), place[2]);
  });
  compare(published, found, 4972);
}

}  // namespace
}  // namespace trialward::monitor
