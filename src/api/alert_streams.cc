#include "api/alert_streams.h"

#include <algorithm>
#include <list>
#include <new>

#include "store/alert_rows.h"

namespace trialward::api {
namespace {

// Events that other nodes may have told and this one has not heard of.
constexpr std::int64_t kAheadMax = 10'000;

std::string sse_text(const model::AlertEvent& event) {
  return "id: " + std::to_string(event.number) + "\nevent: alert." +
         std::string(model::to_string(event.type)) + "\ndata: " + model::to_json(event) + "\n\n";
}

// Moves a client's Last-Event-ID on without giving it an event: one of another site, or none yet.
std::string place_text(std::int64_t number) { return "id: " + std::to_string(number) + "\n\n"; }

}  // namespace

struct AlertStreams::Subscriber {
  bool sees(std::string_view site) const {
    return wish.principal->site.empty() || wish.principal->site == site;
  }

  std::shared_ptr<http::Exchange> exchange;  // null once it has ended
  Wish wish;                                 // wish.after moves on with what was sent
  TokenSlots::Slot slot;
  bool live = false;
};

// Exchanges are let go after the lock is: what they call back may take it.
struct AlertStreams::Visit {
  explicit Visit(std::mutex& mutex) : lock(mutex) {}

  std::vector<std::shared_ptr<http::Exchange>> dropped;
  const std::lock_guard<std::mutex> lock;
};

void AlertStreams::begin_study(std::int64_t study, std::int64_t last_number) {
  const std::lock_guard lock(mutex_);
  studies_[study].last_number = last_number;
}

bool AlertStreams::subscribe(std::shared_ptr<http::Exchange> exchange, Wish wish) {
  auto subscriber = std::make_shared<Subscriber>();
  subscriber->slot = slots_.take(wish.principal->token);
  if (subscriber->slot == nullptr) return false;
  bool ahead = false;
  {
    Visit visit(mutex_);
    if (closed_) return false;
    // A number from the future would make a subscriber wait for events that were never promised.
    // Of what another node has told it this one may not have heard yet.
    const std::int64_t last = studies_[wish.study].last_number;
    wish.after = std::clamp<std::int64_t>(wish.after, 0, behind_ ? last + kAheadMax : last);
    ahead = wish.after > last;
    http::Response head;
    head.content_type = "text/event-stream";
    head.with("Cache-Control", "no-store").with("X-Accel-Buffering", "no");
    exchange->start(std::move(head));
    subscriber->exchange = exchange;
    subscriber->wish = std::move(wish);
    subscribers_.push_back(subscriber);
    // The place is told at once: a client cut off before its first event resumes from there.
    send_piece(visit, subscriber, "retry: 1000\n" + place_text(subscriber->wish.after));
  }
  exchange->on_closed([this, weak = std::weak_ptr(subscriber)] {
    const auto gone = weak.lock();
    if (gone == nullptr) return;
    Visit visit(mutex_);
    drop(visit, *gone);
  });
  if (ahead) behind_();
  return true;
}

void AlertStreams::catch_up(const std::shared_ptr<Subscriber>& subscriber) {
  std::int64_t study = 0;
  std::int64_t after = 0;
  {
    Visit visit(mutex_);
    if (subscriber->exchange == nullptr || send_recent(visit, subscriber)) return;
    study = subscriber->wish.study;
    after = subscriber->wish.after;
  }
  reads_.run(
      ReadClass::view, "alerts.stream", {},
      [this, subscriber, study, after](store::Connection& connection) {
        page_read(subscriber,
                  store::read_alert_events(connection, study, after, options_.page));
      },
      [this, subscriber](std::string_view) {
        Visit visit(mutex_);
        drop(visit, *subscriber);
      });
}

bool AlertStreams::send_recent(Visit& visit, const std::shared_ptr<Subscriber>& subscriber) {
  const Study& study = studies_[subscriber->wish.study];
  std::int64_t& after = subscriber->wish.after;
  if (after < study.last_number &&
      (study.recent.empty() || study.recent.front().number > after + 1)) {
    return false;
  }
  std::string piece;
  auto next = std::partition_point(study.recent.begin(), study.recent.end(),
                                   [after](const Line& line) { return line.number <= after; });
  for (; next != study.recent.end() && piece.size() < options_.piece_bytes; ++next) {
    if (subscriber->sees(next->site)) piece += next->text;
    after = next->number;
  }
  if (piece.empty()) {
    subscriber->live = true;
  } else {
    send_piece(visit, subscriber, std::move(piece));
  }
  return true;
}

void AlertStreams::page_read(const std::shared_ptr<Subscriber>& subscriber,
                             const base::Result<std::vector<model::AlertEvent>>& events) {
  {
    Visit visit(mutex_);
    if (subscriber->exchange == nullptr) return;
    if (!events || events->empty()) return drop(visit, *subscriber);
    std::string piece;
    for (const model::AlertEvent& event : *events) {
      if (piece.size() >= options_.piece_bytes) break;
      if (subscriber->sees(event.site)) piece += sse_text(event);
      subscriber->wish.after = event.number;
    }
    if (!piece.empty()) return send_piece(visit, subscriber, std::move(piece));
  }
  catch_up(subscriber);  // a page without an event of its site
}

void AlertStreams::send_piece(Visit& visit, const std::shared_ptr<Subscriber>& subscriber,
                              std::string piece) {
  // Whoever does not read at all is ended by the connection's write time-out.
  const bool taken = subscriber->exchange->write(
      std::move(piece), [this, weak = std::weak_ptr(subscriber)](bool ok) {
        const auto alive = weak.lock();
        if (ok && alive != nullptr) catch_up(alive);
      });
  if (!taken) drop(visit, *subscriber);
}

void AlertStreams::send_live(Visit& visit, Subscriber& subscriber, std::string text) {
  if (subscriber.exchange->write(std::move(text))) return;
  ++cut_off_;
  drop(visit, subscriber);
}

void AlertStreams::drop(Visit& visit, Subscriber& subscriber) {
  if (subscriber.exchange == nullptr) return;
  // Let go unfinished: the connection breaks, and the client resumes.
  visit.dropped.push_back(std::move(subscriber.exchange));
  subscriber.exchange = nullptr;
  subscriber.slot = nullptr;
  subscribers_.remove_if([&](const auto& one) { return one.get() == &subscriber; });
}

void AlertStreams::end(Visit& visit, Subscriber& subscriber) {
  subscriber.exchange->finish();
  drop(visit, subscriber);
}

void AlertStreams::publish(const std::vector<intake::Publication>& publications) {
  try {
    if (!send(publications)) behind_();
  } catch (const std::bad_alloc&) {
    break_all(publications);
  }
}

// Nobody knows who has had which: all connections break, and clients resume from the store.
void AlertStreams::break_all(const std::vector<intake::Publication>& publications) {
  std::list<std::shared_ptr<Subscriber>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const intake::Publication& publication : publications) {
      const auto study = studies_.find(publication.study->row);
      if (study == studies_.end()) continue;
      study->second.recent.clear();
      std::int64_t& last = study->second.last_number;
      last = std::max(last, publication.event.number);
    }
    cut_off_ += subscribers_.size();
    all.swap(subscribers_);
  }
  for (const std::shared_ptr<Subscriber>& subscriber : all) {
    std::shared_ptr<http::Exchange> gone;
    const std::lock_guard lock(mutex_);
    gone.swap(subscriber->exchange);
  }
}

