#include "runtime/lane_book.h"

#include <utility>

#include "base/check.h"

namespace trialward::runtime {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::items_full:
      return "items_full";
    case Refusal::bytes_full:
      return "bytes_full";
    case Refusal::closed:
      return "closed";
  }
  return "?";
}

LaneBook::LaneBook(QueueOptions options) : options_(std::move(options)) {
  TW_CHECK(!options_.lanes.empty());
  TW_CHECK(options_.aging > base::Duration::zero());
  for (const LaneOptions& lane : options_.lanes) TW_CHECK(lane.weight > 0);
  counts_.resize(options_.lanes.size());
  start_round();
}

LaneStats LaneBook::stats(std::size_t lane, base::Duration oldest_age) const {
  return {.name = options_.lanes[lane].name, .counts = counts_[lane], .oldest_age = oldest_age};
}

std::optional<Refusal> LaneBook::reserve(std::size_t lane, std::size_t bytes, bool closed) {
  TW_CHECK(lane < lanes());
  LaneCounts& counts = counts_[lane];
  if (closed) return refuse(lane, Refusal::closed);
  if (const auto refusal = fits(lane, counts.items + counts.tickets, counts.bytes, bytes)) {
    return refuse(lane, *refusal);
  }
  ++counts.tickets;
  ++tickets_;
  counts.bytes += bytes;
  return std::nullopt;
}

std::optional<Refusal> LaneBook::change(std::size_t from, std::size_t from_bytes, std::size_t to,
                                        std::size_t to_bytes) {
  TW_CHECK(from < lanes() && to < lanes());
  // Tried without the old place, which is only given up when the new one is there.
  const LaneCounts& target = counts_[to];
  const bool same = from == to;
  const std::size_t places = target.items + target.tickets - (same ? 1 : 0);
  const std::size_t held = target.bytes - (same ? from_bytes : 0);
  if (const auto refusal = fits(to, places, held, to_bytes)) return refuse(to, *refusal);
  --counts_[from].tickets;
  counts_[from].bytes -= from_bytes;
  ++counts_[to].tickets;
  counts_[to].bytes += to_bytes;
  return std::nullopt;
}

void LaneBook::release(std::size_t lane, std::size_t bytes) {
  TW_CHECK(counts_[lane].tickets > 0 && counts_[lane].bytes >= bytes);
  --counts_[lane].tickets;
  --tickets_;
  counts_[lane].bytes -= bytes;
}

void LaneBook::pushed(std::size_t lane) {
  LaneCounts& counts = counts_[lane];
  TW_CHECK(counts.tickets > 0);
  --counts.tickets;
  --tickets_;
  ++counts.items;
  ++items_;
  ++counts.pushed;
}

void LaneBook::popped(std::size_t lane, std::size_t bytes) {
  remove(lane, bytes);
  ++counts_[lane].popped;
}

void LaneBook::expired(std::size_t lane, std::size_t bytes) {
  remove(lane, bytes);
  ++counts_[lane].expired;
}

void LaneBook::remove(std::size_t lane, std::size_t bytes) {
  LaneCounts& counts = counts_[lane];
  TW_CHECK(counts.items > 0 && counts.bytes >= bytes);
  --counts.items;
  --items_;
  counts.bytes -= bytes;
}

std::size_t LaneBook::next_lane() {
  TW_CHECK(items_ > 0);
  for (;;) {
    for (std::size_t lane = 0; lane < lanes(); ++lane) {
      if (counts_[lane].items > 0 && credit_[lane] > 0) return lane;
    }
    start_round();
  }
}

void LaneBook::take_turn(std::size_t lane) {
  TW_CHECK(credit_[lane] > 0);
  --credit_[lane];
}

std::optional<Refusal> LaneBook::fits(std::size_t lane, std::size_t places, std::size_t held,
                                      std::size_t bytes) const {
  const LaneOptions& limits = options_.lanes[lane];
  if (places >= limits.items_max) return Refusal::items_full;
  if (bytes > limits.bytes_max - held) return Refusal::bytes_full;
  return std::nullopt;
}

Refusal LaneBook::refuse(std::size_t lane, Refusal refusal) {
  ++counts_[lane].refused[static_cast<std::size_t>(refusal)];
  return refusal;
}

void LaneBook::start_round() {
  credit_.clear();
  for (const LaneOptions& lane : options_.lanes) credit_.push_back(lane.weight);
  aged_turn_left_ = true;
}

}  // namespace trialward::runtime
