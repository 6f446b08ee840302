#include "http/roster.h"

namespace trialward::http {
namespace {

// How many may be told at a time that there is no room; further ones are just closed.
constexpr std::size_t kTurnedAwayMax = 64;

}  // namespace

Roster::Roster(std::shared_ptr<ConnectionContext> context, std::shared_ptr<Loop> loop,
               Census& census)
    : context_(std::move(context)), loop_(std::move(loop)), census_(census) {}

std::shared_ptr<Connection> Roster::add(Members& members, std::shared_ptr<Stream> stream,
                                        std::string peer, Connection::OnGone on_gone) {
  auto connection = std::make_shared<Connection>(context_, loop_, std::move(stream),
                                                 std::move(peer), std::move(on_gone));
  members.emplace(connection.get(), connection);
  return connection;
}

void Roster::adopt(std::shared_ptr<Stream> stream, std::string peer) {
  if (context_->draining) return stream->close();
  Stats& stats = context_->stats;
  stats.connections_accepted.add();
  const Census::Verdict verdict = census_.enter(peer);
  if (verdict != Census::Verdict::entered) {
    return turn_away(verdict, std::move(stream), std::move(peer));
  }
  const auto connection =
      add(members_, std::move(stream), std::move(peer), [this](Connection& gone) {
        context_->stats.connections_open.sub();
        census_.leave(gone.peer());
        members_.erase(&gone);
      });
  connection->start();
  stats.connections_open.add();
}

void Roster::turn_away(Census::Verdict verdict, std::shared_ptr<Stream> stream, std::string peer) {
  const bool full = verdict == Census::Verdict::full;
  Stats& stats = context_->stats;
  (full ? stats.refused_total : stats.refused_per_address).add();
  // A TLS peer could be told only after a handshake, which costs more than it is worth.
  const bool tls = !context_->options.tls_cert_path.empty();
  if (tls || turned_away_.size() >= kTurnedAwayMax) return stream->close();
  const auto connection = add(turned_away_, std::move(stream), std::move(peer),
                              [this](Connection& gone) { turned_away_.erase(&gone); });
  // 429: the sender has too many; 503: all together have.
  connection->refuse((full ? fault_response(503, "the server has no room for more connections")
                           : fault_response(429, "too many connections from this address"))
                         .with("Retry-After", "1"));
}

std::vector<std::shared_ptr<Connection>> Roster::all() const {
  std::vector<std::shared_ptr<Connection>> result;
  result.reserve(members_.size() + turned_away_.size());
  for (const auto& [key, connection] : members_) result.push_back(connection);
  for (const auto& [key, connection] : turned_away_) result.push_back(connection);
  return result;
}

void Roster::sweep() {
  const base::TimePoint now = context_->clock.now();
  for (const auto& connection : all()) connection->sweep(now);
}

void Roster::drain() {
  for (const auto& connection : all()) connection->drain();
}

void Roster::close_all() {
  for (const auto& connection : all()) connection->close();
}

}  // namespace trialward::http
