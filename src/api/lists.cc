#include "api/lists.h"

#include <charconv>

namespace trialward::api {

std::int64_t number_in(const QueryMembers& query, std::string_view name, std::int64_t otherwise,
                       std::int64_t max) {
  const std::string_view text = query.get(name);
  if (text.empty()) return otherwise;
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > max) return 0;
  return number;
}

std::int64_t id_in(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id > 0 ? id : 0;
}

}  // namespace trialward::api
