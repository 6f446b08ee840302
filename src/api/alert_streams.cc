#include "api/alert_streams.h"

#include <algorithm>

#include "store/alert_rows.h"

namespace trialward::api {
namespace {

std::string sse_text(const model::AlertEvent& event) {
  return "id: " + std::to_string(event.number) + "\nevent: alert." +
         std::string(model::to_string(event.type)) + "\ndata: " + model::to_json(event) + "\n\n";
}

}  // namespace

struct AlertStreams::Subscriber {
  std::shared_ptr<http::Exchange> exchange;  // null once it is dropped
  Wish wish;                                 // wish.after moves on with what was sent
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
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || subscribers_.size() >= options_.subscribers_max) return false;
    // A number from the future would make a subscriber wait for events that were never promised.
    wish.after = std::clamp<std::int64_t>(wish.after, 0, studies_[wish.study].last_number);
    subscriber->exchange = exchange;
    subscriber->wish = std::move(wish);
    subscribers_.push_back(subscriber);
  }
  exchange->on_closed([this, weak = std::weak_ptr(subscriber)] {
    const auto gone = weak.lock();
    if (gone == nullptr) return;
    Visit visit(mutex_);
    drop(visit, *gone);
  });
  http::Response head;
  head.content_type = "text/event-stream";
  head.with("Cache-Control", "no-store").with("X-Accel-Buffering", "no");
  exchange->start(std::move(head));
  (void)exchange->write("retry: 1000\n\n");
  exchange.reset();
  bool behind = false;
  {
    Visit visit(mutex_);
    behind = subscriber->exchange != nullptr && !go_live(visit, *subscriber);
  }
  if (behind) read_page(subscriber);
  return true;
}

void AlertStreams::read_page(const std::shared_ptr<Subscriber>& subscriber) {
  std::int64_t study = 0;
  std::int64_t after = 0;
  {
    const std::lock_guard lock(mutex_);
    if (subscriber->exchange == nullptr) return;
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

void AlertStreams::page_read(const std::shared_ptr<Subscriber>& subscriber,
                             const base::Result<std::vector<model::AlertEvent>>& events) {
  std::shared_ptr<http::Exchange> exchange;
  {
    Visit visit(mutex_);
    if (subscriber->exchange == nullptr) return;
    if (!events) return drop(visit, *subscriber);
    for (const model::AlertEvent& event : *events) {
      if (!send(visit, *subscriber, {event.number, event.site, sse_text(event)})) return;
    }
    if (go_live(visit, *subscriber)) return;
    exchange = subscriber->exchange;
  }
  // The next page is read when this one has gone out, however slowly that is.
  const bool taken = exchange->write(": \n\n", [this, subscriber](bool ok) {
    if (ok) read_page(subscriber);
  });
  if (taken) return;
  Visit visit(mutex_);
  drop(visit, *subscriber);
}

bool AlertStreams::go_live(Visit& visit, Subscriber& subscriber) {
  const Study& study = studies_[subscriber.wish.study];
  const std::int64_t after = subscriber.wish.after;
  const bool joins = after >= study.last_number ||
                     (!study.recent.empty() && study.recent.front().number <= after + 1);
  if (!joins) return false;
  subscriber.live = true;
  for (const Line& line : study.recent) {
    if (line.number > after && !send(visit, subscriber, line)) break;
  }
  return true;
}

bool AlertStreams::send(Visit& visit, Subscriber& subscriber, const Line& line) {
  const std::string& site = subscriber.wish.site;
  if ((site.empty() || site == line.site) && !subscriber.exchange->write(line.text)) {
    ++cut_off_;
    drop(visit, subscriber);
    return false;
  }
  subscriber.wish.after = line.number;
  return true;
}

void AlertStreams::drop(Visit& visit, Subscriber& subscriber) {
  if (subscriber.exchange == nullptr) return;
  // Let go unfinished: the connection breaks, and the client resumes.
  visit.dropped.push_back(std::move(subscriber.exchange));
  subscriber.exchange = nullptr;
  subscribers_.remove_if([&](const auto& one) { return one.get() == &subscriber; });
}

void AlertStreams::publish(const std::vector<intake::Publication>& publications) {
  Visit visit(mutex_);
  for (const intake::Publication& publication : publications) {
    Study& study = studies_[publication.study->row];
    const model::AlertEvent& event = publication.event;
    study.recent.push_back({event.number, event.site, sse_text(event)});
    if (study.recent.size() > options_.recent_max) study.recent.pop_front();
    study.last_number = event.number;
    const auto all = subscribers_;  // send() may take one off the list
    for (const std::shared_ptr<Subscriber>& subscriber : all) {
      if (!subscriber->live || subscriber->wish.study != publication.study->row) continue;
      (void)send(visit, *subscriber, study.recent.back());
    }
  }
}

void AlertStreams::heartbeat() {
  Visit visit(mutex_);
  const auto all = subscribers_;
  for (const std::shared_ptr<Subscriber>& subscriber : all) {
    if (!subscriber->live || subscriber->exchange->write(": \n\n")) continue;
    ++cut_off_;
    drop(visit, *subscriber);
  }
}

void AlertStreams::close() {
  Visit visit(mutex_);
  closed_ = true;
  for (const std::shared_ptr<Subscriber>& subscriber : subscribers_) {
    subscriber->exchange->finish();
    visit.dropped.push_back(std::move(subscriber->exchange));
    subscriber->exchange = nullptr;
  }
  subscribers_.clear();
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