bool AlertStreams::send(const std::vector<intake::Publication>& publications) {
  Visit visit(mutex_);
  bool whole = true;
  for (const intake::Publication& publication : publications) {
    Study& study = studies_[publication.study->row];
    const model::AlertEvent& event = publication.event;
    if (behind_ && event.number != study.last_number + 1) {
      whole = whole && event.number <= study.last_number;
      continue;
    }
    study.recent.push_back({event.number, event.site, sse_text(event)});
    if (study.recent.size() > options_.recent_max) study.recent.pop_front();
    study.last_number = event.number;
    const auto all = subscribers_;  // dropping one takes it off the list
    for (const std::shared_ptr<Subscriber>& subscriber : all) {
      // A page of the store may have brought it already, as the commit came before this.
      if (!subscriber->live || subscriber->wish.study != publication.study->row ||
          event.number <= subscriber->wish.after) {
        continue;
      }
      subscriber->wish.after = event.number;
      if (subscriber->sees(event.site)) send_live(visit, *subscriber, study.recent.back().text);
    }
  }
  return whole;
}

void AlertStreams::heartbeat() {
  Visit visit(mutex_);
  const auto all = subscribers_;
  for (const std::shared_ptr<Subscriber>& subscriber : all) {
    if (subscriber->live) send_live(visit, *subscriber, place_text(subscriber->wish.after));
  }
}

void AlertStreams::end_unless(const std::function<bool(const Principal&)>& admitted) {
  Visit visit(mutex_);
  const auto all = subscribers_;
  for (const std::shared_ptr<Subscriber>& subscriber : all) {
    if (!admitted(*subscriber->wish.principal)) end(visit, *subscriber);
  }
}

void AlertStreams::close() {
  Visit visit(mutex_);
  closed_ = true;
  const auto all = subscribers_;
  for (const std::shared_ptr<Subscriber>& subscriber : all) end(visit, *subscriber);
}

std::int64_t AlertStreams::last_number(std::int64_t study) const {
  const std::lock_guard lock(mutex_);
  const auto found = studies_.find(study);
  return found == studies_.end() ? 0 : found->second.last_number;
}

std::size_t AlertStreams::subscribers() const {
  const std::lock_guard lock(mutex_);
  return subscribers_.size();
}

std::uint64_t AlertStreams::cut_off() const {
  const std::lock_guard lock(mutex_);
  return cut_off_;
}

}  // namespace trialward::api
