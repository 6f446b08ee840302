#include "reports/words.h"

namespace trialward::reports {

// What a text costs beside its characters: the string, the map's node and bucket.
static constexpr std::size_t kOverhead = 96;

Words::Words() { add(""); }

Word Words::add(std::string_view text) {
  if (const auto found = words_.find(text); found != words_.end()) return found->second;
  const auto word = static_cast<Word>(texts_.size());
  texts_.emplace_back(text);
  words_.emplace(texts_.back(), word);
  bytes_ += text.size() + kOverhead;
  return word;
}

Word Words::find(std::string_view text) const {
  const auto found = words_.find(text);
  return found == words_.end() ? 0 : found->second;
}

}  // namespace trialward::reports
