// TextPool: many short texts, one behind the other, in blocks that never move. A text is named by
// its place, 4 bytes. It grows by a block, never by doubling, so that what is being built needs no
// more memory than what has been built. Written by one thread; then read by any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace trialward::formulary {

class TextPool {
 public:
  static constexpr std::size_t kTextBytesMax = 4096;
  static constexpr std::size_t kBlockBytes = 256 << 10;
  static constexpr std::uint64_t kBytesMax = std::uint64_t{4} << 30;  // what 4 bytes can name

  // Nothing when the text is too long or the pool is full.
  std::optional<std::uint32_t> add(std::string_view text) {
    const std::size_t size = text.size() + sizeof(Length);
    if (text.size() > kTextBytesMax) return std::nullopt;
    if (blocks_.empty() || used_ + size > kBlockBytes) {
      if ((blocks_.size() + 1) * kBlockBytes > kBytesMax) return std::nullopt;
      blocks_.push_back(std::make_unique<char[]>(kBlockBytes));
      used_ = 0;
    }
    char* to = blocks_.back().get() + used_;
    const auto length = static_cast<Length>(text.size());
    std::memcpy(to, &length, sizeof length);
    std::memcpy(to + sizeof length, text.data(), text.size());
    const auto place = static_cast<std::uint32_t>((blocks_.size() - 1) * kBlockBytes + used_);
    used_ += size;
    return place;
  }

  std::string_view get(std::uint32_t place) const {
    const char* at = blocks_[place / kBlockBytes].get() + place % kBlockBytes;
    Length length = 0;
    std::memcpy(&length, at, sizeof length);
    return {at + sizeof length, length};
  }

  std::size_t bytes() const { return blocks_.size() * kBlockBytes; }

 private:
  using Length = std::uint16_t;

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t used_ = 0;  // of the last one
};

}  // namespace trialward::formulary
