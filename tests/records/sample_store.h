// A small store that holds something of everything, written as intake/ would: two studies, one with
// two definitions, corrections, alerts that were raised, joined and acknowledged, tokens. It exists
// as of two moments, with a signed head of each.
#pragma once

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "records/heads.h"
#include "store/alert_causes.h"
#include "store/outbox_rows.h"
#include "store/record_rows.h"
#include "store/study_rows.h"
#include "store/subject_rows.h"
#include "store/token_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::records {

inline constexpr std::int64_t kNow = 1'750'000'000'000;  // 2025-06-15T15:06:40.000Z

// One rule: a number of 100 and more, grouped by code; 666 breaks it. What it remembers are the ids
// of the current versions of the numbers from 10 on, in any order of arrival the same. It waits.
class HundredMonitor final : public model::Monitor {
 public:
  explicit HundredMonitor(std::string hash) : hash_(std::move(hash)) {}
  const std::vector<model::RuleInfo>& rules() const override { return rules_; }
  const std::string& hash() const override { return hash_; }
  bool waits() const override { return true; }
  base::Result<std::unique_ptr<model::Watch>> open(std::string_view) const override {
    return std::unique_ptr<model::Watch>(std::make_unique<Watch>());
  }

 private:
  class Watch final : public model::Watch {
   public:
    model::Observation observe(const model::StoredRecord& stored) override {
      const double number = stored.record.value.number.value_or(0);
      if (number == 666) throw std::runtime_error("the rule is broken");
      ids_.erase(stored.record.amends);
      if (number >= 10) ids_.insert(stored.id);
      if (number < 100) return {};
      return {.matches = {{.rule = 0, .group = stored.record.code, .causes = {stored.id}}}};
    }
    // Something is due a second after the newest number that it remembers, by its id.
    model::Observation pass(std::int64_t utc_ms) override {
      passed_ms_ = std::max(passed_ms_, utc_ms);
      return {};
    }
    std::optional<std::int64_t> due_ms() const override {
      if (ids_.empty() || kNow + *ids_.rbegin() * 1000 <= passed_ms_) return std::nullopt;
      return kNow + *ids_.rbegin() * 1000;
    }
    bool holds(std::size_t, std::string_view,
               const std::vector<std::int64_t>& causes) const override {
      return !causes.empty();
    }
    bool changed() const override { return true; }
    std::string save() const override {
      std::string text;
      for (const std::int64_t id : ids_) text += std::to_string(id) + ";";
      return text;
    }
    std::size_t bytes() const override { return sizeof *this; }

   private:
    std::set<std::int64_t> ids_;
    std::int64_t passed_ms_ = 0;
  };

  const std::string hash_;
  const std::vector<model::RuleInfo> rules_ = {
      {.id = "hundred", .version = 2, .title = "At least 100"}};
};

// The rules of the studies below change with their definitions.
inline base::Result<std::shared_ptr<const model::Monitor>> load_hundred(
    std::vector<model::DefinitionFile> files) {
  auto study = model::load_study(std::move(files));
  if (!study) return base::Error{base::Errc::invalid, "a faulty definition"};
  return std::shared_ptr<const model::Monitor>(
      std::make_shared<HundredMonitor>("rules of " + study->id + " " + study->version));
}

// Writes records and all that follows from them, each in a transaction of its own.
class SampleWriter {
 public:
  // `place`: a path, or a URL.
  explicit SampleWriter(const std::string& place) {
    base::SeededRandom random(7);
    auto opened = store::Store::open(place, random);
    TW_CHECK(opened.ok());
    store_ = std::move(*opened);
  }

  store::Store& store() { return *store_; }

  void use_study(const std::string& id, const std::string& version) {
    study_ = store::make_study(id, version);
    begin();
    auto row = store::ensure_study(writer(), study_, {.actor = "trialward", .at_ms = kNow});
    TW_CHECK(row.ok());
    row_ = *row;
    commit();
    auto monitor = load_hundred(study_.files);
    TW_CHECK(monitor.ok());
    monitor_ = *monitor;
  }

  // The record's id.
  std::int64_t add(const std::string& subject, double number, std::int64_t amends = 0) {
    begin();
    const int shard = model::shard_of(study_.id, subject);
    store::SubjectRow row = subject_row(subject, shard);
    model::StoredRecord stored = make_record(subject, number, amends);
    stored.shard = shard;
    stored.position = writer().next_position(shard);
    stored.definition = row_.definition;
    const store::RecordLinks links{
        .study = row_.study,
        .subject = row.id,
        .previous = row.last_record,
        .content = base::sha256(model::canonical_content(stored.record))};
    TW_CHECK(store::append_record(writer(), stored, links).ok());
    auto& watch = watches_[row.id];
    if (watch == nullptr || row.rules != monitor_->hash()) watch = replay(row);
    const store::AlertPlace place{.study = row_.study,
                                  .subject = row.id,
                                  .site = "A",
                                  .definition = row_.definition,
                                  .shard = shard,
                                  .escalation = escalation};
    for (const model::Match& match : observe(*watch, stored)) {
      TW_CHECK(store::raise_or_join(writer(), place, monitor_->rules()[0], match,
                                    {.actor = "monitor", .at_ms = kNow})
                   .ok());
    }
    row.last_record = stored.id;
    row.rules = monitor_->hash();
    row.watch = watch->save();
    row.as_of = stored.id;
    TW_CHECK(store::put_last_record(writer().connection(), row).ok());
    TW_CHECK(store::put_watch(writer().connection(), row).ok());
    put_due(row, *watch);
    commit();
    return stored.id;
  }

