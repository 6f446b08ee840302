#include "reports/dataset_shelf.h"

#include <algorithm>

#include "base/check.h"

namespace trialward::reports {

DatasetShelf::Interest::Interest(DatasetShelf& shelf, std::int64_t study)
    : shelf_(shelf), study_(study) {
  const std::lock_guard lock(shelf_.mutex_);
  ++shelf_.interested_[study_];
}

DatasetShelf::Interest::~Interest() {
  const bool given_up = !cancel_ || cancel_->fired();
  Places dropped;
  const std::lock_guard lock(shelf_.mutex_);
  const auto interested = shelf_.interested_.find(study_);
  TW_CHECK(interested != shelf_.interested_.end() && interested->second > 0);
  if (--interested->second > 0) return;
  shelf_.interested_.erase(interested);
  if (!given_up) return;
  dropped = shelf_.take_idle([this](const Place& one) { return one.wish.study == study_; });
}

bool DatasetShelf::serves(const Place& place, const Wish& wish) {
  if (place.wish.study != wish.study || (wish.domains & ~place.wish.domains) != 0) return false;
  if (wish.positions || place.wish.positions) return place.wish.positions == wish.positions;
  return place.wish.version >= wish.version;
}

DatasetShelf::Loaded DatasetShelf::get(const Wish& wish, const runtime::Cancel& cancel,
                                       const Load& load) {
  if (!options_.shared) return load([](std::size_t) { return true; });
  const auto wake = cancel.on_fire([this](runtime::CancelReason) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  Needed needed;
  while (true) {
    if (cancel.fired()) return base::Error{base::Errc::cancelled, "cancelled"};
    const auto place = std::find_if(places_.begin(), places_.end(),
                                    [&](const Place& one) { return serves(one, wish); });
    if (place != places_.end() && place->dataset != nullptr) {
      place->asked = clock_.now();
      return give(place);
    }
    if (place != places_.end() || !may_begin(needed)) {
      changed_.wait(lock);
      continue;
    }
    bool starved = false;
    auto loaded = load_one(wish, load, lock, needed, starved);
    if (!starved) return loaded;
  }
}

// Of loads that have begun anew there is one at a time, and what others use leaves it room.
bool DatasetShelf::may_begin(const Needed& needed) const {
  if (alone_) return false;
  if (!needed) return true;
  const bool loading = std::any_of(places_.begin(), places_.end(),
                                   [](const Place& one) { return one.dataset == nullptr; });
  return !loading && bytes_where(false) + *needed <= options_.bytes_max;
}

// Loads without the lock. If that failed for want of room, it has starved, and says what it needed.
DatasetShelf::Loaded DatasetShelf::load_one(const Wish& wish, const Load& load,
                                            std::unique_lock<std::mutex>& lock, Needed& needed,
                                            bool& starved) {
  while (places_.size() >= options_.datasets_max && drop_oldest()) {
  }
  const auto place = places_.insert(
      places_.end(), Place{.wish = wish, .dataset = nullptr, .asked = clock_.now()});
  place->wish.version = version_();
  const bool alone = needed.has_value();
  alone_ = alone;
  // Taken away again unless it is loaded, however that ends, so that who waits loads his own.
  struct Loading {
    ~Loading() {
      if (!lock.owns_lock()) lock.lock();
      if (alone) shelf.alone_ = false;
      if (place->dataset == nullptr) shelf.places_.erase(place);
      shelf.changed_.notify_all();
    }
    DatasetShelf& shelf;
    std::unique_lock<std::mutex>& lock;
    const Places::iterator place;
    const bool alone;
  };
  Loading loading{*this, lock, place, alone};
  lock.unlock();
  std::size_t refused = 0;  // the bytes that there was no room for
  Loaded dataset = load([&](std::size_t bytes) {
    const std::lock_guard growing(mutex_);
    if (grow(place, bytes)) return true;
    refused = bytes;
    return false;
  });
  lock.lock();
  if (!dataset) {
    // More than all that may be there is no want of room: it would be for ever.
    starved = refused > 0 && refused <= options_.bytes_max;
    if (starved) needed = std::max(needed.value_or(0), refused);
    return dataset;
  }
  place->dataset = std::move(*dataset);
  const std::size_t bytes = place->dataset->bytes();  // a little more than was asked for last
  ++place->users;
  if (!grow(place, bytes)) place->bytes = bytes;
  --place->users;
  place->asked = clock_.now();
  return give(place);
}

bool DatasetShelf::grow(Places::iterator place, std::size_t bytes) {
  place->bytes = 0;
  while (bytes_where(false) + bytes_where(true) + bytes > options_.bytes_max) {
    if (!drop_oldest()) return false;
  }
  place->bytes = bytes;
  return true;
}

// Tells the shelf when it is no longer used. The place stays until then: only idle ones go.
std::shared_ptr<const Dataset> DatasetShelf::give(Places::iterator place) {
  ++place->users;
  return {place->dataset.get(), [this, place](const Dataset*) {
            const std::lock_guard lock(mutex_);
            TW_CHECK(place->users > 0);
            --place->users;
            changed_.notify_all();
          }};
}

// Of the idle ones, that which was asked for longest ago. False: there is none.
bool DatasetShelf::drop_oldest() {
  auto oldest = places_.end();
  for (auto one = places_.begin(); one != places_.end(); ++one) {
    if (!one->idle()) continue;
    if (oldest == places_.end() || one->asked < oldest->asked) oldest = one;
  }
  if (oldest == places_.end()) return false;
  places_.erase(oldest);
  return true;
}

std::size_t DatasetShelf::bytes_where(bool idle) const {
  std::size_t sum = 0;
  for (const Place& one : places_) {
    if (one.idle() == idle) sum += one.bytes;
  }
  return sum;
}

DatasetShelf::Places DatasetShelf::take_idle(const std::function<bool(const Place&)>& which) {
  Places taken;
  for (auto one = places_.begin(); one != places_.end();) {
    const auto next = std::next(one);
    if (one->idle() && which(*one)) taken.splice(taken.end(), places_, one);
    one = next;
  }
  if (!taken.empty()) changed_.notify_all();
  return taken;
}

void DatasetShelf::sweep() {
  const base::TimePoint since = clock_.now() - options_.kept;
  Places dropped;
  const std::lock_guard lock(mutex_);
  dropped = take_idle([&](const Place& place) { return place.asked < since; });
}

std::size_t DatasetShelf::size() const {
  const std::lock_guard lock(mutex_);
  return places_.size();
}

std::size_t DatasetShelf::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_where(true) + bytes_where(false);
}

}  // namespace trialward::reports
