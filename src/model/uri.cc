#include "model/uri.h"

#include <algorithm>

namespace trialward::model {
namespace {

bool is_digit(char c) { return '0' <= c && c <= '9'; }
bool is_letter(char c) { return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || ('a' <= c && c <= 'f') || ('A' <= c && c <= 'F'); }

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return true;
}

bool is_oid(std::string_view text) {
  if (text.size() < 3 || text[0] < '0' || text[0] > '2' || text[1] != '.') return false;
  std::size_t part = 0;  // digits of the part so far
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (part == 0) return false;
      part = 0;
    } else if (!is_digit(text[i]) || (part == 1 && text[i - 1] == '0')) {
      return false;
    } else {
      ++part;
    }
  }
  return part > 0;
}

// The scheme before the first ':', "" when there is none.
std::string_view scheme_of(std::string_view uri) {
  const std::size_t end = uri.find_first_of(":/?#");
  if (end == std::string_view::npos || uri[end] != ':' || end == 0) return "";
  const std::string_view scheme = uri.substr(0, end);
  const auto fits = [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  };
  return is_letter(scheme[0]) && std::all_of(scheme.begin(), scheme.end(), fits) ? scheme : "";
}

bool is_id(std::string_view text) {
  const auto fits = [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), fits);
}

bool is_type_name(std::string_view text) {
  return !text.empty() && 'A' <= text[0] && text[0] <= 'Z' &&
         std::all_of(text.begin(), text.end(), is_letter);
}

// The last Type/id of a path, history aside; the rest before it goes to `before`.
std::string_view type_in_path(std::string_view path, std::string_view& before) {
  if (const std::size_t history = path.find("/_history/"); history != std::string_view::npos) {
    if (!is_id(path.substr(history + 10))) return "";
    path = path.substr(0, history);
  }
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos || !is_id(path.substr(slash + 1))) return "";
  path = path.substr(0, slash);
  const std::size_t begin = path.rfind('/') + 1;  // npos + 1 is 0
  before = path.substr(0, begin);
  const std::string_view type = path.substr(begin);
  return is_type_name(type) ? type : "";
}

}  // namespace

bool is_uri(std::string_view text) {
  if (text.empty()) return false;
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%|";  // "|": a canonical's version
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool beyond_ascii = static_cast<unsigned char>(c) >= 0x80;
    if (!is_letter(c) && !is_digit(c) && !beyond_ascii &&
        kOthers.find(c) == std::string_view::npos) {
      return false;
    }
    if (c == '%' && (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2]))) {
      return false;
    }
  }
  const std::string_view scheme = scheme_of(text);
  if (scheme.empty()) return text.substr(0, text.find_first_of("/?#")).find(':') ==
                             std::string_view::npos;
  if (text.starts_with("urn:uuid:")) return is_uuid(text.substr(9));
  if (text.starts_with("urn:oid:")) return is_oid(text.substr(8));
  return scheme.size() > 1 && text.size() > scheme.size() + 1;
}

bool is_reference(std::string_view text) {
  if (text.starts_with('#')) return text.size() == 1 || is_id(text.substr(1));
  if (!is_uri(text)) return false;
  if (!scheme_of(text).empty()) return true;
  std::string_view before;
  return !type_in_path(text, before).empty() && before.empty();
}

std::string_view referenced_type(std::string_view text) {
  const std::string_view scheme = scheme_of(text);
  if (!scheme.empty() && !scheme.starts_with("http")) return "";
  std::string_view before;
  return type_in_path(text, before);
}

}  // namespace trialward::model
