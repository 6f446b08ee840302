#include "http/roster.h"

#include <algorithm>

namespace trialward::http {
namespace {

// How many may be told at a time that there is no room; further ones are just closed.
constexpr std::size_t kTurnedAwayMax = 64;

}  // namespace

Roster::Roster(std::shared_ptr<ConnectionContext> context, std::shared_ptr<Loop> loop,
               Census& census)
    : context_(std::move(context)), loop_(std::move(loop)), census_(census) {}

std::shared_ptr<Connection> Roster::add(std::shared_ptr<Stream> stream, std::string peer,
                                        std::function<void(const std::string&)> on_gone) {
  const std::uint64_t number = ++came_;
  auto connection = std::make_shared<Connection>(
      context_, loop_, std::move(stream), std::move(peer),
      [this, number, on_gone = std::move(on_gone)](Connection& gone) {
        on_gone(gone.peer());
        connections_.erase(number);
      });
  connections_.emplace(number, connection);
  return connection;
}

void Roster::adopt(std::shared_ptr<Stream> stream, std::string peer) {
  if (context_->draining) return stream->close();
  Stats& stats = context_->stats;
  stats.connections_accepted.add();
  Census::Verdict verdict = census_.enter(peer);
  if (verdict == Census::Verdict::full && make_room()) verdict = census_.enter(peer);
  if (verdict != Census::Verdict::entered) {
    return turn_away(verdict, std::move(stream), std::move(peer));
  }
  const auto connection =
      add(std::move(stream), std::move(peer), [this](const std::string& from) {
        context_->stats.connections_open.sub();
        census_.leave(from);
      });
  connection->start();
  stats.connections_open.add();  // once its time runs: tests wait for it
}

bool Roster::make_room() {
  const base::TimePoint before = context_->clock.now() - kPatience;
  for (auto next = connections_.lower_bound(first_headless_); next != connections_.end(); ++next) {
    first_headless_ = next->first;
    if (!next->second->headless()) continue;
    if (next->second->came() > before) return false;  // and so did all that follow
    context_->stats.gave_way.add();
    next->second->close();
    return true;
  }
  return false;
}

void Roster::turn_away(Census::Verdict verdict, std::shared_ptr<Stream> stream, std::string peer) {
  const bool full = verdict == Census::Verdict::full;
  Stats& stats = context_->stats;
  (full ? stats.refused_total : stats.refused_per_address).add();
  // A TLS peer could be told only after a handshake, which costs more than it is worth.
  const bool tls = !context_->options.tls_cert_path.empty();
  if (tls || turned_away_ >= kTurnedAwayMax) return stream->close();
  ++turned_away_;
  const auto connection = add(std::move(stream), std::move(peer),
                              [this](const std::string&) { --turned_away_; });
  // 429: the sender has too many; 503: all together have.
  connection->refuse((full ? fault_response(503, "the server has no room for more connections")
                           : fault_response(429, "too many connections from this address"))
                         .with("Retry-After", "1"));
}

std::vector<std::shared_ptr<Connection>> Roster::all() const {
  std::vector<std::shared_ptr<Connection>> result;
  result.reserve(connections_.size());
  for (const auto& [number, connection] : connections_) result.push_back(connection);
  return result;
}

base::Duration Roster::sweep(base::Duration period) {
  const base::TimePoint now = context_->clock.now();
  const std::size_t slices =
      std::clamp<std::size_t>(connections_.size() / kSliceMin, 1, kSlicesMax);
  std::size_t overdue = 0;
  for (std::size_t left = connections_.size() / slices + 1; left > 0; --left) {
    const auto next = connections_.upper_bound(swept_);
    swept_ = next == connections_.end() ? 0 : next->first;
    if (swept_ == 0) break;  // the next call begins anew
    // Held: being swept may take it off the list.
    if (const auto connection = next->second; !connection->sweep(now)) continue;
    if (++overdue == kOverdueMax) return std::min(period, kOverduePause);
  }
  return period / static_cast<int>(slices);
}

void Roster::drain() {
  for (const auto& connection : all()) connection->drain();
}

void Roster::close_all() {
  for (const auto& connection : all()) connection->close();
}

}  // namespace trialward::http
