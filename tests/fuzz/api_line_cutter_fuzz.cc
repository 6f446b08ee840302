// Any bytes as NDJSON in any pieces: the lines are those of the whole, and none is longer than it
// may be. The first byte says how large the pieces are.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "api/line_cutter.h"
#include "base/check.h"

namespace {

using trialward::api::LineCutter;

constexpr std::size_t kLineMax = 12;

std::vector<std::pair<std::int64_t, std::string>> cut(std::string_view text, std::size_t piece) {
  LineCutter cutter(kLineMax);
  std::vector<std::pair<std::int64_t, std::string>> lines;
  do {
    const std::string_view now = text.substr(0, piece);
    text.remove_prefix(now.size());
    cutter.add(now, text.empty());
    std::string_view line;
    for (auto one = cutter.next(line); one != LineCutter::Cut::none; one = cutter.next(line)) {
      const bool whole = one == LineCutter::Cut::line;
      TW_CHECK(!whole || line.size() <= kLineMax);
      lines.emplace_back(cutter.number(), whole ? std::string(line) : "too long");
    }
  } while (!text.empty());
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = cut(text, text.size() + 1);
  TW_CHECK(cut(text, 1 + data[0] % 16) == whole);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    TW_CHECK(whole[i].first == static_cast<std::int64_t>(i) + 1);
  }
  return 0;
}
