#include "formulary/name_index.h"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>
#include <utility>

#include "formulary/sort.h"

namespace trialward::formulary {
namespace {

constexpr std::uint32_t kCommon = UINT32_MAX;
constexpr std::size_t kCommonPart = 64;        // who is in more than this part of all names
constexpr std::size_t kCommonMin = 64;         // and in more than so many
constexpr std::size_t kWordBytesMax = 40;      // what of a word counts
constexpr std::size_t kLookedAtMax = 200'000;  // drugs, for one question
constexpr std::size_t kFoundMax = 10'000;      // of which the best are taken
constexpr std::size_t kNamesPerLook = 1024;    // at the token and the memory, while it is made
constexpr std::size_t kSlipFrom = 4, kTwoSlipsFrom = 8;  // letters

bool in_word(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
}

// Calls use(word) for each word of the text, in lower case.
template <class F>
void each_word(std::string_view text, F&& use) {
  std::array<char, kWordBytesMax> word;
  std::size_t length = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const bool inside = i < text.size() && in_word(static_cast<unsigned char>(text[i]));
    if (inside && length < kWordBytesMax) {
      const char c = text[i];
      word[length++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
    } else if (!inside && length > 0) {
      use(std::string_view(word.data(), length));
      length = 0;
    }
  }
}

int slips_allowed(std::string_view word) {
  return word.size() >= kTwoSlipsFrom ? 2 : word.size() >= kSlipFrom ? 1 : 0;
}

}  // namespace

int slips_between(std::string_view word, std::string_view longer, int most, std::size_t& steps) {
  // Rows of the usual table, of which three are needed: swapped letters look back by two.
  std::array<std::array<int, kWordBytesMax + 3>, 3> rows;
  longer = longer.substr(0, word.size() + static_cast<std::size_t>(most));
  word = word.substr(0, kWordBytesMax);
  longer = longer.substr(0, kWordBytesMax + 2);
  for (std::size_t j = 0; j <= longer.size(); ++j) rows[0][j] = static_cast<int>(j);
  for (std::size_t i = 1; i <= word.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i - 1) % 3];
    row[0] = static_cast<int>(i);
    steps += longer.size();
    int least = row[0];
    for (std::size_t j = 1; j <= longer.size(); ++j) {
      const int other = word[i - 1] == longer[j - 1] ? 0 : 1;
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + other});
      if (i > 1 && j > 1 && word[i - 1] == longer[j - 2] && word[i - 2] == longer[j - 1]) {
        row[j] = std::min(row[j], rows[(i - 2) % 3][j - 2] + 1);
      }
      least = std::min(least, row[j]);
    }
    if (least > most) return most + 1;
  }
  const auto& last = rows[word.size() % 3];
  int best = most + 1;
  for (std::size_t j = 0; j <= longer.size(); ++j) best = std::min(best, last[j]);
  return best;
}

// From a word to its number, while the index is made. Four bytes a place.
class NameIndex::Numbers {
 public:
  template <class Text>
  std::uint32_t& find(std::string_view word, Text&& text_of) {
    for (std::size_t at = std::hash<std::string_view>()(word);; ++at) {
      std::uint32_t& place = places_[at & (places_.size() - 1)];
      if (place == 0 || text_of(place - 1) == word) return place;
    }
  }
  template <class Text>
  void make_room(std::size_t words, Text&& text_of) {
    if (words * 4 < places_.size() * 3) return;
    std::vector<std::uint32_t> larger(places_.size() * 2);
    larger.swap(places_);
    for (const std::uint32_t place : larger) {
      if (place != 0) find(text_of(place - 1), text_of) = place;
    }
  }

  std::size_t bytes() const { return places_.size() * sizeof places_.front(); }

 private:
  std::vector<std::uint32_t> places_ = std::vector<std::uint32_t>(1 << 10);  // number + 1
};

// One index, while it is made.
class NameIndex::Making {
 public:
  Making(const DrugList& list, std::size_t bytes_max, const runtime::Cancel& cancel)
      : list_(list),
        bytes_max_(bytes_max),
        cancel_(cancel),
        common_(std::max(kCommonMin, list.drugs().size() / kCommonPart)) {}

  base::Result<NameIndex> make() {
    if (auto counted = count_words(); !counted) return counted.error();
    index_.places_.resize(set_begins());
    for (std::uint32_t i = 0; i < index_.words_.size(); ++i) index_.order_.push_back(i);
    const bool sorted = sort_unless(
        cancel_, index_.order_.begin(), index_.order_.end(),
        [this](std::uint32_t a, std::uint32_t b) { return index_.text(a) < index_.text(b); });
    if (!sorted) return base::Error{base::Errc::cancelled, "cancelled"};
    if (auto put = put_places(); !put) return put.error();
    return std::move(index_);
  }

