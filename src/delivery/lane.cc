#include "delivery/lane.h"

#include <algorithm>

namespace trialward::delivery {

using base::Result;
using base::Status;

Lane::Lane(const Target& target, LaneOptions options, const base::Clock& clock,
           base::Random& random)
    : target_(target),
      options_(options),
      clock_(clock),
      random_(random),
      breaker_(options.breaker, clock, random),
      budget_(options.budget, clock) {}

Result<bool> Lane::scan(store::Connection& reader) {
  while (heads_.size() < options_.subjects_max) {
    auto rows = store::read_pending(reader, target_.name, cursor_, options_.page);
    if (!rows) return rows.error();
    for (const store::PendingDelivery& row : *rows) {
      if (heads_.size() >= options_.subjects_max) return false;
      cursor_ = row.id;
      const Head* known = find(row.subject);
      // Read again, perhaps: an older one that was resent goes before one that waits.
      if (known != nullptr && row.id < known->row.id && known->state == Head::State::waiting) {
        if (auto done = replace(reader, row.subject); !done) return done.error();
      }
      if (known == nullptr) add(row, clock_.now());
    }
    if (rows->size() < options_.page) return true;
  }
  return false;
}

Status Lane::take_resent(store::Connection& reader, const store::PendingDelivery& row) {
  if (row.id > cursor_) return {};  // it will be read
  const Head* known = find(row.subject);
  if (known == nullptr) {
    // With no room for its subject it is read again, with all that came after it.
    if (heads_.size() >= options_.subjects_max) cursor_ = row.id - 1;
    if (heads_.size() < options_.subjects_max) add(row, clock_.now());
    return {};
  }
  // An older one that is pending again goes before one that waits. One that is out is not
  // overtaken; when it is settled the subject's first is looked up.
  if (row.id < known->row.id && known->state == Head::State::waiting) {
    return replace(reader, row.subject);
  }
  return {};
}

void Lane::add(const store::PendingDelivery& row, base::TimePoint due) {
  const auto [at, added] = heads_.emplace(row.subject, Head(row, options_, random_));
  TW_CHECK(added);
  at->second.due = due;
  due_of(at->second).emplace(due, row.subject);
}

Lane::Head* Lane::find(std::int64_t subject) {
  const auto found = heads_.find(subject);
  return found == heads_.end() ? nullptr : &found->second;
}

std::optional<Lane::Start> Lane::next(base::TimePoint now, base::TimePoint& wake) {
  if (in_flight_ >= target_.in_flight_max) return std::nullopt;
  if (now < paused_until_) {
    wake = std::min(wake, paused_until_);
    return std::nullopt;
  }
  const auto ready = [now, &wake](const Due& due) {
    if (due.empty()) return false;
    if (due.begin()->first > now) wake = std::min(wake, due.begin()->first);
    return due.begin()->first <= now;
  };
  const bool first = ready(first_), again = ready(again_);
  if (!first && !again) return std::nullopt;
  auto permit = breaker_.admit();
  if (!permit) {
    wake = std::min(wake, std::max(permit.error(), now));
    return std::nullopt;
  }
  // They take turns, so that new events are not held up by what is behind, nor the other way round.
  // What has not failed yet needs no leave.
  bool repeats = again && (!first || again_next_);
  if (repeats && !budget_.take()) {
    wake = std::min(wake, budget_.next());
    repeats = false;
    if (!first) {
      permit->abandoned();
      return std::nullopt;
    }
  }
  again_next_ = !repeats;
  const Due& due = repeats ? again_ : first_;
  return Start{.subject = due.begin()->second, .permit = std::move(*permit)};
}

void Lane::set_state(Head& head, Head::State state) {
  using State = Head::State;
  if (head.state == State::waiting) due_of(head).erase({head.due, head.row.subject});
  if (head.state == State::sent) --in_flight_;
  head.state = state;
  if (head.state == State::waiting) due_of(head).emplace(head.due, head.row.subject);
  if (head.state == State::sent) ++in_flight_;
}

void Lane::sent(std::int64_t subject, base::Outbound::Id call, runtime::Breaker::Call permit,
                std::int64_t at_ms) {
  Head& head = heads_.at(subject);
  set_state(head, Head::State::sent);
  head.call = call;
  head.permit = std::move(permit);
  head.sent = clock_.now();
  head.sent_ms = at_ms;
}

void Lane::wait(std::int64_t subject, base::TimePoint due) {
  Head& head = heads_.at(subject);
  TW_CHECK(head.state != Head::State::waiting);
  head.due = due;
  set_state(head, Head::State::waiting);
}

void Lane::hurry() {
  const base::TimePoint now = clock_.now();
  Due hurried;
  for (const auto& [due, subject] : again_) {
    Head& head = heads_.at(subject);
    head.due = std::min(head.due, std::max(now, head.not_before));
    hurried.emplace(head.due, subject);
  }
  again_ = std::move(hurried);
}

Status Lane::replace(store::Connection& reader, std::int64_t subject) {
  auto row = store::first_pending(reader, target_.name, subject);
  if (!row) return row.error();
  const auto old = heads_.find(subject);
  TW_CHECK(old != heads_.end());
  Head& head = old->second;
  // Out of the lists of what waits or is in flight.
  set_state(head, Head::State::settling);
  heads_.erase(old);
  if (*row) add(**row, clock_.now());
  return {};
}

}  // namespace trialward::delivery
