#include "monitor/point.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/heap_bytes.h"

namespace trialward::monitor {
namespace {

using Size = std::uint16_t;

}  // namespace

PointName::PointName(std::string_view source, std::string_view source_id) {
  char* text = make(source.size() + 1 + source_id.size());
  text = std::copy(source.begin(), source.end(), text);
  *text++ = '\0';
  std::copy(source_id.begin(), source_id.end(), text);
}

PointName& PointName::operator=(const PointName& other) {
  if (this != &other) *this = PointName(other);
  return *this;
}

std::string_view PointName::view() const {
  if (block_ == nullptr) return {};
  Size size = 0;
  std::memcpy(&size, block_.get(), sizeof size);
  return {block_.get() + sizeof size, size};
}

std::size_t PointName::bytes() const {
  return block_ == nullptr ? 0 : base::heap_bytes(sizeof(Size) + size());
}

char* PointName::make(std::size_t size) {
  TW_CHECK(size <= std::numeric_limits<Size>::max());
  const auto stored = static_cast<Size>(size);
  block_ = std::make_unique_for_overwrite<char[]>(sizeof stored + size);
  std::memcpy(block_.get(), &stored, sizeof stored);
  return block_.get() + sizeof stored;
}

void PointName::assign(std::string_view text) {
  if (text.empty()) {
    block_.reset();
  } else {
    std::copy(text.begin(), text.end(), make(text.size()));
  }
}

}  // namespace trialward::monitor