 private:
  // Also of what it will have when all that is counted so far has its place.
  base::Status look(std::size_t drug) const {
    if (drug % kNamesPerLook != 0) return {};
    if (cancel_.fired()) return base::Error{base::Errc::cancelled, "cancelled"};
    const std::size_t bytes = index_.texts_.bytes() + numbers_.bytes() + occurrences_ * 4 +
                              index_.words_.size() * (sizeof(Word) + sizeof(std::uint32_t));
    if (bytes <= bytes_max_) return {};
    return base::Error{base::Errc::refused, "the words of the list's names would take more than " +
                                                std::to_string(bytes_max_) + " bytes of memory"};
  }

  base::Status count_words() {
    const auto text_of = [this](std::uint32_t word) { return index_.text(word); };
    auto& words = index_.words_;
    const auto& drugs = list_.drugs();
    for (std::size_t i = 0; i < drugs.size(); ++i) {
      if (auto looked = look(i); !looked) return looked;
      each_word(list_.name(drugs[i]), [&](std::string_view word) {
        std::uint32_t& place = numbers_.find(word, text_of);
        if (place != 0) {
          if (++words[place - 1].drugs <= common_) ++occurrences_;
          return;
        }
        ++occurrences_;
        const auto its_text = index_.texts_.add(word);
        if (!its_text) return;
        words.push_back({.text = *its_text, .drugs = 1});
        place = static_cast<std::uint32_t>(words.size());
        numbers_.make_room(words.size(), text_of);
      });
    }
    return look(0);
  }

  // Gives how many places there are in all.
  std::uint32_t set_begins() {
    std::uint32_t all = 0;
    for (Word& word : index_.words_) {
      word.begin = word.drugs > common_ ? kCommon : all;
      if (word.begin != kCommon) all += word.drugs;
    }
    return all;
  }

  // Each word's `begin` runs to its end as its drugs are put down, and is set back after that.
  base::Status put_places() {
    const auto text_of = [this](std::uint32_t word) { return index_.text(word); };
    auto& words = index_.words_;
    const auto& drugs = list_.drugs();
    for (std::size_t i = 0; i < drugs.size(); ++i) {
      if (auto looked = look(i); !looked) return looked;
      each_word(list_.name(drugs[i]), [&](std::string_view word) {
        const std::uint32_t place = numbers_.find(word, text_of);
        if (place == 0 || words[place - 1].begin == kCommon) return;
        index_.places_[words[place - 1].begin++] = static_cast<std::uint32_t>(i);
      });
    }
    for (Word& word : words) {
      if (word.begin != kCommon) word.begin -= word.drugs;
    }
    return {};
  }

  const DrugList& list_;
  const std::size_t bytes_max_;
  const runtime::Cancel& cancel_;
  const std::size_t common_;  // a word that more drugs have is common
  NameIndex index_;
  Numbers numbers_;
  std::size_t occurrences_ = 0;  // of words, about: those that places_ has to have
};

base::Result<NameIndex> NameIndex::make(const DrugList& list, std::size_t bytes_max,
                                        const runtime::Cancel& cancel) {
  return Making(list, bytes_max, cancel).make();
}

NameIndex::NameIndex(const DrugList& list) {
  *this = make(list, SIZE_MAX, {}).value();
}

std::size_t NameIndex::bytes() const {
  return texts_.bytes() + words_.size() * sizeof(Word) +
         (order_.size() + places_.size()) * sizeof(std::uint32_t);
}

// A word of the question: how many slips its words have, and which drugs may have one of them.
struct NameIndex::Sought {
  std::string word;
  int slips = 0;
  bool everywhere = false;  // one of its words is common
  std::size_t drugs = 0;
  std::vector<std::uint32_t> words;

  int in(std::string_view other, std::size_t& steps) const {
    if (slips > 0) return slips_between(word, other, slips, steps);
    ++steps;
    return other.starts_with(word) ? 0 : slips + 1;
  }
};

// One search.
class NameIndex::Search {
 public:
  Search(const NameIndex& index, const DrugList& list, std::size_t steps_max)
      : index_(index), list_(list), steps_max_(steps_max) {}

