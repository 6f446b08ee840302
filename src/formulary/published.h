// Published<T>: one object that many threads read and one thread replaces. A reader never waits and
// never sees a half: it pins what is there, for as long as its Reading lives. The one who replaces
// it waits until nobody reads the old one, and then owns it: so it is freed by whom that suits, and
// not by the reader who happens to be the last.
//
// How: readers count themselves in one of two places. After the exchange the place for newcomers is
// changed twice, each time waiting until the other one is empty: whoever may have seen the old
// object is among those. All of it is sequentially consistent.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace trialward::formulary {

template <class T>
class Published {
 public:
  // Keep it on the stack and for the time of one answer: replace() waits for it.
  class Reading {
   public:
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() { readers_.fetch_sub(1); }
    const T* get() const { return object_; }  // null: nothing is there yet
    const T* operator->() const { return object_; }
    explicit operator bool() const { return object_ != nullptr; }

   private:
    friend class Published;
    Reading(std::atomic<int>& readers, const std::atomic<const T*>& object)
        : readers_(readers), object_((readers.fetch_add(1), object.load())) {}
    std::atomic<int>& readers_;
    const T* const object_;
  };

  Published() = default;
  ~Published() { std::unique_ptr<const T>(object_.load()); }
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  Reading read() const { return Reading(readers_[side_.load()], object_); }

  // One thread at a time. `pause` lets a little time pass. Gives the one that was there.
  std::unique_ptr<const T> replace(std::unique_ptr<const T> fresh,
                                   const std::function<void()>& pause) {
    std::unique_ptr<const T> old(object_.exchange(fresh.release()));
    for (int turn = 0; turn < 2; ++turn) {
      const unsigned side = side_.load();
      side_.store(1 - side);
      while (readers_[side].load() != 0) pause();
    }
    return old;
  }

 private:
  std::atomic<const T*> object_{nullptr};
  std::atomic<unsigned> side_{0};
  mutable std::array<std::atomic<int>, 2> readers_{};
};

}  // namespace trialward::formulary
