#include "http/write_queue.h"

#include "base/check.h"

namespace trialward::http {

void WriteQueue::push(std::string bytes, std::size_t payload, OnWritten on_written) {
  TW_CHECK(!bytes.empty());
  pieces_.push_back({std::move(bytes), payload, std::move(on_written)});
}

std::span<const std::string_view> WriteQueue::front() {
  std::size_t count = 0;
  for (const Piece& piece : pieces_) {
    if (count == views_.size()) break;
    views_[count] = count == 0 ? std::string_view(piece.bytes).substr(written_) : piece.bytes;
    ++count;
  }
  return {views_.data(), count};
}

WriteQueue::Finished WriteQueue::consume(std::size_t n) {
  Finished finished;
  written_ += n;
  while (!pieces_.empty() && written_ >= pieces_.front().bytes.size()) {
    Piece piece = std::move(pieces_.front());
    pieces_.pop_front();
    written_ -= piece.bytes.size();
    finished.payload += piece.payload;
    if (piece.on_written) finished.callbacks.push_back(std::move(piece.on_written));
  }
  TW_CHECK(!pieces_.empty() || written_ == 0);
  return finished;
}

void WriteQueue::fail() {
  const std::deque<Piece> pieces = std::move(pieces_);
  pieces_.clear();
  written_ = 0;
  for (const Piece& piece : pieces) {
    if (piece.on_written) piece.on_written(false);
  }
}

}  // namespace trialward::http
