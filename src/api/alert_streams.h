// The live subscribers of alert events, over server-sent events (WHATWG HTML, section 9.2).
//
// A subscriber names the last event that it has seen. It is first given what it missed, a piece at
// a time and however slowly it reads, from the store or from the recent events kept here; when it
// has caught up it goes live. So it sees every event of its study once, in the order of the
// numbers. A live one that reads too slowly is cut off and never waited for; it resumes by
// Last-Event-ID.
//
// Any thread. publish() is called by the committing thread, in the order of the numbers. Where
// other nodes share the store their events have numbers in between. Then what comes too early is
// left out, and whoever brings those in between brings it again.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/principal.h"
#include "api/read_pool.h"
#include "api/token_slots.h"
#include "http/exchange.h"
#include "intake/submission.h"

namespace trialward::api {

struct AlertStreamOptions {
  std::size_t subscribers_max = 1000;
  std::size_t subscribers_of_token_max = 100;
  std::size_t recent_max = 1024;      // events kept for a study
  std::size_t page = 200;             // events read from the store at once
  std::size_t piece_bytes = 64 << 10;  // about what one write of missed events has
};

class AlertStreams {
 public:
  AlertStreams(ReadPool& reads, AlertStreamOptions options)
      : reads_(reads),
        options_(options),
        slots_(options.subscribers_max, options.subscribers_of_token_max) {}

  // Where a study's events stand before anything is published.
  void begin_study(std::int64_t study, std::int64_t last_number);

  // Other nodes share the store; `behind` is called when one of their events is missing. Before
  // anything is published.
  void mind_gaps(std::function<void()> behind) { behind_ = std::move(behind); }

  struct Wish {
    std::shared_ptr<const Principal> principal;  // of a site: only that site's events
    std::int64_t study = 0;
    std::int64_t after = 0;
  };
  // False when there are too many subscribers already, or of this token; the exchange is then still
  // to be answered.
  bool subscribe(std::shared_ptr<http::Exchange> exchange, Wish wish);

  // Where memory runs out, all streams break: their clients resume.
  void publish(const std::vector<intake::Publication>& publications);
  // Tells everyone where the stream stands, so that dead connections are found and proxies keep
  // live ones.
  void heartbeat();
  // Ends the streams of those who are not `admitted` any more.
  void end_unless(const std::function<bool(const Principal&)>& admitted);
  // Ends all streams, and those to come.
  void close();

  std::int64_t last_number(std::int64_t study) const;
  std::size_t subscribers() const;
  std::uint64_t cut_off() const;

 private:
  struct Subscriber;
  struct Visit;  // the lock, held
  struct Line {
    std::int64_t number = 0;
    std::string site, text;
  };
  struct Study {
    std::deque<Line> recent;  // the newest events, without a gap up to last_number
    std::int64_t last_number = 0;
  };

  // The next piece of what it missed; at the end it goes live. Without the lock.
  void catch_up(const std::shared_ptr<Subscriber>& subscriber);
  // False when the store must be asked for what comes next.
  bool send_recent(Visit& visit, const std::shared_ptr<Subscriber>& subscriber);
  void page_read(const std::shared_ptr<Subscriber>& subscriber,
                 const base::Result<std::vector<model::AlertEvent>>& events);
  // Writes what was missed; what follows is sent when it has gone out.
  void send_piece(Visit& visit, const std::shared_ptr<Subscriber>& subscriber, std::string piece);
  // False when an event is missing before the last of them.
  bool send(const std::vector<intake::Publication>& publications);
  void break_all(const std::vector<intake::Publication>& publications);
  void send_live(Visit& visit, Subscriber& subscriber, std::string text);
  void drop(Visit& visit, Subscriber& subscriber);
  void end(Visit& visit, Subscriber& subscriber);

  ReadPool& reads_;
  const AlertStreamOptions options_;
  std::function<void()> behind_;
  TokenSlots slots_;  // outlives what holds them
  mutable std::mutex mutex_;  // guards all below
  std::map<std::int64_t, Study> studies_;
  std::list<std::shared_ptr<Subscriber>> subscribers_;
  std::uint64_t cut_off_ = 0;
  bool closed_ = false;
};

}  // namespace trialward::api
