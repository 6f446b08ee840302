// How deep a JSON text is nested, before anything reads it with a stack of its own.
#pragma once

#include <cstddef>
#include <string_view>

namespace trialward::model {

// Whether arrays and objects lie in each other more than `most` deep. It also counts brackets that
// do not match; such a text is refused either way.
bool nested_deeper(std::string_view json, std::size_t most);

}  // namespace trialward::model
