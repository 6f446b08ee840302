#include "fhir/search_text.h"

namespace trialward::fhir {

std::optional<std::string_view> patient_named(std::string_view reference) {
  constexpr std::string_view kBefore = "Patient/", kBehind = "/_history/";
  reference = reference.substr(0, reference.find(kBehind));
  const std::size_t found = reference.rfind(kBefore);
  if (found == std::string_view::npos || (found > 0 && reference[found - 1] != '/')) {
    return std::nullopt;
  }
  return reference.substr(found + kBefore.size());
}

std::string_view subject_sought(std::string_view value) {
  return patient_named(value).value_or(value);
}

std::vector<std::string> split_commas(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace trialward::fhir
