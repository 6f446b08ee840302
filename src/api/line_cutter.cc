#include "api/line_cutter.h"

namespace trialward::api {

void LineCutter::add(std::string_view bytes, bool last) {
  // What was cut is dropped here, once a piece, not once a line.
  buffer_.erase(0, begin_);
  seen_ -= begin_;
  begin_ = 0;
  buffer_ += bytes;
  last_ = last;
}

void LineCutter::clear() {
  buffer_.clear();
  begin_ = seen_ = 0;
  last_ = true;
}

LineCutter::Cut LineCutter::next(std::string_view& line) {
  while (true) {
    const std::size_t found = buffer_.find('\n', seen_);
    const bool ended = found != std::string::npos;
    const std::size_t end = ended ? found : buffer_.size();
    line = std::string_view(buffer_).substr(begin_, end - begin_);
    seen_ = end;
    const bool whole = ended || (last_ && !line.empty());
    if (skipping_) {
      begin_ = seen_ = ended ? end + 1 : end;
      skipping_ = !ended;
      if (!ended) return Cut::none;
      continue;
    }
    if (line.size() > line_bytes_max_) {
      ++number_;
      skipping_ = true;
      begin_ = end;
      return Cut::too_long;
    }
    if (!whole) return Cut::none;
    ++number_;
    begin_ = seen_ = ended ? end + 1 : end;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return Cut::line;
  }
}

}  // namespace trialward::api