  // The time has passed for a subject that the study's rules of now have watched.
  void pass(const std::string& subject, std::int64_t utc_ms) {
    begin();
    const int shard = model::shard_of(study_.id, subject);
    store::SubjectRow row = subject_row(subject, shard);
    const store::NewPass pass{.subject = row.id, .utc_ms = utc_ms, .shard = shard};
    TW_CHECK(store::append_pass(writer(), pass,
                                {.actor = "monitor", .action = "subject.waited", .at_ms = utc_ms})
                 .ok());
    (void)watches_.at(row.id)->pass(utc_ms);
    put_due(row, *watches_.at(row.id));
    commit();
  }
  // A record of an alert is a reason for it no more, or again.
  void revise(std::int64_t alert, const store::CauseChange& change) {
    begin();
    const store::AlertPlace place{.study = row_.study, .shard = model::shard_of(study_.id, "P-1")};
    TW_CHECK(
        store::revise_causes(writer(), place, alert, change, {.actor = "monitor", .at_ms = kNow})
            .ok());
    commit();
  }

  void step(std::int64_t alert, const store::AlertStep& step, std::string_view note) {
    begin();
    TW_CHECK(store::step_alert(writer(), row_.study, alert, step,
                               {.actor = "safety", .reason = note, .at_ms = kNow + 5})
                 .ok());
    commit();
  }
  void acknowledge(std::int64_t alert) {
    const model::ReadBack value{.record = 4, .kind = "lab", .code = "ALT", .value = "120"};
    step(alert, {.type = model::AlertEventType::acknowledged, .detail = {.values = {value}}},
         "called the site");
  }

  // An alert event is to be delivered.
  void queue(std::int64_t event_number, const std::string& target) {
    begin();
    const std::vector<std::string> targets = {target};
    TW_CHECK(store::append_deliveries(writer(), row_.study, event_number, targets, kNow + 7).ok());
    commit();
  }
  void attempt(std::int64_t delivery, store::DeliveryState next) {
    begin();
    const std::vector<store::DeliveryAttempt> attempts = {
        {.delivery = delivery, .next = next, .at_ms = kNow + 8, .outcome = "x", .error = ""}};
    TW_CHECK(store::record_attempts(writer(), attempts, "delivery", kNow + 9).ok());
    commit();
  }
  void resend(std::int64_t delivery) {
    begin();
    TW_CHECK(store::change_delivery(writer(), row_.study, "", delivery,
                                    store::DeliveryChange::resend,
                                    {.actor = "anna", .reason = "again", .at_ms = kNow + 10})
                 .ok());
    commit();
  }

  const model::Escalation* escalation = nullptr;  // of what is raised from now on

  std::int64_t add_token(const std::string& name) {
    begin();
    store::TokenRow row{.hash = base::sha256(name),
                        .name = name,
                        .role = "feed",
                        .study = row_.study,
                        .source = "lab",
                        .created_ms = kNow};
    TW_CHECK(store::append_token(writer(), row,
                                 {.actor = "admin", .action = "token.created", .at_ms = kNow})
                 .ok());
    commit();
    return row.id;
  }

  void revoke(std::int64_t token) {
    begin();
    TW_CHECK(store::revoke_token(
                 writer(), token,
                 {.actor = "admin", .action = "token.revoked", .reason = "lost", .at_ms = kNow})
                 .ok());
    commit();
  }

 private:
  store::Writer& writer() { return store_->writer(); }
  void begin() { TW_CHECK(writer().begin().ok()); }
  void commit() { TW_CHECK(writer().commit().ok()); }

  store::SubjectRow subject_row(const std::string& subject, int shard) {
    auto found = store::find_subject(writer().connection(), row_.study, subject);
    TW_CHECK(found.ok());
    if (*found) return **found;
    auto id = store::append_subject(
        writer(), {.study = row_.study, .subject = subject, .site = "A", .shard = shard},
        {.actor = "feed", .action = "subject.enrolled", .at_ms = kNow});
    TW_CHECK(id.ok());
    return {.id = *id};
  }

