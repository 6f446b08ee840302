#include "delivery/endpoints.h"

#include <algorithm>

namespace trialward::delivery {
namespace {

constexpr std::string_view kSecure = "https://", kPlain = "http://";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}

// A name, or an address in its usual form.
bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return false;
    host = host.substr(1, host.size() - 2);
    return std::all_of(host.begin(), host.end(), [](char c) { return is_word(c) || c == ':'; });
  }
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), is_word);
}

// Of a path: no "." or ".." between slashes, and nothing twice a reader might undo. What follows a
// ";" are parameters, which some readers take away first.
bool is_path(std::string_view path) {
  constexpr std::string_view kMarks = "/-._~!$'()*+,;=:@&";
  const bool plain = std::all_of(path.begin(), path.end(), [&](char c) {
    return is_word(c) || kMarks.find(c) != std::string_view::npos;
  });
  if (!plain) return false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view segment = path.substr(0, path.find('/'));
    const std::string_view name = segment.substr(0, segment.find(';'));
    if (name == "." || name == "..") return false;
    path.remove_prefix(segment.size());
  }
  return true;
}

bool is_query(std::string_view query) {
  return std::all_of(query.begin(), query.end(), [](char c) {
    return c > ' ' && c < 127 && std::string_view("\"#<>\\^`{|}").find(c) == std::string_view::npos;
  });
}

}  // namespace

std::optional<Endpoints::Place> Endpoints::parse(std::string_view url) {
  const bool secure = url.starts_with(kSecure);
  if (!secure && !url.starts_with(kPlain)) return std::nullopt;
  std::string_view rest = url.substr(secure ? kSecure.size() : kPlain.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  rest.remove_prefix(authority.size());
  const std::size_t colon =
      authority.ends_with(']') ? std::string_view::npos : authority.rfind(':');
  const std::string_view host = authority.substr(0, colon);
  std::string port = secure ? "443" : "80";
  if (colon != std::string_view::npos) port = authority.substr(colon + 1);
  const bool number = !port.empty() && port.size() <= 5 && port[0] != '0' &&
                      std::all_of(port.begin(), port.end(), is_digit);
  if (!is_host(host) || !number) return std::nullopt;
  const std::size_t query = rest.find('?');
  Place place{.path = std::string(rest.substr(0, query)),
              .has_query = query != std::string_view::npos};
  if (place.path.empty()) place.path = "/";
  if (!is_path(place.path)) return std::nullopt;
  if (place.has_query && !is_query(rest.substr(query + 1))) return std::nullopt;
  place.origin = std::string(secure ? kSecure : kPlain) + std::string(host) + ":" + port;
  for (char& c : place.origin) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return place;
}

bool Endpoints::allow(std::string_view url) {
  auto place = parse(url);
  if (!place || place->has_query || !place->path.ends_with('/')) return false;
  if (all_.size() == kEndpointsMax) return false;
  all_.push_back(std::move(*place));
  return true;
}

bool Endpoints::allows(std::string_view url) const {
  const auto place = parse(url);
  if (!place) return false;
  return std::any_of(all_.begin(), all_.end(), [&](const Place& allowed) {
    return allowed.origin == place->origin && place->path.starts_with(allowed.path);
  });
}

std::string Endpoints::remote_of(std::string_view url) {
  const auto place = parse(url);
  return place ? place->origin : std::string();
}

}  // namespace trialward::delivery
