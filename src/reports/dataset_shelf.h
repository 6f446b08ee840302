// The datasets at hand, so that reports that are asked for together read the records once. A report
// of now may be written from any dataset that holds what was there when it was asked for; one as of
// recorded positions, from one as of the same. Who finds one that is being loaded waits for it.
//
// Bounded: at most `datasets_max` beside those that reports still use, and all together, with those
// in use and those that are being loaded, `bytes_max`. Who needs more makes the idle ones go, those
// asked for longest ago first. Where what is in use leaves too little, a load gives back what it
// has and begins again, alone, when there is room: it waits for reports to end, but never with
// memory of its own, so that two cannot wait for each other. sweep() drops what nobody has asked
// for of late. When all who wanted a study's datasets have gone, and the last of them was
// cancelled, these are dropped at once. Any thread. What it gives must be gone before it is.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "reports/dataset.h"
#include "runtime/cancel.h"

namespace trialward::reports {

struct DatasetShelfOptions {
  std::size_t datasets_max = 2;
  std::size_t bytes_max = std::size_t{640} << 20;  // at least the bound of one dataset
  base::Duration kept = std::chrono::seconds(30);  // after it was last asked for
  bool shared = true;  // false: each loads for himself, without these bounds
};

class DatasetShelf {
 public:
  using Loaded = base::Result<std::shared_ptr<const Dataset>>;
  using Load = std::function<Loaded(const Source::Grow& grow)>;
  struct Wish {
    std::int64_t study = 0;  // its row
    Domains domains = 0;     // that it must hold
    // As of these; none: of now, which is when the store had this version, or later.
    std::optional<Positions> positions;
    std::uint64_t version = 0;
  };

  // That a run wants a dataset of a study: from when it is asked for until it has ended.
  class Interest {
   public:
    Interest(DatasetShelf& shelf, std::int64_t study);
    ~Interest();
    Interest(const Interest&) = delete;
    Interest& operator=(const Interest&) = delete;
    // The run is under way. One that goes before that, or with `cancel` fired, was given up.
    void begin(const runtime::Cancel& cancel) { cancel_ = cancel; }

   private:
    DatasetShelf& shelf_;
    const std::int64_t study_;
    std::optional<runtime::Cancel> cancel_;
  };

  // `version` says which the store has: it grows with each commit. Any thread may call it.
  DatasetShelf(DatasetShelfOptions options, const base::Clock& clock,
               std::function<std::uint64_t()> version)
      : options_(options), clock_(clock), version_(std::move(version)) {}

  // One from the shelf, or what `load` loads, which asks `grow` before it takes more and fails when
  // that says no; it is called again if there was no room. Errors: load's; cancelled.
  Loaded get(const Wish& wish, const runtime::Cancel& cancel, const Load& load);
  void sweep();
  std::size_t size() const;
  std::size_t bytes() const;  // of all that is there, as far as it is loaded

 private:
  struct Place {
    Wish wish;                               // its version: when its loading began
    std::shared_ptr<const Dataset> dataset;  // null while it is being loaded
    base::TimePoint asked;                   // the last time
    std::size_t bytes = 0;
    std::size_t users = 0;  // whom it was given to

    bool idle() const { return dataset != nullptr && users == 0; }
  };
  using Places = std::list<Place>;
  // What a load that found no room needs at least; nothing: it has not begun.
  using Needed = std::optional<std::size_t>;

  static bool serves(const Place& place, const Wish& wish);
  Loaded load_one(const Wish& wish, const Load& load, std::unique_lock<std::mutex>& lock,
                  Needed& needed, bool& starved);
  bool may_begin(const Needed& needed) const;
  bool grow(Places::iterator place, std::size_t bytes);
  std::shared_ptr<const Dataset> give(Places::iterator place);
  bool drop_oldest();
  // Takes the idle ones that `which` names off the shelf, to be let go without the lock.
  Places take_idle(const std::function<bool(const Place&)>& which);
  std::size_t bytes_where(bool idle) const;

  const DatasetShelfOptions options_;
  const base::Clock& clock_;
  const std::function<std::uint64_t()> version_;
  mutable std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  Places places_;
  std::map<std::int64_t, std::size_t> interested_;  // runs, by study
  bool alone_ = false;  // a load that found no room is under way again: none may begin beside it
};

}  // namespace trialward::reports
