// Texts that name things the way FHIR's references and search values do. Pure; a view that is
// given back lies in the text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::fhir {

// What stands behind "Patient/" in "Patient/S1" and in a URL that ends so, a version behind it
// passed over; it may be empty. Nothing when the text names no Patient.
std::optional<std::string_view> patient_named(std::string_view reference);
// The subject that a search value means: a Patient's id, also by itself.
std::string_view subject_sought(std::string_view value);

// The values between commas; "" has one, which is empty.
std::vector<std::string> split_commas(std::string_view text);

}  // namespace trialward::fhir
