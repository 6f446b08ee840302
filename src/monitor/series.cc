#include "monitor/series.h"

#include <algorithm>
#include <iterator>
#include <new>
#include <span>

#include "base/heap_bytes.h"

namespace trialward::monitor {
namespace {

// Blocks are made of so many and split when late records make them longer than the most; the tail
// has that many when some of it becomes a block. What a point takes beside its own bytes, and what
// a look at one costs, speak for and against long blocks.
constexpr std::size_t kBlock = 16, kBlockMost = 32;
constexpr std::size_t kTailMost = 24;
constexpr std::size_t kBlocksMore = 4;  // to reserve

bool is_value(const PointData& point) { return !point.superseded && point.number; }

std::ptrdiff_t offset(std::size_t index) { return static_cast<std::ptrdiff_t>(index); }

}  // namespace

std::optional<Series> Series::restore(std::uint64_t seen, std::vector<Point> points) {
  const std::size_t size = points.size();
  for (std::size_t i = 1; i < size; ++i) {
    if (!(points[i - 1] < points[i])) return std::nullopt;
  }
  if (seen < size || (seen > size && size < kEarliest + kLatest)) return std::nullopt;
  Series series;
  series.seen_ = seen;
  for (const Point& point : points) {
    series.bits_ |= point.bits;
    series.marked_ += point.marked ? 1 : 0;
    series.last_ms_ = point.at_ms;
  }
  series.tail_ = std::move(points);
  Undo forgotten;
  series.forget(forgotten);
  if (forgotten.forgotten() != 0) return std::nullopt;
  series.baseline_ = series.find_baseline();
  series.gap_ = series.find_gap(false);
  series.note();
  (void)series.pack();
  return series;
}

bool Series::has(const Point& point) const {
  const Spot spot = spot_of(point);
  return spot.index < size_of(spot.block) && at(spot).at_ms == point.at_ms &&
         name_at(spot) == point.name.view();
}

Series::Undo Series::insert(Point point) {
  Undo undo;
  undo.baseline_ = baseline_;
  undo.gap_ = gap_;
  // What may throw comes before anything is changed, but for looks into blocks.
  const std::size_t all = size() + 1;
  if (all > kEarliest + kLatest) undo.forgotten_.reserve(all - kEarliest - kLatest);
  undo.spot_ = spot_of(point);
  make_room(undo.spot_.block);
  const std::size_t place = place_of(undo.spot_);
  const bool moves = moves_baseline(place, point);
  bits_ |= point.bits;
  put(undo.spot_, std::move(point));
  ++seen_;
  try {
    forget(undo);
    const bool may_be_gone =
        undo.forgotten() != 0 && baseline_ && baseline_->place >= kEarliest;
    if (moves || may_be_gone) baseline_ = find_baseline();
    gap_ = find_gap(place >= kEarliest);
  } catch (...) {
    take_back(std::move(undo));
    throw;
  }
  return undo;
}

// Takes no memory: all vectors have had as many points.
void Series::take_back(Undo undo) {
  auto& forgotten = undo.forgotten_;
  for (; !forgotten.empty(); forgotten.pop_back()) {
    put(forgotten.back().first, std::move(forgotten.back().second));
  }
  (void)take(undo.spot_);
  --seen_;
  baseline_ = std::move(undo.baseline_);
  gap_ = undo.gap_;
}

void Series::put(const Spot& spot, Point point) {
  last_look_ = {};
  marked_ += point.marked ? 1 : 0;
  if (in_tail(spot)) {
    names_bytes_ += point.name.bytes();
    tail_.insert(tail_.begin() + offset(spot.index), std::move(point));
    last_ms_ = tail_.back().at_ms;
    if (tail_.size() >= kTailMost) note();
  } else {
    blocks_bytes_ += point.name.bytes();
    ++in_blocks_;
    blocks_[spot.block].insert(spot.index, std::move(point));
    note();
  }
}

Point Series::take(const Spot& spot) {
  last_look_ = {};
  Point point;
  if (in_tail(spot)) {
    point = std::move(tail_[spot.index]);
    tail_.erase(tail_.begin() + offset(spot.index));
    if (!tail_.empty()) last_ms_ = tail_.back().at_ms;
    names_bytes_ -= point.name.bytes();
  } else {
    PointBlock& block = blocks_[spot.block];
    if (!block.unpacked()) note();
    point = block.take(spot.index);
    --in_blocks_;
    blocks_bytes_ -= point.name.bytes();
    if (block.size() == 0) note();
  }
  marked_ -= point.marked ? 1 : 0;
  return point;
}

// Never twice what is needed, and of a tail no more than it will need.
void Series::make_room(std::size_t block) {
  if (block < blocks_.size()) {
    note();
    last_look_ = {};
    blocks_[block].make_room();
  } else if (tail_.size() == tail_.capacity()) {
    tail_.reserve(tail_.size() + std::clamp<std::size_t>(tail_.size(), 4, 8));
  }
}

void Series::supersede(std::size_t place, bool superseded) {
  const Spot spot = spot_of(place);
  const bool before = at(spot).superseded;
  const auto set = [&](bool to) {
    if (in_tail(spot)) {
      tail_[spot.index].superseded = to;
    } else {
      blocks_[spot.block].set_superseded(spot.index, to);
    }
  };
  set(superseded);
  if (!moves_baseline(place, at(spot))) return;
  try {
    baseline_ = find_baseline();
  } catch (...) {
    set(before);
    throw;
  }
}

void Series::set_superseded(std::int64_t at_ms, std::int64_t record, bool superseded) {
  for (std::size_t i = first_from(at_ms); i < size() && this->at_ms(i) == at_ms; ++i) {
    if ((*this)[i].record == record) supersede(i, superseded);
  }
}

Series::Spot Series::spot_of(std::size_t place) const {
  if (place >= in_blocks_) return {blocks_.size(), place - in_blocks_};
  std::size_t block = 0;
  for (; place >= blocks_[block].size(); ++block) place -= blocks_[block].size();
  return {block, place};
}

template <class IsBefore>
std::size_t Series::first_not(std::size_t size, IsBefore is_before) {
  std::size_t begin = 0;
  while (begin < size) {
    const std::size_t middle = begin + (size - begin) / 2;
    if (is_before(middle)) {
      begin = middle + 1;
    } else {
      size = middle;
    }
  }
  return begin;
}

bool Series::precedes(const Spot& spot, const Point& point) const {
  const std::int64_t at_ms = at(spot).at_ms;
  return at_ms != point.at_ms ? at_ms < point.at_ms : name_at(spot) < point.name.view();
}

Series::Spot Series::spot_of(const Point& point) const {
  const std::size_t tail = blocks_.size();
  const auto within = [&](std::size_t block) {
    return Spot{block, first_not(size_of(block), [&](std::size_t i) {
                  return precedes({block, i}, point);
                })};
  };
  if (tail_.empty() || last_ms_ < point.at_ms || tail_.back() < point) return {tail, tail_.size()};
  if (in_blocks_ == 0 || !(point < tail_.front())) return within(tail);
  for (std::size_t block = tail; block-- > 0;) {
    const PointBlock& one = blocks_[block];
    if (one.size() == 0 || one.from_ms() > point.at_ms) continue;
    if (one.from_ms() == point.at_ms && point.name.view() < name_at({block, 0})) continue;
    return within(block);
  }
  return {};
}

std::size_t Series::place_of(const Spot& spot) const {
  if (in_tail(spot)) return in_blocks_ + spot.index;
  std::size_t place = spot.index;
  for (std::size_t block = 0; block < spot.block; ++block) place += blocks_[block].size();
  return place;
}

std::optional<std::size_t> Series::place_of(std::int64_t record, bool not_superseded) const {
  for (std::size_t block = blocks_.size() + 1; block-- > 0;) {
    if (block < blocks_.size() && !blocks_[block].may_have_record(record)) continue;
    for (std::size_t i = size_of(block); i-- > 0;) {
      const PointData& point = at({block, i});
      if (point.record == record && !(not_superseded && point.superseded)) {
        return place_of(Spot{block, i});
      }
    }
  }
  return std::nullopt;
}

std::size_t Series::size_of(std::size_t block) const {
  return block == blocks_.size() ? tail_.size() : blocks_[block].size();
}

const PointData& Series::at(const Spot& spot) const {
  if (in_tail(spot)) return tail_[spot.index];
  return points_of(spot.block)[spot.index];
}

const std::vector<PointData>& Series::points_of(std::size_t block) const {
  if (!blocks_[block].unpacked()) note();
  return blocks_[block].points();
}

const PointData& Series::look_at(std::size_t place) const {
  const Spot spot = spot_of(place);
  const std::vector<PointData>& points = points_of(spot.block);
  last_look_ = {place - spot.index, points.size(), points.data()};
  return points[spot.index];
}

std::string_view Series::name_at(const Spot& spot) const {
  if (in_tail(spot)) return tail_[spot.index].name;
  if (!blocks_[spot.block].unpacked()) note();
  return blocks_[spot.block].name(spot.index);
}

std::int64_t Series::at_ms_in_block(std::size_t place) const {
  const Spot spot = spot_of(place);
  if (spot.index == 0) return blocks_[spot.block].from_ms();
  if (spot.index + 1 == blocks_[spot.block].size()) return blocks_[spot.block].until_ms();
  return at(spot).at_ms;
}

std::vector<Point> Series::points() const {
  std::vector<Point> all;
  all.reserve(size());
  for (const PointBlock& block : blocks_) block.append_to(all);
  all.insert(all.end(), tail_.begin(), tail_.end());
  return all;
}

std::size_t Series::skip_blocks(std::size_t bit, std::size_t place) const {
  Spot spot = spot_of(place);
  for (; !in_tail(spot); spot = {spot.block + 1, 0}) {
    if (blocks_[spot.block].size() != 0 && blocks_[spot.block].may_have(bit)) break;
  }
  return place_of(spot);
}

std::size_t Series::first_from(std::int64_t at_ms) const {
  std::size_t place = size();
  if (place == 0 || last_ms_ < at_ms) return place;
  // Most ask for what is near the end.
  const auto is_from = [&](std::size_t i) { return (*this)[i].at_ms >= at_ms; };
  for (int step = 0; step < 4 && place > in_blocks_ && is_from(place - 1); ++step) --place;
  if (place > in_blocks_ && !is_from(place - 1)) return place;
  if (in_blocks_ == 0 || tail_.front().at_ms < at_ms) {
    return in_blocks_ +
           first_not(tail_.size(), [&](std::size_t i) { return tail_[i].at_ms < at_ms; });
  }
  if (last_look_.ends_in(at_ms)) {
    const PointData* const points = last_look_.points;
    return last_look_.from + first_not(last_look_.count, [&](std::size_t i) {
             return points[i].at_ms < at_ms;
           });
  }
  place = in_blocks_;
  for (std::size_t block = blocks_.size(); block-- > 0;) {
    const PointBlock& one = blocks_[block];
    if (one.size() == 0) continue;
    if (one.until_ms() < at_ms) return place;
    place -= one.size();
    if (one.from_ms() >= at_ms) continue;
    const std::vector<PointData>& points = points_of(block);
    return place +
           first_not(points.size(), [&](std::size_t i) { return points[i].at_ms < at_ms; });
  }
  return 0;
}

std::optional<std::size_t> Series::value_from(std::int64_t at_ms) const {
  for (std::size_t place = first_from(at_ms); place < size(); ++place) {
    if (is_value((*this)[place])) return place;
  }
  return std::nullopt;
}

std::optional<std::size_t> Series::value_before(std::size_t place) const {
  while (place > 0) {
    const bool neighbours = !forgot() || place < kEarliest || place > size() - kLatest;
    if (!neighbours) return std::nullopt;
    if (is_value((*this)[--place])) return place;
  }
  return std::nullopt;
}

std::optional<std::size_t> Series::baseline() const {
  return baseline_ ? std::optional(baseline_->place) : std::nullopt;
}

// Among the points that are not marked only the first value can be the baseline; what is forgotten
// is another matter.
bool Series::moves_baseline(std::size_t place, const PointData& point) const {
  if (!baseline_) return point.number.has_value();
  return place <= baseline_->place || point.marked;
}

std::optional<Series::Baseline> Series::find_baseline() const {
  const auto found = [&](std::size_t place) { return Baseline{place, (*this)[place]}; };
  for (std::size_t block = blocks_.size() + 1; marked_ > 0 && block-- > 0;) {
    if (block < blocks_.size() && blocks_[block].marked() == 0) continue;
    for (std::size_t i = size_of(block); i-- > 0;) {
      const PointData& point = at({block, i});
      if (point.marked && is_value(point)) return found(place_of(Spot{block, i}));
    }
  }
  const std::size_t end = forgot() ? kEarliest : size();
  for (std::size_t i = 0; i < end; ++i) {
    if (is_value((*this)[i])) return found(i);
  }
  return std::nullopt;
}

// `earliest_stay`: those of kEarliest are the same as when gap_ was found.
std::optional<Series::Gap> Series::find_gap(bool earliest_stay) const {
  if (!forgot()) return std::nullopt;
  const std::int64_t from_ms = gap_ && earliest_stay ? gap_->from_ms : at_ms(kEarliest - 1);
  return Gap{from_ms, at_ms(size() - kLatest)};
}

bool Series::is_marked(const Spot& spot) const {
  if (marked_ == 0) return false;
  if (!in_tail(spot) && blocks_[spot.block].marked() == 0) return false;
  return at(spot).marked;
}

// How many from a place on. Most of what lies before it, which is little, is in whole blocks.
std::size_t Series::marked_from(std::size_t place) const {
  std::size_t marked = marked_;
  for (std::size_t block = 0; marked > 0 && place > 0; ++block) {
    const bool whole = block < blocks_.size() && blocks_[block].size() <= place;
    if (whole) {
      marked -= blocks_[block].marked();
      place -= blocks_[block].size();
      continue;
    }
    for (std::size_t i = 0; i < place; ++i) marked -= is_marked({block, i}) ? 1 : 0;
    break;
  }
  return marked;
}

void Series::forget(Undo& undo) {
  if (size() <= kEarliest + kLatest) return;
  const std::size_t latest = size() - kLatest;
  std::size_t marked = marked_from(latest);
  for (std::size_t i = latest; i-- > kEarliest;) {
    const Spot spot = spot_of(i);
    const bool keep = is_marked(spot) && marked < kMarked;
    marked += is_marked(spot) ? 1 : 0;
    if (keep) continue;
    undo.forgotten_.emplace_back(spot, take(spot));
  }
}

void Series::note() const {
  to_pack_ = true;
  if (told_ != nullptr) *told_ = true;
}

bool Series::pack() const noexcept {
  if (!to_pack_) return true;
  last_look_ = {};
  try {
    settle();
    to_pack_ = false;
  } catch (const std::bad_alloc&) {
    count_bytes();
  }
  return !to_pack_;
}

void Series::settle() const {
  const auto one_more = [&] {
    if (blocks_.size() == blocks_.capacity()) blocks_.reserve(blocks_.size() + kBlocksMore);
  };
  bool same_bytes = true;
  while (tail_.size() >= kTailMost) {
    same_bytes = false;
    one_more();
    blocks_.emplace_back(std::span(tail_).first(kBlock));
    tail_.erase(tail_.begin(), tail_.begin() + offset(kBlock));
    in_blocks_ += kBlock;
  }
  if (tail_.capacity() > kTailMost) {
    std::vector<Point> shorter;
    shorter.reserve(kTailMost);
    std::move(tail_.begin(), tail_.end(), std::back_inserter(shorter));
    tail_ = std::move(shorter);
    same_bytes = false;
  }
  const auto is_empty = [](const PointBlock& block) { return block.size() == 0; };
  if (std::erase_if(blocks_, is_empty) > 0) same_bytes = false;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (blocks_[i].size() <= kBlockMost) continue;
    one_more();
    PointBlock later = blocks_[i].split(blocks_[i].size() / 2);
    blocks_.insert(blocks_.begin() + offset(i + 1), std::move(later));
  }
  // The one of which the next record makes forget the first stays as it is.
  const std::size_t front = forgot() ? spot_of(size() - kLatest).block : blocks_.size();
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (!blocks_[i].unpacked()) continue;
    if (i == front || blocks_[i].changed()) same_bytes = false;
    if (i != front) blocks_[i].pack();
  }
  // Most have only been looked at.
  if (!same_bytes) count_bytes();
}

std::size_t Series::bytes() const {
  return base::heap_bytes(tail_.capacity() * sizeof(Point)) + names_bytes_ +
         base::heap_bytes(blocks_.capacity() * sizeof(PointBlock)) + blocks_bytes_;
}

void Series::count_bytes() const {
  names_bytes_ = blocks_bytes_ = 0;
  for (const Point& point : tail_) names_bytes_ += point.name.bytes();
  for (const PointBlock& block : blocks_) blocks_bytes_ += block.bytes();
}

}  // namespace trialward::monitor
