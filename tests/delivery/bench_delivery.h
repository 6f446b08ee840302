// A Delivery without threads: a store with alerts, an Outbound that keeps what it is given until
// the test answers it, and a Ledger that writes at once or not, as it is told.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "delivery/delivery.h"
#include "store/alert_rows.h"
#include "store/subject_rows.h"
#include "tests/store/store_bench.h"

namespace trialward::delivery {

class FakeOutbound final : public base::Outbound {
 public:
  struct Call {
    Id id = 0;
    base::OutboundRequest request;
    std::optional<base::OutboundMail> mail;
    Done done;
  };
  base::Result<Id> send(base::OutboundRequest request, Done done) override {
    if (refuse) return *refuse;
    calls.push_back({++last_id, std::move(request), std::nullopt, std::move(done)});
    return last_id;
  }
  base::Result<Id> mail(base::OutboundMail mail, Done done) override {
    if (refuse) return *refuse;
    calls.push_back({++last_id, {}, std::move(mail), std::move(done)});
    return last_id;
  }
  void cancel(Id id) override {
    for (std::size_t i = 0; i < calls.size(); ++i) {
      if (calls[i].id != id) continue;
      base::OutboundAnswer answer;
      answer.failure = base::OutboundFailure::cancelled;
      return end(i, answer);
    }
  }
  void end(std::size_t index, base::OutboundAnswer answer) {
    const Done done = std::move(calls[index].done);
    calls.erase(calls.begin() + static_cast<std::ptrdiff_t>(index));
    done(std::move(answer));
  }
  void answer(std::size_t index, int status) {
    base::OutboundAnswer answer;
    answer.status = status;
    end(index, answer);
  }

  std::deque<Call> calls;  // without an answer yet
  std::optional<base::Error> refuse;
  Id last_id = 0;
};

class FakeLedger final : public Ledger {
 public:
  explicit FakeLedger(store::Writer& writer, const base::Clock& clock)
      : writer_(writer), clock_(clock) {}
  bool record(const std::vector<store::DeliveryAttempt>& attempts,
              std::function<void(bool)> done) override {
    ++offered;
    if (no_room > 0) return --no_room, false;
    if (held) return waiting = std::move(done), kept = attempts, true;
    if (failures > 0) return --failures, done(false), true;
    write(attempts);
    done(true);
    return true;
  }
  bool prune(std::int64_t before_ms, std::int64_t limit,
             std::function<void(std::int64_t)> done) override {
    TW_CHECK(writer_.begin().ok());
    const auto rows = store::prune_deliveries(writer_.connection(), before_ms, limit);
    TW_CHECK(rows.ok() && writer_.commit().ok());
    ++prunes;
    done(*rows);
    return true;
  }
  // What is held is written now, and told.
  void let_go() {
    write(kept);
    std::exchange(waiting, nullptr)(true);
  }
  void write(const std::vector<store::DeliveryAttempt>& attempts) {
    TW_CHECK(writer_.begin().ok());
    TW_CHECK(store::record_attempts(writer_, attempts, "delivery", clock_.utc_ms()).ok());
    TW_CHECK(writer_.commit().ok());
    recorded += attempts.size();
  }

  int no_room = 0, failures = 0, offered = 0, prunes = 0;
  std::size_t recorded = 0;
  bool held = false;
  std::function<void(bool)> waiting;
  std::vector<store::DeliveryAttempt> kept;

 private:
  store::Writer& writer_;
  const base::Clock& clock_;
};

class DeliveryBench : public ::testing::Test {
 protected:
  void SetUp() override {
    Target target;
    target.name = "desk";
    target.url = "https://desk.example/hook";
    target.secrets = {"0123456789abcdef"};
    targets_.all = {target};
    open_store();
  }
  void TearDown() override { close(); }

  void open_store() {
    auto opened = store::Store::open(folder_.store(), random_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
    ledger_ = std::make_unique<FakeLedger>(store_->writer(), clock_);
  }
  // Begins anew, as after a restart.
  void open() {
    close();
    ledger_ = std::make_unique<FakeLedger>(store_->writer(), clock_);
    auto opened = Delivery::open(targets_, options_, outbound_, *ledger_,
                                 std::move(store_->open_reader().value()), random_, tasks_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    delivery_ = std::move(*opened);
    run();
  }
  void close() {
    if (delivery_ != nullptr) delivery_->stop(base::Duration::zero());
    delivery_.reset();
  }
  // Until there is nothing to do; sends nothing twice by itself.
  void run() {
    for (int i = 0; i < 1000 && delivery_->run_once(); ++i) {
    }
  }
  void run(std::chrono::milliseconds later) {
    clock_.advance(later);
    delivery_->wake();
    run();
  }

  // An event of the study, of this subject, in the outbox for the targets; its number.
  std::int64_t raise(const std::string& subject,
                     const std::vector<std::string>& names = {"desk"}) {
    store::Writer& writer = store_->writer();
    TW_CHECK(writer.begin().ok());
    if (study_ == 0) {
      study_ = writer.next_id(store::Table::studies);
      const std::array<store::SqlValue, 2> row = {study_, std::string_view("s")};
      TW_CHECK(writer.append(store::Table::studies, 0, {.action = "study"}, row).ok());
    }
    auto [known, added] = subjects_.emplace(subject, 0);
    if (added) {
      const store::NewSubject enrolled{.study = study_, .subject = subject, .site = "A"};
      known->second = store::append_subject(writer, enrolled, {.action = "enrolled"}).value();
    }
    const store::AlertPlace place{.study = study_, .subject = known->second, .site = "A"};
    const model::RuleInfo rule{.id = "rule-" + std::to_string(++rules_), .title = "High"};
    auto change = store::raise_or_join(writer, place, rule, {.causes = {}},
                                       {.actor = "monitor", .at_ms = clock_.utc_ms()});
    TW_CHECK(change.ok());
    const std::int64_t number = change->events.front();
    TW_CHECK(store::append_deliveries(writer, study_, number, names, clock_.utc_ms()).ok());
    TW_CHECK(writer.commit().ok());
    if (delivery_ != nullptr) delivery_->wake();
    return number;
  }
  std::int64_t count(const std::string& where) {
    return store_->writer()
        .connection()
        .integer("SELECT count(*) FROM " + where)
        .value();
  }
  // "P-1:2 P-2:3" of what is out, in the order in which it was sent: subject and event.
  std::string out() const {
    std::string text;
    for (const FakeOutbound::Call& call : outbound_.calls) {
      text += (text.empty() ? "" : " ") + member(call.request.body, "\"subject\":\"", "\"") + ":" +
              member(call.request.body, "\"number\":", ",");
    }
    return text;
  }
  static std::string member(const std::string& body, const std::string& begin,
                            const std::string& end) {
    const std::size_t at = body.find(begin) + begin.size();
    return body.substr(at, body.find(end, at) - at);
  }

  StorePlace folder_;
  base::FakeClock clock_;
  base::SeededRandom random_{5};
  runtime::TaskList tasks_{clock_};
  Targets targets_;
  DeliveryOptions options_;
  FakeOutbound outbound_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<FakeLedger> ledger_;
  std::unique_ptr<Delivery> delivery_;
  std::int64_t study_ = 0;
  int rules_ = 0;
  std::map<std::string, std::int64_t> subjects_;
};

}  // namespace trialward::delivery
