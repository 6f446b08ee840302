// NameIndex: finds the drugs of a list by words of their names, as somebody types them: each word
// of the question is the beginning of a word of the name, in any order and case, and may have a
// slip (two, from 8 letters on) when no name has a word that begins with it.
//
// It keeps the different words of all names, sorted, and for each that is not everywhere ("MG",
// "Tablet") which drugs have it: 4 bytes. Built once and then read by any thread; it names drugs by
// their place in the list that it was made of.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formulary/drug_list.h"
#include "runtime/cancel.h"

namespace trialward::formulary {

inline constexpr std::size_t kSearchBytesMax = 100;  // of a question; the rest is not looked at
inline constexpr std::size_t kSearchWordsMax = 8;
inline constexpr std::size_t kHitsMax = 50;
// About letters that are compared: some 0.3 s at most, whatever is asked of whichever list.
inline constexpr std::size_t kSearchStepsMax = 64'000'000;

struct Hit {
  RxCui code = 0;
  std::string_view name;
  int slips = 0;
};

struct Hits {
  std::vector<Hit> best;
  bool complete = true;   // false: there may be better ones, for which it would have had to go on
  std::size_t steps = 0;  // that it took
};

class NameIndex {
 public:
  NameIndex() = default;
  explicit NameIndex(const DrugList& list);
  // Errors: refused (it would take more memory than that), cancelled.
  static base::Result<NameIndex> make(const DrugList& list, std::size_t bytes_max,
                                      const runtime::Cancel& cancel);

  // The best first: without slips, then those whose name begins so, then by name. `list` is the one
  // that it was made of.
  Hits search(const DrugList& list, std::string_view text, std::size_t limit,
              std::size_t steps_max = kSearchStepsMax) const;
  std::size_t words() const { return words_.size(); }
  std::size_t bytes() const;

 private:
  struct Word {
    std::uint32_t text = 0;   // in texts_
    std::uint32_t drugs = 0;  // how many have it
    std::uint32_t begin = 0;  // of them in places_; kCommon: they are not kept
  };
  struct Sought;
  class Search;
  class Numbers;
  class Making;

  std::string_view text(std::uint32_t word) const { return texts_.get(words_[word].text); }

  TextPool texts_;
  std::deque<Word> words_;           // as they came
  std::deque<std::uint32_t> order_;  // of words_, by text
  std::deque<std::uint32_t> places_;
};

// How many slips turn the first into the beginning of the second: a letter too many, missing,
// another one, or two that are swapped; more than `most` is most + 1. Adds to `steps` what it took.
int slips_between(std::string_view word, std::string_view longer, int most, std::size_t& steps);

}  // namespace trialward::formulary
