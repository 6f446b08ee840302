// What is wrong with an id or a text that came in. Pure.
// A reason goes on after the name of the thing: "subject" + " " + "is empty"; nothing when it fits.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trialward::model {

// An id: not empty, at most kIdCharsMax characters, no control characters.
std::optional<std::string> id_fault(std::string_view id);

// A text of at most so many characters (Unicode code points; the text is UTF-8). Of the control
// characters it may have line ends and tabs.
std::optional<std::string> text_fault(std::string_view text, std::size_t chars_max);

}  // namespace trialward::model
