// The bytes that a connection has still to write, in order. Owned by one connection and used on its
// loop's thread only. Pieces are not copied together: several go out in one gathering write. An
// empty one, as most are, holds hardly any memory.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::http {

class WriteQueue {
 public:
  // Called once per piece: true when its last byte was written, false when it never will be.
  using OnWritten = std::function<void(bool ok)>;

  // `payload` is what consume() counts when the piece is gone.
  void push(std::string bytes, std::size_t payload = 0, OnWritten on_written = {});
  bool empty() const { return pieces_.empty(); }

  // The bytes to write next, as pieces for which there is room. Valid until consume() or fail().
  std::span<const std::string_view> front(std::span<std::string_view> room) const;
  // Drops n bytes that were written. The callbacks of the pieces that were thereby finished are
  // the caller's to call, once it has given the payload back: they ask how much waits.
  struct Finished {
    std::size_t payload = 0;
    std::vector<OnWritten> callbacks;
  };
  Finished consume(std::size_t n);
  // Drops everything.
  void fail();

 private:
  struct Piece {
    std::string bytes;
    std::size_t payload;
    OnWritten on_written;
  };

  std::vector<Piece> pieces_;
  std::size_t written_ = 0;  // bytes of the first piece
};

}  // namespace trialward::http
