// A store of a small invented study with two arms, written record by record, and what reading and
// writing reports of it takes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/decode_record.h"
#include "reports/render.h"
#include "reports/report.h"
#include "store/record_rows.h"
#include "store/study_rows.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::reports {

using store::why;

inline constexpr std::int64_t kNow = 1'750'000'000'000;  // 2025-06-15T15:06:40.000Z

inline constexpr const char* kStudyText = R"toml(
[study]
id = "small"
title = "A small study"
[[sites]]
id = "A"
time_zone = "UTC"
[[sites]]
id = "B"
time_zone = "UTC"
[[arms]]
id = "P"
name = "Placebo"
[[arms]]
id = "V"
name = "Verum"
[[arms]]
id = "SCRNFAIL"
name = "Screen Failure"
[kinds.adverse_event]
open = true
[kinds.exposure]
open = true
[kinds.disposition]
open = true
[kinds.visit]
open = true
[kinds.medical_history]
open = true
[[codes]]
kind = "lab"
code = "ALT"
name = "Alanine aminotransferase"
unit = "U/L"
[[codes]]
kind = "vital"
code = "WEIGHT"
name = "Weight"
unit = "kg"
also = [{ unit = "LB", factor = 0.45359237 }]
)toml";

inline std::shared_ptr<const model::Study> study_with(const std::string& reports_toml,
                                                      const std::string& more = "") {
  std::vector<model::DefinitionFile> files = {{"study.toml", kStudyText + more}};
  if (!reports_toml.empty()) files.push_back({"reports.toml", reports_toml});
  auto study = model::load_study(std::move(files));
  TW_CHECK(study.ok());
  return std::make_shared<const model::Study>(std::move(*study));
}

class ReportBench : public store::StoreBench {
 protected:
  void SetUp() override {
    StoreBench::SetUp();
    use(study_with(""));
  }

  void use(std::shared_ptr<const model::Study> study) {
    study_ = std::move(study);
    auto settings = read_settings(*study_);
    TW_CHECK(settings.ok());
    settings_ = std::make_shared<const Settings>(std::move(*settings));
    commit([&] {
      auto row = store::ensure_study(writer(), *study_, {.actor = "trialward", .at_ms = now_ms_});
      ASSERT_TRUE(row.ok()) << why(row);
      row_ = *row;
    });
  }

  // A record from native JSON without its source: `members` follow those. Its id.
  std::int64_t add(const std::string& subject, const std::string& members) {
    const std::int64_t id = writer().next_id(store::Table::records);
    auto decoded = decoder_.decode(R"({"source":"s","source_id":")" + std::to_string(id) +
                                   R"(","subject":")" + subject + R"(",)" + members + "}");
    EXPECT_TRUE(decoded.ok()) << (decoded ? "" : model::to_json(decoded.error()));
    TW_CHECK(decoded.ok());
    model::StoredRecord stored{.id = id, .record = std::move(*decoded)};
    model::Record& record = stored.record;
    stored.shard = model::shard_of(study_->id, subject);
    if (auto interval = model::resolve_effective(record.effective, "UTC")) {
      stored.interval = *interval;
    }
    stored.received_ms = now_ms_;
    stored.actor = "feed";
    stored.definition = row_.definition;
    if (record.amends != 0) stored.version = 2;
    commit([&] {
      store::RecordLinks links{.study = row_.study, .subject = subject_row(subject, record.site)};
      links.content = base::sha256(model::canonical_content(record));
      stored.position = writer().next_position(stored.shard);
      const auto done = store::append_record(writer(), stored, links);
      ASSERT_TRUE(done.ok()) << why(done);
    });
    return id;
  }

  // Enrols a subject, treated from 2024-01-10 if it has an arm.
  void enrol(const std::string& subject, const std::string& arm, const std::string& more = "") {
    const bool treated = arm != "SCRNFAIL";
    add(subject, R"("site":")" + std::string(subject.front() == 'B' ? "B" : "A") +
                     R"(","kind":"demographics","code":"DM","effective":"2024-01-01",)"
                     R"("attributes":{"arm":")" + arm + R"(")" + more + "}");
    if (treated) {
      add(subject, R"("kind":"exposure","code":"STUDY DRUG","effective":"2024-01-10")");
    }
  }

  Reading reading() { return {readers_, clock_, cancel_}; }

  Positions now() {
    auto positions = positions_now(reading(), row_.study, kNow);
    TW_CHECK(positions.ok());
    positions->definition = study_->hash;
    positions->program = "test";
    return *positions;
  }

  base::Result<std::shared_ptr<const Dataset>> load(
      Positions positions, Domains domains = kAllDomains,
      std::size_t bytes_max = std::size_t{1} << 30) {
    return load_dataset({.study = study_,
                         .settings = settings_,
                         .study_row = row_.study,
                         .positions = std::move(positions),
                         .domains = domains,
                         .bytes_max = bytes_max},
                        reading());
  }

  std::string write(const Request& request, Format format = Format::csv,
                    const TellCoverage& coverage = {}) {
    auto data = load(now());
    TW_CHECK(data.ok());
    StringOutput output;
    const auto done =
        write_report(request, **data, *make_renderer(format, output), runtime::Cancel(), coverage);
    EXPECT_TRUE(done.ok()) << why(done);
    return output.text();
  }

  // Lends the writer's own connection, and counts the pages.
  class CountedReaders final : public Readers {
   public:
    explicit CountedReaders(ReportBench& bench) : bench_(bench) {}
    base::Status lend(const Read& read) override {
      ++pages;
      if (pages == bench_.cancel_at_page_) bench_.cancel_.fire(runtime::CancelReason::requested);
      return read(bench_.connection());
    }
    int pages = 0;

   private:
    ReportBench& bench_;
  };

  std::int64_t subject_row(const std::string& subject, const std::string& site) {
    auto found = store::find_subject(connection(), row_.study, subject);
    TW_CHECK(found.ok());
    if (*found) return (*found)->id;
    auto id = store::append_subject(writer(),
                                    {.study = row_.study,
                                     .subject = subject,
                                     .site = site,
                                     .shard = model::shard_of(study_->id, subject)},
                                    {.actor = "feed", .action = "subject.enrolled",
                                     .at_ms = now_ms_});
    TW_CHECK(id.ok());
    return *id;
  }

  std::shared_ptr<const model::Study> study_;
  std::shared_ptr<const Settings> settings_;
  store::StudyRow row_;
  std::int64_t now_ms_ = kNow;
  base::FakeClock clock_;
  runtime::Cancel cancel_;
  int cancel_at_page_ = 0;
  CountedReaders readers_{*this};
  model::RecordDecoder decoder_;
};

}  // namespace trialward::reports
