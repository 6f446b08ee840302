#include "cli/simulate_target.h"

#include <future>
#include <memory>

#include "cli/control_client.h"
#include "cli/stop_signal.h"

namespace trialward::cli {
namespace {

constexpr std::chrono::milliseconds kAskLook(50);  // how often ask() looks for a signal
constexpr int kLooksAfterSignal = 4;

}  // namespace

base::Result<http::HostPort> parse_base_url(std::string_view url) {
  const auto wrong = [url](std::string_view why) {
    return base::Error{base::Errc::invalid, "\"" + std::string(url) + "\": " + std::string(why)};
  };
  constexpr std::string_view kScheme = "http://";
  if (url.starts_with("https://")) return wrong("TLS is not supported; use an http:// address");
  if (!url.starts_with(kScheme)) return wrong("expected http://HOST:PORT");
  std::string_view authority = url.substr(kScheme.size());
  if (authority.ends_with('/')) authority.remove_suffix(1);
  if (authority.empty()) return wrong("the host is missing (http://HOST:PORT)");
  if (authority.find_first_of("/?#") != std::string_view::npos) {
    return wrong("a path is not expected, only http://HOST:PORT");
  }
  const std::size_t colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && !authority.ends_with(']');
  return http::parse_host_port(std::string(authority) + (has_port ? "" : ":80"));
}

std::pair<std::string, std::string> bearer(const std::string& token) {
  return {"Authorization", "Bearer " + token};
}

http::ClientAnswer ask(http::Client& client, std::string request, base::Duration deadline) {
  // Shared, because a callback is copyable, and may come after the wait was given up.
  const auto promise = std::make_shared<std::promise<http::ClientAnswer>>();
  auto answer = promise->get_future();
  client.send(0, std::move(request), deadline,
              [promise](http::ClientAnswer given) { promise->set_value(std::move(given)); });
  for (int looks = 0; answer.wait_for(kAskLook) != std::future_status::ready;) {
    if (StopSignal::requested() && ++looks > kLooksAfterSignal) {
      return {.error = "stopped by a signal"};
    }
  }
  return answer.get();
}

std::string why_not(const http::ClientAnswer& answer) {
  if (answer.status == 0) return answer.error;
  return std::to_string(answer.status) + " " + std::string(http::reason_phrase(answer.status)) +
         ": " + reason_of({.status = answer.status, .body = answer.body});
}

}  // namespace trialward::cli
