// National Drug Codes, by which pharmacies and claims name packages, and the mapping file that
// tells the code of RxNorm for each: lines "NDC,RXCUI", of which the first may be a heading. The
// file is the operator's own, read whole when the server starts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "formulary/drug_list.h"

namespace trialward::formulary {

inline constexpr std::size_t kNdcLinesMax = 5'000'000;

using Ndc = std::uint64_t;
// Its eleven digits, of 11 digits or of three parts with hyphens (5-4-2, 4-4-2, 5-3-2, 5-4-1). Ten
// digits without hyphens are none: nobody can tell which part is the short one.
std::optional<Ndc> parse_ndc(std::string_view text);

class NdcMap {
 public:
  // Errors: not_found (no such file), invalid (with the line).
  static base::Result<NdcMap> read(const std::string& path);
  std::optional<RxCui> find(Ndc ndc) const;
  std::size_t size() const { return codes_.size(); }

 private:
  std::vector<std::pair<Ndc, RxCui>> codes_;  // sorted
};

}  // namespace trialward::formulary
