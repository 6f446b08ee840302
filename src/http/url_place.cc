#include "http/url_place.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace trialward::http {
namespace {

// Empty when the URL has no such part.
std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, curl_free);
  return text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return text;
}

}  // namespace

base::Result<UrlPlace> url_place(const std::string& url) {
  const auto invalid = [](const char* why) { return base::Error{base::Errc::invalid, why}; };
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), curl_url_cleanup);
  if (parsed == nullptr) return base::Error{base::Errc::unavailable, "libcurl has no memory"};
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return invalid("it is not a URL with a scheme and a host");
  }
  UrlPlace place{.scheme = lower(part(parsed.get(), CURLUPART_SCHEME)),
                 .host = lower(part(parsed.get(), CURLUPART_HOST))};
  if (place.scheme != "http" && place.scheme != "https" && place.scheme != "smtp" &&
      place.scheme != "smtps") {
    return invalid("its scheme is not http, https, smtp or smtps");
  }
  if (!part(parsed.get(), CURLUPART_USER).empty() ||
      !part(parsed.get(), CURLUPART_PASSWORD).empty()) {
    return invalid("it must not name a user");
  }
  if (place.host.empty()) return invalid("it has no host");
  if (place.host.front() == '[') place.host = place.host.substr(1, place.host.size() - 2);
  const std::string port = part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (error != std::errc() || end != port.data() + port.size() || place.port == 0) {
    return invalid("its port is not a number from 1 to 65535");
  }
  return place;
}

}  // namespace trialward::http
