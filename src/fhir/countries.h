// The countries of ISO 3166-1, as of 2023: their codes and English short names. Facts; constant.
#pragma once

#include <span>
#include <string_view>

namespace trialward::fhir {

struct Country {
  std::string_view alpha_2, alpha_3, numeric;
  std::string_view name;
  std::string_view also_called;  // "" when there is no other name in common use
};

// By their alpha-2 codes.
std::span<const Country> countries();

}  // namespace trialward::fhir