  Hits run(std::string_view text, std::size_t limit) {
    std::vector<std::string> words;
    each_word(text.substr(0, kSearchBytesMax), [&](std::string_view word) {
      if (words.size() < kSearchWordsMax) words.emplace_back(word);
      folded_ += word;
    });
    if (words.empty()) return {};
    // Half of the steps are for finding words, each of which has its part of what the others have
    // left, and the rest is for looking.
    const std::size_t for_words = steps_max_ / 2;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::size_t left = for_words - std::min(for_words, steps_);
      seek(words[i], steps_ + left / (words.size() - i));
    }
    look();
    return best(limit);
  }

 private:
  bool spent(std::size_t until) {
    if (steps_ < until) return false;
    complete_ = false;
    return true;
  }

  void seek(const std::string& word, std::size_t until) {
    Sought& sought = all_.emplace_back(Sought{.word = word});
    const auto& order = index_.order_;
    const auto add = [&](std::uint32_t one) {
      sought.words.push_back(one);
      sought.drugs += index_.words_[one].drugs;
      sought.everywhere |= index_.words_[one].begin == kCommon;
    };
    auto at = std::lower_bound(
        order.begin(), order.end(), word,
        [this](std::uint32_t a, const std::string& b) { return index_.text(a) < b; });
    for (; at != order.end() && index_.text(*at).starts_with(word) && !spent(until); ++at) {
      ++steps_;
      add(*at);
    }
    if (!sought.words.empty()) return;
    sought.slips = slips_allowed(word);
    if (sought.slips == 0) return;
    for (std::uint32_t one = 0; one < index_.words_.size() && !spent(until); ++one) {
      const std::string_view other = index_.text(one);
      ++steps_;
      if (other.size() + static_cast<std::size_t>(sought.slips) < word.size()) continue;
      if (slips_between(word, other, sought.slips, steps_) <= sought.slips) add(one);
    }
  }

  // The word that the fewest drugs have says which are looked at.
  void look() {
    const Sought* fewest = nullptr;
    for (const Sought& one : all_) {
      if (!one.everywhere && (fewest == nullptr || one.drugs < fewest->drugs)) fewest = &one;
    }
    if (fewest == nullptr) {
      for (std::uint32_t i = 0; i < list_.drugs().size() && may_look(); ++i) look_at(i);
      return;
    }
    for (const std::uint32_t word : fewest->words) {
      const Word& one = index_.words_[word];
      for (std::uint32_t i = 0; i < one.drugs; ++i) {
        if (!may_look()) return;
        look_at(index_.places_[one.begin + i]);
      }
    }
  }

  bool may_look() {
    if (spent(steps_max_)) return false;
    if (looked_at_ < kLookedAtMax && found_.size() < kFoundMax) return true;
    complete_ = false;
    return false;
  }

  void look_at(std::uint32_t place) {
    ++looked_at_;
    if (std::exchange(last_, place) == place) return;
    const DrugList::Drug& drug = list_.drugs()[place];
    const std::string_view its_name = list_.name(drug);
    steps_ += its_name.size();
    std::array<int, kSearchWordsMax> slips;
    slips.fill(INT32_MAX);
    std::string name;
    each_word(its_name, [&](std::string_view word) {
      for (std::size_t i = 0; i < all_.size(); ++i) {
        if (slips[i] > 0) slips[i] = std::min(slips[i], all_[i].in(word, steps_));
      }
      if (name.size() < folded_.size()) name += word;
    });
    Hit hit{.code = drug.code, .name = its_name};
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (slips[i] > all_[i].slips) return;
      hit.slips += slips[i];
    }
    found_.emplace_back(!name.starts_with(folded_), hit);
  }

  Hits best(std::size_t limit) {
    std::sort(found_.begin(), found_.end(), [](const auto& a, const auto& b) {
      return std::tie(a.second.slips, a.first, a.second.name, a.second.code) <
             std::tie(b.second.slips, b.first, b.second.name, b.second.code);
    });
    Hits hits{.complete = complete_, .steps = steps_};
    for (const auto& [later, hit] : found_) {
      const bool again = !hits.best.empty() && hits.best.back().code == hit.code &&
                         hits.best.back().name == hit.name;
      if (!again && hits.best.size() < limit) hits.best.push_back(hit);
    }
    return hits;
  }

  const NameIndex& index_;
  const DrugList& list_;
  const std::size_t steps_max_;
  std::vector<Sought> all_;
  std::string folded_;  // the question, without what is between its words
  std::uint32_t last_ = kCommon;
  std::vector<std::pair<bool, Hit>> found_;  // and whether its name does not begin so
  std::size_t steps_ = 0, looked_at_ = 0;
  bool complete_ = true;
};

Hits NameIndex::search(const DrugList& list, std::string_view text, std::size_t limit,
                       std::size_t steps_max) const {
  return Search(*this, list, steps_max).run(text, limit);
}

}  // namespace trialward::formulary
