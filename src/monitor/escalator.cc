#include "monitor/escalator.h"

#include <algorithm>
#include <limits>

#include "base/log.h"
#include "store/boot_row.h"
#include "store/stopped_by.h"

namespace trialward::monitor {
namespace {

constexpr base::Duration kLook = std::chrono::milliseconds(200);
constexpr base::Duration kDeadline = std::chrono::seconds(5);
constexpr runtime::BackoffOptions kAfterFailure{.initial = std::chrono::milliseconds(200),
                                                .max = std::chrono::seconds(2)};
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

std::vector<Escalator::Study> with_escalation(std::vector<Escalator::Study> studies) {
  std::erase_if(studies, [](const auto& study) { return !study.study->escalation; });
  return studies;
}

}  // namespace

Escalator::Escalator(std::unique_ptr<store::Connection> reader, std::vector<Study> studies,
                     HandOver hand_over, base::Random& random, runtime::TaskList& tasks)
    : reader_(std::move(reader)),
      studies_(with_escalation(std::move(studies))),
      hand_over_(std::move(hand_over)),
      clock_(tasks.clock()),
      utc_(clock_),
      task_({.name = "escalation", .interval = kLook, .deadline = kDeadline,
             .backoff = kAfterFailure},
            [this](const runtime::Cancel& cancel) { return look(cancel); }, random, tasks) {}

void Escalator::changed() {
  const std::lock_guard lock(mutex_);
  changed_ = true;
}

std::size_t Escalator::in_flight() const {
  const std::lock_guard lock(mutex_);
  return in_flight_.size();
}

Escalator::Waiting Escalator::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

base::Status Escalator::count() {
  Waiting found;
  for (const auto& [sql, into] :
       {std::pair("SELECT count(*) FROM alert_states WHERE waits = 1", &found.alerts),
        std::pair("SELECT count(*) FROM alert_storms WHERE waits = 1", &found.storms)}) {
    auto number = reader_->integer(sql);
    if (!number) return number.error();
    *into = *number;
  }
  const std::lock_guard lock(mutex_);
  waiting_ = found;
  return {};
}

base::Status Escalator::look(const runtime::Cancel& cancel) {
  if (on_duty_ && !on_duty_()) return {};
  const store::StoppedBy stopping(cancel, *reader_);
  const std::int64_t now_ms = store::waiting_ms(*reader_, clock_.now(), utc_);
  {
    const std::lock_guard lock(mutex_);
    if (!changed_ && now_ms < next_due_ms_) return {};
    changed_ = false;
  }
  next_due_ms_ = kNever;
  for (const Study& study : studies_) {
    for (std::size_t i = 0; i < model::kAlertSeverities; ++i) {
      for (int told = 0; told <= static_cast<int>(model::kTiersMax); ++told) {
        const store::WaitClass of{study.row, static_cast<model::AlertSeverity>(i), told};
        if (auto done = look_at(study, of, now_ms); !done) {
          changed();  // nothing is forgotten: it looks again
          base::log_error("escalation: what is due cannot be read: " + done.error().message);
          return done;
        }
      }
    }
  }
  return count();
}

base::Status Escalator::look_at(const Study& study, const store::WaitClass& of,
                                std::int64_t now_ms) {
  const auto next = study.study->escalation->next(of.severity, of.tier);
  if (!next) return {};
  // Those on their way are the oldest, so twice as many show what comes behind them.
  auto waits = store::read_waits(*reader_, of, 2 * kInFlightMax);
  if (!waits) return waits.error();
  for (const store::Wait& wait : *waits) {
    const std::int64_t due_ms = wait.since_ms + next->after_ms;
    if (due_ms > now_ms) {
      next_due_ms_ = std::min(next_due_ms_, due_ms);
    } else if (!hand_over(study.row, wait)) {
      next_due_ms_ = std::min(next_due_ms_, now_ms);  // the next time
    }
  }
  return {};
}

// False when it has to be looked at again; what is on its way tells so itself.
bool Escalator::hand_over(std::int64_t study, const store::Wait& wait) {
  const Key key{wait.alert, wait.storm};
  {
    const std::lock_guard lock(mutex_);
    if (in_flight_.contains(key)) return true;
    if (in_flight_.size() >= kInFlightMax) return false;
    in_flight_.insert(key);
  }
  const auto over = [this, key] {
    const std::lock_guard lock(mutex_);
    in_flight_.erase(key);
    changed_ = true;
  };
  if (hand_over_(study, wait, over)) return true;
  over();
  return false;
}

}  // namespace trialward::monitor
