// A store of its own, a small study, and a Monitor whose one rule is easy to foresee.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "intake/submission.h"
#include "store/store.h"
#include "store/study_rows.h"
#include "tests/store_place.h"

namespace trialward::intake {

// Raises rule 0 for every number of 100 and more, in one group; a number of exactly 666 breaks it.
// It remembers how many records it saw and the sum of their ids. With the hash "broken" it cannot
// be used at all.
class HundredMonitor final : public model::Monitor {
 public:
  explicit HundredMonitor(std::string hash = "h1") : hash_(std::move(hash)) {}
  const std::vector<model::RuleInfo>& rules() const override { return rules_; }
  const std::string& hash() const override { return hash_; }
  bool waits() const override { return false; }
  base::Result<std::unique_ptr<model::Watch>> open(std::string_view saved) const override {
    if (saved == "damaged" || hash_ == "broken") return base::Error{base::Errc::corrupt, "damaged"};
    return std::unique_ptr<model::Watch>(new Watch(saved));
  }

 private:
  class Watch final : public model::Watch {
   public:
    explicit Watch(std::string_view saved) {
      if (!saved.empty()) {
        (void)std::sscanf(std::string(saved).c_str(), "%ld %ld", &seen_, &sum_);
      }
    }
    model::Observation observe(const model::StoredRecord& record) override {
      const double number = record.record.value.number.value_or(0);
      if (number == 666) throw std::runtime_error("the rule is broken");
      ++seen_;
      sum_ += record.id;
      changed_ = true;
      if (number < 100) return {};
      return {.matches = {{.rule = 0, .group = "g", .causes = {record.id}}}};
    }
    model::Observation pass(std::int64_t) override { return {}; }
    std::optional<std::int64_t> due_ms() const override { return std::nullopt; }
    bool holds(std::size_t, std::string_view,
               const std::vector<std::int64_t>& causes) const override {
      return !causes.empty();
    }
    bool changed() const override { return changed_; }
    std::string save() const override {
      return std::to_string(seen_) + " " + std::to_string(sum_);
    }
    // As if each record were remembered.
    std::size_t bytes() const override { return 1000 * static_cast<std::size_t>(seen_); }

   private:
    long seen_ = 0, sum_ = 0;
    bool changed_ = false;
  };

  const std::string hash_;
  const std::vector<model::RuleInfo> rules_ = {
      {.id = "hundred", .version = 3, .title = "At least 100", .severity = {}}};
};

inline constexpr const char* kStudyToml = R"(
[study]
id = "s"
title = "A study"
version = "1"
enrol = "first-record"
subject_pattern = "P-[0-9]+"
default_site = "A"
[kinds]
adverse_event.open = true
[[sites]]
id = "A"
name = "First"
time_zone = "Europe/Berlin"
country = "DEU"
[[sites]]
id = "B"
name = "Second"
time_zone = "UTC"
country = "DEU"
[[codes]]
kind = "lab"
code = "ALT"
name = "Alanine aminotransferase"
unit = "U/L"
)";

// An open store with the study in it.
class StudyBench : public ::testing::Test {
 protected:
  void SetUp() override {
    TRIALWARD_NEEDS_STORE();
    reopen();
  }

  void reopen(std::string monitor_hash = "h1", std::string toml = kStudyToml) {
    store_.reset();
    auto opened = store::Store::open(folder_.store(), random_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
    load({{"study.toml", std::move(toml)}}, [&](const auto&) {
      return std::make_shared<const HundredMonitor>(std::move(monitor_hash));
    });
  }
  // Another definition of the study; what is stored stays.
  using MakeMonitor =
      std::function<std::shared_ptr<const model::Monitor>(std::shared_ptr<const model::Study>)>;
  void load(std::vector<model::DefinitionFile> files, const MakeMonitor& monitor_of) {
    auto study = model::load_study(std::move(files));
    ASSERT_TRUE(study.ok()) << model::to_string(study.error().front());
    auto active = std::make_shared<ActiveStudy>();
    active->study = std::make_shared<const model::Study>(std::move(*study));
    active->monitor = monitor_of(active->study);
    store::Writer& writer = store_->writer();
    ASSERT_TRUE(writer.begin().ok());
    auto row =
        store::ensure_study(writer, *active->study, {.actor = "test", .at_ms = clock_.utc_ms()});
    ASSERT_TRUE(row.ok()) << row.error().message;
    ASSERT_TRUE(writer.commit().ok());
    active->row = row->study;
    active->definition = row->definition;
    study_ = active;
  }

  // A lab value of a subject, as command.
  AppendRecord alt(const std::string& source_id, double value, const std::string& subject = "P-1") {
    model::Record record;
    record.source = "lab";
    record.source_id = source_id;
    record.subject = subject;
    record.kind = model::Kind::lab;
    record.code = "ALT";
    record.value.number = value;
    record.value.number_text = std::to_string(static_cast<long>(value));
    record.unit = "U/L";
    record.effective = "2024-03-01T10:00";
    AppendRecord command;
    const model::Faults faults = prepare(*study_, std::move(record), kNow, command);
    EXPECT_TRUE(faults.empty()) << (faults.empty() ? "" : faults.front().reason);
    return command;
  }

  Submission submission(std::vector<Command> commands) {
    return {.study = study_, .actor = "tester", .received_ms = kNow, .commands = commands};
  }

  std::int64_t count(const std::string& sql) {
    const std::string portable = test_sql(sql);
    auto number = store_->writer().connection().integer(portable);
    EXPECT_TRUE(number.ok()) << number.error().message;
    return number.ok() ? *number : -1;
  }

  static constexpr std::int64_t kNow = 1'750'000'000'000;
  StorePlace folder_;
  base::SeededRandom random_{1};
  base::FakeClock clock_;
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<const ActiveStudy> study_;
};

}  // namespace trialward::intake