  model::StoredRecord make_record(const std::string& subject, double number, std::int64_t amends) {
    const std::int64_t id = writer().next_id(store::Table::records);
    model::StoredRecord stored{.id = id};
    model::Record& record = stored.record;
    record.source = "lab-feed";
    record.source_id = "A-" + std::to_string(id);
    record.subject = subject;
    record.site = "A";
    record.code = "ALT";
    record.value.number = number;
    record.value.number_text = std::to_string(std::lround(number));
    record.unit = "U/L";
    record.effective = "2024-03-01T10:00";
    record.attributes = {{"sample", "serum"}};
    record.amends = amends;
    if (amends != 0) record.reason = "a typing error";
    record.original = "{\"source_id\":\"" + record.source_id + "\"}";
    stored.interval = model::Interval{1709287200000, 1709287260000};
    stored.received_ms = kNow + id;
    stored.actor = "feed";
    stored.version = amends != 0 ? 2 : 1;
    return stored;
  }

  static std::vector<model::Match> observe(model::Watch& watch, const model::StoredRecord& stored) {
    try {
      return watch.observe(stored).matches;
    } catch (const std::runtime_error&) {
      return {};
    }
  }

  void put_due(store::SubjectRow& row, const model::Watch& watch) {
    row.due = {.rules = monitor_->hash(), .due_ms = watch.due_ms()};
    TW_CHECK(store::put_due(writer().connection(), row_.study, row).ok());
  }

  std::unique_ptr<model::Watch> replay(const store::SubjectRow& row_before) {
    auto watch = monitor_->open({});
    TW_CHECK(watch.ok());
    auto rows = store::read_chain(writer().connection(), row_before.last_record, 100);
    TW_CHECK(rows.ok());
    for (auto row = rows->rbegin(); row != rows->rend(); ++row) observe(**watch, row->stored);
    (void)(*watch)->pass(row_before.passed_ms);
    return std::move(*watch);
  }

  std::unique_ptr<store::Store> store_;
  model::Study study_;
  store::StudyRow row_;
  std::shared_ptr<const model::Monitor> monitor_;
  std::map<std::int64_t, std::unique_ptr<model::Watch>> watches_;
};

// The two moments. The heads cover both and belong to the late one.
class SampleStore {
 public:
  // Made once a process, because each case only needs a copy.
  static const SampleStore& get() {
    static const SampleStore kStore;
    return kStore;
  }

  // Paths, or URLs.
  const std::string& early() const { return early_; }
  const std::string& late() const { return late_; }
  // What the names of the late one's heads and keys begin with.
  const std::string& beside() const { return beside_; }
  std::string heads() const { return heads_path(beside_); }
  PublicKey key() const {
    auto key = read_public_key(public_key_path(beside_));
    TW_CHECK(key.ok());
    return *key;
  }

 private:
  SampleStore() : early_(early_place_.store()), late_(late_place_.store()) {
    {
      SampleWriter writer(late_);
      beside_ = writer.store().beside();
      write_early(writer);
      sign(writer, kNow);
    }
    if (on_postgres()) {  // the same once more
      SampleWriter writer(early_place_.store());
      write_early(writer);
    } else {
      std::filesystem::copy_file(late_, early_);
    }
    SampleWriter writer(late_place_.store());
    write_late(writer);
    sign(writer, kNow + 60'000);
  }

  static void write_early(SampleWriter& writer) {
    writer.use_study("other", "1");
    writer.add("X-1", 150);
    writer.add("X-2", 20);
    writer.use_study("trial", "1");
    const std::int64_t typo = writer.add("P-1", 30);
    writer.add("P-2", 120);
    writer.add("P-1", 40, typo);
    writer.add("P-1", 101);
    writer.add("P-1", 102);
    writer.add("P-3", 5);
    writer.revoke(writer.add_token("lost"));
  }

  static void write_late(SampleWriter& writer) {
    writer.use_study("trial", "2");
    writer.acknowledge(2);
    writer.add("P-2", 666);
    writer.add("P-2", 130);
    writer.add("P-4", 50);
    writer.add("P-4", 200);
    writer.revoke(writer.add_token("leaked"));
    writer.add_token("in use");
    writer.pass("P-4", kNow + 5000);
    writer.revise(3, {.ended = {6}, .holds = true, .because = 7});
    for (const std::int64_t event : {1, 2, 3, 4}) writer.queue(event, "desk");
    writer.attempt(2, store::DeliveryState::delivered);
    writer.attempt(3, store::DeliveryState::pending);
    writer.attempt(3, store::DeliveryState::dead);
    writer.attempt(4, store::DeliveryState::dead);
    writer.resend(4);
  }

  void sign(SampleWriter& writer, std::int64_t at_ms) {
    auto signer = HeadSigner::open(beside_);
    TW_CHECK(signer.ok());
    auto reader = writer.store().open_reader();
    TW_CHECK(reader.ok());
    TW_CHECK((*signer)->sign_now(**reader, at_ms).ok());
  }

  StorePlace early_place_, late_place_;
  const std::string early_, late_;
  std::string beside_;
};

// What looks at the sample store.
class SampleTest : public ::testing::Test {
 protected:
  void SetUp() override { TRIALWARD_NEEDS_STORE(); }
  static const SampleStore& sample() { return SampleStore::get(); }
};

}  // namespace trialward::records
