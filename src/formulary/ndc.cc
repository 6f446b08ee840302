#include "formulary/ndc.h"

#include <algorithm>
#include <array>
#include <fstream>

namespace trialward::formulary {
namespace {

constexpr std::array<std::size_t, 3> kParts = {5, 4, 2};  // digits, when all are there
constexpr std::size_t kDigits = 11;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Ndc number_of(std::string_view digits) {
  Ndc number = 0;
  for (const char c : digits) number = number * 10 + static_cast<Ndc>(c - '0');
  return number;
}

}  // namespace

std::optional<Ndc> parse_ndc(std::string_view text) {
  if (text.size() == kDigits && all_digits(text)) return number_of(text);
  std::string digits;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < kParts.size(); ++i) {
    const bool last = i + 1 == kParts.size();
    const std::size_t hyphen = text.find('-');
    if ((hyphen == std::string_view::npos) != last) return std::nullopt;
    const std::string_view part = text.substr(0, hyphen);
    if (!all_digits(part) || part.size() > kParts[i] || part.size() + 1 < kParts[i] ||
        part.empty()) {
      return std::nullopt;
    }
    missing += kParts[i] - part.size();
    digits += std::string(kParts[i] - part.size(), '0');
    digits += part;
    if (!last) text.remove_prefix(hyphen + 1);
  }
  if (missing > 1) return std::nullopt;
  return number_of(digits);
}

base::Result<NdcMap> NdcMap::read(const std::string& path) {
  std::ifstream file(path);
  if (!file) return base::Error{base::Errc::not_found, path + ": cannot be read"};
  NdcMap map;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    const auto wrong = [&](const char* why) {
      return base::invalid(path + ":" + std::to_string(number) + ": " + why);
    };
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    if (number > kNdcLinesMax) return wrong("the file has too many lines");
    const std::size_t comma = line.find(',');
    const auto ndc = parse_ndc(std::string_view(line).substr(0, comma));
    const auto code = comma == std::string::npos
                          ? std::nullopt
                          : parse_rxcui(std::string_view(line).substr(comma + 1));
    if (ndc && code) {
      map.codes_.emplace_back(*ndc, *code);
    } else if (number > 1 || ndc) {
      return wrong("must be NDC,RXCUI: an NDC of 11 digits or three parts, a code of RxNorm");
    }
  }
  std::sort(map.codes_.begin(), map.codes_.end());
  map.codes_.erase(std::unique(map.codes_.begin(), map.codes_.end()), map.codes_.end());
  const auto twice =
      std::adjacent_find(map.codes_.begin(), map.codes_.end(),
                         [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice == map.codes_.end()) return map;
  return base::invalid(path + ": the NDC " + std::to_string(twice->first) + " has two codes");
}

std::optional<RxCui> NdcMap::find(Ndc ndc) const {
  const auto found = std::lower_bound(codes_.begin(), codes_.end(), std::pair(ndc, RxCui{0}));
  if (found == codes_.end() || found->first != ndc) return std::nullopt;
  return found->second;
}

}  // namespace trialward::formulary
