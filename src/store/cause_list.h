// The causes of an alert event as they are stored: the ids of records, "[1,2]".
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace trialward::store {

std::vector<std::int64_t> causes_in(std::string_view text);

}  // namespace trialward::store
