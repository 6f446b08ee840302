// LaneBook: the accounts of a BoundedQueue. It knows what each lane may hold and holds, counts the
// refusals, and says which lane's turn it is. Not thread-safe: the queue's lock guards it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "runtime/flow.h"

namespace trialward::runtime {

struct LaneOptions {
  std::string name;
  std::size_t items_max = 0;
  std::size_t bytes_max = 0;
  unsigned weight = 1;  // turns in each round; at least 1
  // A flow may hold at most so many times what it leaves free, in items and in bytes. So one flow
  // alone gets share / (1 + share) of the lane, and however many there are, a new one finds room
  // (Choudhury and Hahne's dynamic thresholds, IEEE/ACM ToN 6(2), 1998). 0: no such limit.
  unsigned share = 0;
};

struct QueueOptions {
  std::vector<LaneOptions> lanes;  // most urgent first: that lane starts each round
  // An item that has waited this long is served next, whatever its lane's weight. One such item a
  // round, or a backlog of old bulk would turn the lanes into one FIFO and starve safety.
  base::Duration aging{};
};

enum class Refusal : std::uint8_t {
  items_full,
  bytes_full,
  share_full,  // of the sender's flow; the lane has room
  too_slow,    // what waits would take too long
  closed,
};
inline constexpr std::size_t kRefusals = 5;
std::string_view to_string(Refusal refusal);

struct LaneCounts {
  std::size_t items = 0;    // that wait
  std::size_t tickets = 0;  // reserved and not pushed yet
  std::size_t bytes = 0;    // of both
  std::uint64_t pushed = 0;
  std::uint64_t popped = 0;  // handed back by close_now() included
  std::uint64_t expired = 0;
  std::array<std::uint64_t, kRefusals> refused{};  // by Refusal
};

struct LaneStats {
  std::string name;
  LaneCounts counts;
  base::Duration oldest_age{};  // zero when nothing waits
};

class LaneBook {
 public:
  explicit LaneBook(QueueOptions options);

  const QueueOptions& options() const { return options_; }
  std::size_t lanes() const { return counts_.size(); }
  std::size_t items() const { return items_; }
  std::size_t items(std::size_t lane) const { return counts_[lane].items; }
  std::size_t tickets() const { return tickets_; }
  LaneStats stats(std::size_t lane, base::Duration oldest_age) const;

  // Where something is, and how much of it.
  struct Place {
    std::size_t lane = 0;
    std::size_t bytes = 0;
  };

  // A place; a refusal is counted.
  std::optional<Refusal> reserve(const Place& place, const Flow& flow, bool closed);
  // Moves a place; on refusal, which is not counted, it stays where it was. Never refused to hold
  // less in its lane.
  std::optional<Refusal> change(const Place& from, const Place& to, const Flow& flow);
  void release(const Place& place, const Flow& flow);
  // Counts it.
  Refusal refuse(std::size_t lane, Refusal refusal);

  void pushed(std::size_t lane);
  void popped(const Place& place, const Flow& flow);
  void expired(const Place& place, const Flow& flow);

  // See BoundedQueue. O(lanes).
  std::size_t items_before(std::size_t lane) const;

  // The lane whose turn it is among those that hold items; there must be one. O(lanes).
  std::size_t next_lane();
  void take_turn(std::size_t lane);
  // One aged item may be served out of turn in each round.
  bool aged_turn_left() const { return aged_turn_left_; }
  void take_aged_turn() { aged_turn_left_ = false; }

 private:
  struct Held {
    std::size_t places = 0;  // items and tickets
    std::size_t bytes = 0;
  };
  using Flows = std::unordered_map<Flow, Held>;  // without those that hold nothing

  // Nothing when one more of `bytes` fits in beside what is held there, of which `own` is its
  // flow's.
  std::optional<Refusal> fits(std::size_t lane, Held all, Held own, std::size_t bytes) const;
  Held held_by(std::size_t lane, const Flow& flow) const;
  void hold(const Place& place, const Flow& flow);
  void let_go(const Place& place, const Flow& flow);  // a ticket
  void forget(const Place& place, const Flow& flow);  // its bytes and its flow's
  void remove(const Place& place, const Flow& flow);
  void start_round();

  QueueOptions options_;
  std::vector<LaneCounts> counts_;
  std::vector<Flows> flows_;  // by lane; empty where flows have no limit
  std::vector<unsigned> credit_;  // turns left in this round, by lane
  std::size_t items_ = 0;
  std::size_t tickets_ = 0;
  bool aged_turn_left_ = true;
};

}  // namespace trialward::runtime
