#include "api/url.h"

#include <algorithm>
#include <set>

namespace trialward::api {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

// Calls `take` with each part between separators; false as soon as it does.
template <class Take>
bool split(std::string_view text, char separator, Take take) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (!take(text.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<std::vector<std::string>> split_path(std::string_view path) {
  std::vector<std::string> segments;
  if (!path.starts_with('/')) return std::nullopt;
  if (path == "/") return segments;
  const bool ok = split(path.substr(1), '/', [&](std::string_view part) {
    auto segment = decode(part, false);
    if (!segment || segment->empty() || *segment == "." || *segment == "..") return false;
    segments.push_back(std::move(*segment));
    return true;
  });
  if (!ok) return std::nullopt;
  return segments;
}

std::optional<QueryMembers> QueryMembers::parse(std::string_view query) {
  QueryMembers members;
  if (query.empty()) return members;
  const bool ok = split(query, '&', [&](std::string_view part) {
    if (part.empty()) return true;
    const std::size_t equals = part.find('=');
    auto name = decode(part.substr(0, equals), true);
    auto value = decode(equals == std::string_view::npos ? "" : part.substr(equals + 1), true);
    if (!name || !value) return false;
    members.members_.emplace_back(std::move(*name), std::move(*value));
    return true;
  });
  if (!ok) return std::nullopt;
  return members;
}

bool QueryMembers::repeats() const {
  std::set<std::string_view> names;
  return std::any_of(members_.begin(), members_.end(),
                     [&](const auto& member) { return !names.insert(member.first).second; });
}

std::string_view QueryMembers::get(std::string_view name) const {
  for (const auto& [key, value] : members_) {
    if (key == name) return value;
  }
  return {};
}

std::string_view QueryMembers::unknown(const std::vector<std::string_view>& known) const {
  for (const auto& [key, value] : members_) {
    if (std::find(known.begin(), known.end(), key) == known.end()) return key;
  }
  return {};
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
      out.push_back(kDigits[static_cast<unsigned char>(c) & 15]);
    }
  }
  return out;
}

}  // namespace trialward::api
