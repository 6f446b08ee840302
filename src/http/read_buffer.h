// The bytes a connection has read and not yet used: one block, as large as its peer has needed. Of
// thousands of connections most wait, and what each holds while it waits counts. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace trialward::http {

class ReadBuffer {
 public:
  // Holds a common request whole.
  static constexpr std::size_t kFirstBytes = 2048;

  // From kFirstBytes to capacity_max.
  explicit ReadBuffer(std::size_t capacity_max) : capacity_max_(capacity_max) {}

  std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }
  void consume(std::size_t n) {
    TW_CHECK(n <= end_ - begin_);
    begin_ += n;
  }
  // Where the next read goes; empty when full. Moves what is held, so no read may be running. After
  // a read that filled all its room the block is four times as large.
  std::span<char> room() {
    const std::size_t capacity = capacity_ == 0 ? kFirstBytes
                                 : filled_up_   ? std::min(4 * capacity_, capacity_max_)
                                                : capacity_;
    filled_up_ = false;
    if (capacity != capacity_) {
      // Not initialised: pages that nobody fills cost no memory.
      auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
      if (!empty()) std::memcpy(bytes.get(), bytes_.get() + begin_, end_ - begin_);
      bytes_ = std::move(bytes);
      capacity_ = capacity;
    } else if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
    }
    end_ -= std::exchange(begin_, 0);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void filled(std::size_t n) {
    TW_CHECK(n <= capacity_ - end_);
    end_ += n;
    filled_up_ = end_ == capacity_;
  }

  // Gives back what it has grown by; when it is empty and no read is running.
  void shrink() {
    TW_CHECK(empty());
    if (capacity_ <= kFirstBytes) return;
    bytes_.reset();
    begin_ = end_ = capacity_ = 0;
  }

 private:
  const std::size_t capacity_max_;
  std::unique_ptr<char[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool filled_up_ = false;
};

}  // namespace trialward::http
