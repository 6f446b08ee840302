#include "http/write_queue.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace trialward::http {

void WriteQueue::push(std::string bytes, std::size_t payload, OnWritten on_written) {
  TW_CHECK(!bytes.empty());
  pieces_.push_back({std::move(bytes), payload, std::move(on_written)});
}

std::span<const std::string_view> WriteQueue::front(std::span<std::string_view> room) const {
  const std::size_t count = std::min(room.size(), pieces_.size());
  for (std::size_t i = 0; i < count; ++i) room[i] = pieces_[i].bytes;
  if (count > 0) room[0].remove_prefix(written_);
  return room.first(count);
}

WriteQueue::Finished WriteQueue::consume(std::size_t n) {
  Finished finished;
  written_ += n;
  auto piece = pieces_.begin();
  for (; piece != pieces_.end() && written_ >= piece->bytes.size(); ++piece) {
    written_ -= piece->bytes.size();
    finished.payload += piece->payload;
    if (piece->on_written) finished.callbacks.push_back(std::move(piece->on_written));
  }
  pieces_.erase(pieces_.begin(), piece);
  TW_CHECK(!pieces_.empty() || written_ == 0);
  return finished;
}

void WriteQueue::fail() {
  const std::vector<Piece> pieces = std::exchange(pieces_, {});
  written_ = 0;
  for (const Piece& piece : pieces) {
    if (piece.on_written) piece.on_written(false);
  }
}

}  // namespace trialward::http
