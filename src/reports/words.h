// Texts that occur again and again (codes, visits, terms), each kept once and named by a number.
// 0 is the empty text. Filled by one thread, then read by any.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

namespace trialward::reports {

using Word = std::uint32_t;

class Words {
 public:
  Words();
  Words(const Words&) = delete;
  Words& operator=(const Words&) = delete;

  Word add(std::string_view text);
  // 0 when the text was never added.
  Word find(std::string_view text) const;
  std::string_view text(Word word) const { return texts_[word]; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::deque<std::string> texts_;  // stays where it is: the map's keys are views of it
  std::unordered_map<std::string_view, Word> words_;
  std::size_t bytes_ = 0;
};

}  // namespace trialward::reports
