// Numbers as JSON spells them (RFC 8259). Pure.
#pragma once

#include <optional>
#include <string_view>

namespace trialward::model {

// Feeds other than JSON have wider ideas of a number: "+5", ".5", "007" are none here.
bool is_json_number(std::string_view text);

// The double nearest to it; nothing when the text is no JSON number or lies beyond all doubles.
// (simdjson 3.0.1 of Debian 12 must not be asked: of "0.1000000000000000055" and other numbers with
// a leading zero and more than 19 digits it drops the first digits.)
std::optional<double> parse_json_number(std::string_view text);

}  // namespace trialward::model
