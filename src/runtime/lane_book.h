// LaneBook: the accounts of a BoundedQueue. It knows what each lane may hold and holds, counts the
// refusals, and says which lane's turn it is. Not thread-safe: the queue's lock guards it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace trialward::runtime {

struct LaneOptions {
  std::string name;
  std::size_t items_max = 0;
  std::size_t bytes_max = 0;
  unsigned weight = 1;  // turns in each round; at least 1
};

struct QueueOptions {
  std::vector<LaneOptions> lanes;  // most urgent first: that lane starts each round
  // An item that has waited this long is served next, whatever its lane's weight. One such item a
  // round, or a backlog of old bulk would turn the lanes into one FIFO and starve safety.
  base::Duration aging{};
};

enum class Refusal : std::uint8_t { items_full, bytes_full, closed };
inline constexpr std::size_t kRefusals = 3;
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
  std::size_t tickets() const { return tickets_; }
  LaneStats stats(std::size_t lane, base::Duration oldest_age) const;

  // A place; a refusal is counted.
  std::optional<Refusal> reserve(std::size_t lane, std::size_t bytes, bool closed);
  // Moves a place; on refusal it stays where it was.
  std::optional<Refusal> change(std::size_t from, std::size_t from_bytes, std::size_t to,
                                std::size_t to_bytes);
  void release(std::size_t lane, std::size_t bytes);

  void pushed(std::size_t lane);
  void popped(std::size_t lane, std::size_t bytes);
  void expired(std::size_t lane, std::size_t bytes);

  // The lane whose turn it is among those that hold items; there must be one. O(lanes).
  std::size_t next_lane();
  void take_turn(std::size_t lane);
  // One aged item may be served out of turn in each round.
  bool aged_turn_left() const { return aged_turn_left_; }
  void take_aged_turn() { aged_turn_left_ = false; }

 private:
  // Nothing when one more of `bytes` fits in beside `places` items or tickets of `held` bytes.
  std::optional<Refusal> fits(std::size_t lane, std::size_t places, std::size_t held,
                              std::size_t bytes) const;
  Refusal refuse(std::size_t lane, Refusal refusal);
  void remove(std::size_t lane, std::size_t bytes);
  void start_round();

  QueueOptions options_;
  std::vector<LaneCounts> counts_;
  std::vector<unsigned> credit_;  // turns left in this round, by lane
  std::size_t items_ = 0;
  std::size_t tickets_ = 0;
  bool aged_turn_left_ = true;
};

}  // namespace trialward::runtime
