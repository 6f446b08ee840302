#include "store/postgres_url.h"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <memory>

namespace trialward::store {
namespace {

std::string value_of(const PostgresSettings& settings, std::string_view keyword) {
  for (const auto& [key, value] : settings) {
    if (key == keyword) return value;
  }
  return "";
}

std::string process_name() {
  char host[64] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '?';
  return std::string("trialward ") + host + " " + std::to_string(::getpid());
}

constexpr base::Duration kConnectMin = std::chrono::seconds(2);
constexpr base::Duration kConnectMax = std::chrono::seconds(60);

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

bool is_postgres_url(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

base::Result<PostgresSettings> parse_postgres_url(const std::string& url) {
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> parsed(
      PQconninfoParse(url.c_str(), &why), &PQconninfoFree);
  const std::unique_ptr<char, void (*)(void*)> words(why, &PQfreemem);
  if (parsed == nullptr) {
    std::string text = words != nullptr ? words.get() : "out of memory";
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return base::Error{base::Errc::invalid, text};
  }
  PostgresSettings settings;
  for (const PQconninfoOption* option = parsed.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings.emplace_back(option->keyword, option->val);
  }
  return settings;
}

std::string postgres_name(const PostgresSettings& settings) {
  std::string name = "postgresql://";
  if (const std::string user = value_of(settings, "user"); !user.empty()) name += user + "@";
  name += value_of(settings, "host");
  if (const std::string port = value_of(settings, "port"); !port.empty()) name += ":" + port;
  return name + "/" + value_of(settings, "dbname");
}

PostgresSettings with_defaults(PostgresSettings settings, const std::string& options) {
  const auto add = [&](std::string keyword, std::string value) {
    const bool given = std::any_of(settings.begin(), settings.end(),
                                   [&](const auto& one) { return one.first == keyword; });
    if (!given) settings.emplace_back(std::move(keyword), std::move(value));
  };
  add("connect_timeout", "5");  // of each host
  add("target_session_attrs", "read-write");
  // A server that is gone without a word is noticed, also by PQcancel.
  add("keepalives_idle", "10");
  add("keepalives_interval", "5");
  add("keepalives_count", "3");
  add("tcp_user_timeout", "15000");
  add("application_name", process_name());
  const std::string own = value_of(settings, "options");
  std::erase_if(settings, [](const auto& one) {
    return one.first == "options" || one.first == "client_encoding";
  });
  settings.emplace_back("options", own.empty() ? options : options + " " + own);
  settings.emplace_back("client_encoding", "UTF8");
  return settings;
}

std::vector<PostgresSettings> hosts_of(const PostgresSettings& settings) {
  std::size_t hosts = 1;
  for (const auto& [keyword, value] : settings) {
    if (keyword != "host" && keyword != "hostaddr") continue;
    hosts = std::max(hosts, split_list(value).size());
  }
  std::vector<PostgresSettings> each(hosts);
  for (const auto& [keyword, value] : settings) {
    std::vector<std::string> parts = {value};
    const bool of_host = keyword == "host" || keyword == "hostaddr" || keyword == "port";
    if (of_host) parts = split_list(value);
    if (parts.size() == 1 && (keyword == "port" || !of_host)) parts.resize(hosts, parts.front());
    if (parts.size() != hosts) return {settings};
    for (std::size_t i = 0; i < hosts; ++i) each[i].emplace_back(keyword, parts[i]);
  }
  return each;
}

base::Duration connect_max(const PostgresSettings& settings) {
  const std::string text = value_of(settings, "connect_timeout");
  int seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (seconds <= 0) return kConnectMax;
  return std::clamp<base::Duration>(std::chrono::seconds(seconds), kConnectMin, kConnectMax);
}

}  // namespace trialward::store
