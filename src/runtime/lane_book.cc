#include "runtime/lane_book.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trialward::runtime {

std::string_view to_string(Refusal refusal) {
  switch (refusal) {
    case Refusal::items_full:
      return "items_full";
    case Refusal::bytes_full:
      return "bytes_full";
    case Refusal::share_full:
      return "share_full";
    case Refusal::too_slow:
      return "too_slow";
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
  flows_.resize(options_.lanes.size());
  start_round();
}

LaneStats LaneBook::stats(std::size_t lane, base::Duration oldest_age) const {
  return {.name = options_.lanes[lane].name, .counts = counts_[lane], .oldest_age = oldest_age};
}

std::optional<Refusal> LaneBook::reserve(const Place& place, const Flow& flow, bool closed) {
  TW_CHECK(place.lane < lanes());
  const LaneCounts& counts = counts_[place.lane];
  if (closed) return refuse(place.lane, Refusal::closed);
  const Held all{counts.items + counts.tickets, counts.bytes};
  if (const auto refusal = fits(place.lane, all, held_by(place.lane, flow), place.bytes)) {
    return refuse(place.lane, *refusal);
  }
  hold(place, flow);
  return std::nullopt;
}

std::optional<Refusal> LaneBook::change(const Place& from, const Place& to, const Flow& flow) {
  TW_CHECK(from.lane < lanes() && to.lane < lanes());
  if (from.lane == to.lane && to.bytes <= from.bytes) {
    let_go(from, flow);
    hold(to, flow);
    return std::nullopt;
  }
  // Tried without the old place, which is only given up when the new one is there.
  const LaneCounts& target = counts_[to.lane];
  Held all{target.items + target.tickets, target.bytes};
  Held own = held_by(to.lane, flow);
  if (from.lane == to.lane) {
    for (Held* held : {&all, &own}) {
      if (held->places == 0) continue;  // a lane without a limit for flows counts none
      --held->places;
      held->bytes -= from.bytes;
    }
  }
  if (const auto refusal = fits(to.lane, all, own, to.bytes)) return refusal;
  let_go(from, flow);
  hold(to, flow);
  return std::nullopt;
}

void LaneBook::release(const Place& place, const Flow& flow) {
  TW_CHECK(counts_[place.lane].tickets > 0 && counts_[place.lane].bytes >= place.bytes);
  let_go(place, flow);
}

LaneBook::Held LaneBook::held_by(std::size_t lane, const Flow& flow) const {
  const auto own = flows_[lane].find(flow);
  return own == flows_[lane].end() ? Held{} : own->second;
}

void LaneBook::hold(const Place& place, const Flow& flow) {
  ++counts_[place.lane].tickets;
  ++tickets_;
  counts_[place.lane].bytes += place.bytes;
  if (options_.lanes[place.lane].share == 0) return;
  Held& own = flows_[place.lane][flow];
  ++own.places;
  own.bytes += place.bytes;
}

void LaneBook::let_go(const Place& place, const Flow& flow) {
  --counts_[place.lane].tickets;
  --tickets_;
  forget(place, flow);
}

void LaneBook::forget(const Place& place, const Flow& flow) {
  counts_[place.lane].bytes -= place.bytes;
  if (options_.lanes[place.lane].share == 0) return;
  const auto own = flows_[place.lane].find(flow);
  own->second.bytes -= place.bytes;
  if (--own->second.places == 0) flows_[place.lane].erase(own);
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

void LaneBook::popped(const Place& place, const Flow& flow) {
  remove(place, flow);
  ++counts_[place.lane].popped;
}

void LaneBook::expired(const Place& place, const Flow& flow) {
  remove(place, flow);
  ++counts_[place.lane].expired;
}

void LaneBook::remove(const Place& place, const Flow& flow) {
  LaneCounts& counts = counts_[place.lane];
  TW_CHECK(counts.items > 0 && counts.bytes >= place.bytes);
  --counts.items;
  --items_;
  forget(place, flow);
}

std::size_t LaneBook::items_before(std::size_t lane) const {
  const std::size_t own = counts_[lane].items;
  const std::size_t rounds = own / options_.lanes[lane].weight + 1;
  std::size_t items = own;
  for (std::size_t other = 0; other < lanes(); ++other) {
    if (other == lane) continue;
    items += std::min(counts_[other].items, rounds * options_.lanes[other].weight);
  }
  return items;
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

std::optional<Refusal> LaneBook::fits(std::size_t lane, Held all, Held own,
                                      std::size_t bytes) const {
  const LaneOptions& limits = options_.lanes[lane];
  if (all.places >= limits.items_max) return Refusal::items_full;
  if (bytes > limits.bytes_max - all.bytes) return Refusal::bytes_full;
  if (limits.share == 0) return std::nullopt;
  const std::size_t free_places = limits.items_max - all.places - 1;
  const std::size_t free_bytes = limits.bytes_max - all.bytes - bytes;
  if (own.places + 1 > limits.share * free_places ||
      own.bytes + bytes > limits.share * free_bytes) {
    return Refusal::share_full;
  }
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
