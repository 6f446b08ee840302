#include "delivery/targets.h"

#include <arpa/inet.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>

#include "base/log.h"
#include "model/table_reader.h"

namespace trialward::delivery {

using base::Errc;
using base::Error;
using base::Result;
using model::DefinitionFaults;
using model::TableReader;

namespace {

// Nobody is told of a delivery by a delivery: that would never end.
constexpr std::string_view kDeliveredEvent = "delivered";

bool among(const std::vector<std::string>& list, std::string_view text) {
  return list.empty() || std::find(list.begin(), list.end(), text) != list.end();
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

// The host of SCHEME://HOST[:PORT][/…]; empty when it has another form.
std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view rest = url.substr(scheme + 3);
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (rest.find('@') != std::string_view::npos) return {};
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

bool is_own_machine(std::string_view host) {
  in_addr address{};
  const std::string text(host);
  if (inet_pton(AF_INET, text.c_str(), &address) == 1) return ntohl(address.s_addr) >> 24 == 127;
  return host == "localhost" || host == "::1";
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty()) lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// A file being read: its tables, and what is wrong with them.
class TargetsReading {
 public:
  TargetsReading(const SecretReader& secrets, const std::vector<std::string>& studies)
      : secrets_(secrets), studies_(studies) {}

  void read_delivery(TableReader& table) {
    read_backoff(table, "retry_first_s", "retry_longest_s", targets.retry);
    read_backoff(table, "breaker_first_s", "breaker_longest_s", targets.breaker);
    const double days = number(table, "keep_days", 30, 1, 3650);
    targets.keep = std::chrono::hours(static_cast<int>(days * 24));
    targets.proxy = table.text("proxy");
    if (!targets.proxy.empty() &&
        (!targets.proxy.starts_with("http://") || host_of(targets.proxy).empty())) {
      table.fault("proxy", "proxy must be http://HOST:PORT, without a user");
    }
    table.finish();
  }

  void read_target(TableReader& table) {
    Target target;
    target.name = table.id("name");
    if (!target.name.empty() && !is_name(target.name)) {
      table.fault("name", "name may have letters, digits, '-', '_' and '.' (at most 64)");
    }
    if (targets.find(target.name) != nullptr) {
      table.fault("name", "the target \"" + target.name + "\" is given twice");
    }
    const std::string kind = table.id("kind");
    if (kind == "email") {
      target.kind = TargetKind::email;
      read_email(table, target);
    } else if (kind == "webhook") {
      read_webhook(table, target);
    } else if (!kind.empty()) {
      table.fault("kind", "kind must be \"webhook\" or \"email\"");
    }
    read_wishes(table, target);
    target.ca_file = table.text("ca_file");
    target.timeout = std::chrono::duration_cast<base::Duration>(
        std::chrono::duration<double>(number(table, "timeout_s", 30, 1, 300)));
    target.in_flight_max = static_cast<std::size_t>(number(table, "in_flight", 4, 1, 64));
    if (kind == "email" || kind == "webhook") table.finish();
    targets.all.push_back(std::move(target));
  }

  void read_subscriptions(TableReader& table) {
    const bool plain = table.flag("plain_http").value_or(false);
    const std::vector<std::string> all = table.texts("endpoints");
    if (all.empty()) table.fault("endpoints", "endpoints must name at least one");
    if (all.size() > kEndpointsMax) {
      table.fault("endpoints", "there may be at most " + std::to_string(kEndpointsMax));
    }
    for (const std::string& url : all) {
      check_url(table, "endpoints", url, "https://", "http://", plain, "plain_http");
      if (targets.endpoints.allow(url)) continue;
      table.fault("endpoints", "\"" + url + "\" is no URL that can be allowed: https://HOST/PATH/, "
                               "without user, query, escapes and '..', its path with a '/' at its "
                               "end");
    }
    targets.endpoints_ca_file = table.text("ca_file");
    table.finish();
  }

  Targets targets;

 private:
  void read_webhook(TableReader& table, Target& target) {
    target.url = table.id("url");
    const bool plain = table.flag("plain_http").value_or(false);
    check_url(table, "url", target.url, "https://", "http://", plain, "plain_http");
    const std::string secret = secret_of(table, "secret", true);
    target.secrets = lines_of(secret);
    const char* key = table.has("secret_env") ? "secret_env" : "secret_file";
    if (secret.empty()) return;  // said already
    if (target.secrets.empty() || target.secrets.size() > kSecretsMax) {
      table.fault(key, "there must be one to " + std::to_string(kSecretsMax) +
                           " secrets, each on a line of its own");
    }
    for (const std::string& one : target.secrets) {
      if (one.size() >= kSecretBytesMin) continue;
      table.fault(key, "a secret must have at least " + std::to_string(kSecretBytesMin) +
                           " bytes; openssl rand -hex 32 makes one");
    }
  }

  void read_email(TableReader& table, Target& target) {
    target.url = table.id("server");
    target.starttls = table.flag("starttls").value_or(true);
    const bool plain = table.flag("plain_smtp").value_or(false) || target.starttls;
    check_url(table, "server", target.url, "smtps://", "smtp://", plain, "plain_smtp");
    target.user = table.text("user");
    if (!target.user.empty() || table.has("password_file") || table.has("password_env")) {
      const auto lines = lines_of(secret_of(table, "password", true));
      if (!lines.empty()) target.password = lines.front();
      if (target.user.empty()) table.fault("user", "a password needs its user");
    }
    target.from = table.id("from");
    target.to = table.texts("to");
    if (target.to.empty()) table.fault("to", "to must name at least one address");
    const auto check = [&](const char* key, const std::string& address) {
      const std::size_t at = address.find('@');
      if (at != std::string::npos && at > 0 && at + 1 < address.size() &&
          address.find_first_of(" <>()[],;:\\\"\t\r\n") == std::string::npos &&
          address.find('@', at + 1) == std::string::npos) {
        return;
      }
      table.fault(key, "\"" + address + "\" is not an address");
    };
    if (!target.from.empty()) check("from", target.from);
    for (const std::string& one : target.to) check("to", one);
  }

  void read_wishes(TableReader& table, Target& target) {
    target.studies = table.texts("studies");
    target.sites = table.texts("sites");
    target.severities = table.texts("severities");
    target.events = table.texts("events");
    if (target.kind == TargetKind::email && !table.has("events")) target.events = {"raised"};
    for (const std::string& study : target.studies) {
      if (!studies_.empty() && !among(studies_, study)) {
        table.fault("studies", "the study \"" + study + "\" is not served");
      }
    }
    for (const std::string& severity : target.severities) {
      if (severity != "info" && severity != "warning" && severity != "critical") {
        table.fault("severities", "severities are \"info\", \"warning\" and \"critical\"");
      }
    }
    for (const std::string& event : target.events) {
      if (is_name(event) && event != kDeliveredEvent) continue;
      table.fault("events", "\"" + event + "\" is no type of event that can be delivered");
    }
  }

  // `secure` or `open`, the latter only to this machine or when it is allowed.
  void check_url(TableReader& table, const char* key, const std::string& url,
                 std::string_view secure, std::string_view open, bool allowed,
                 const char* allowance) {
    if (url.empty()) return;  // said already
    const std::string_view host = host_of(url);
    if (!url.starts_with(secure) && !url.starts_with(open)) {
      table.fault(key, std::string(key) + " must begin with " + std::string(secure) + " or " +
                           std::string(open));
    } else if (host.empty() || url.find_first_of(" \t\r\n") != std::string::npos) {
      table.fault(key, std::string(key) + " must name a host, and no user");
    } else if (url.starts_with(open) && !allowed && !is_own_machine(host)) {
      table.fault(key, "without TLS everyone on the way reads the subjects' data; " +
                           std::string(allowance) + " = true allows it");
    }
  }

  std::string secret_of(TableReader& table, const std::string& what, bool needed) {
    const std::string file = what + "_file", env = what + "_env";
    SecretPlace place{.file = table.has(file), .name = table.text(file)};
    const std::string variable = table.text(env);
    if (table.has(file) && table.has(env)) {
      table.fault(env, "either " + file + " or " + env);
      return {};
    }
    if (!table.has(file)) place.name = variable;
    if (place.name.empty()) {
      if (needed) table.fault(table.has(env) ? env : file, file + " or " + env + " is needed");
      return {};
    }
    auto secret = secrets_(place);
    if (!secret || secret->empty()) {
      table.fault(place.file ? file : env,
                  secret ? place.name + " is empty" : secret.error().message);
      return {};
    }
    return std::move(*secret);
  }

  double number(TableReader& table, const char* key, double otherwise, double min, double max) {
    const double value = table.number(key).value_or(otherwise);
    if (value >= min && value <= max) return value;
    const auto whole = [](double bound) {
      std::string text = std::to_string(bound);
      text.erase(text.find_last_not_of('0') + 1);
      if (text.ends_with('.')) text.pop_back();
      return text;
    };
    table.fault(key, std::string(key) + " must be from " + whole(min) + " to " + whole(max));
    return otherwise;
  }

  void read_backoff(TableReader& table, const char* first, const char* longest,
                    runtime::BackoffOptions& backoff) {
    const auto duration = [](double s) {
      return std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(s));
    };
    backoff.initial = duration(number(table, first, base::in_seconds(backoff.initial), 0.01, 3600));
    backoff.max = duration(number(table, longest, base::in_seconds(backoff.max), 0.01, 3600));
    if (backoff.max >= backoff.initial) return;
    table.fault(longest, std::string(longest) + " is less than " + first);
    backoff.max = backoff.initial;
  }

  const SecretReader& secrets_;
  const std::vector<std::string>& studies_;
};

}  // namespace

bool Target::wants(std::string_view study, const model::AlertEvent& event) const {
  return among(studies, study) && among(sites, event.site) && among(severities, event.severity) &&
         among(events, model::to_string(event.type));
}

const Target* Targets::find(std::string_view name) const {
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Target& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> Targets::targets(std::string_view study,
                                          const model::AlertEvent& event) const {
  std::vector<std::string> names;
  if (model::to_string(event.type) == kDeliveredEvent) return names;
  if (!event.detail.targets.empty()) return event.detail.targets;
  for (const Target& target : all) {
    if (target.wants(study, event)) names.push_back(target.name);
  }
  return names;
}

Result<std::string> read_secret(const SecretPlace& place) {
  if (!place.file) {
    const char* value = std::getenv(place.name.c_str());
    if (value == nullptr) {
      return Error{Errc::invalid, "the environment has no " + place.name};
    }
    return std::string(value);
  }
  std::ifstream file(place.name, std::ios::binary);
  std::string text(kSecretBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad() || (file.fail() && !file.eof())) {
    return Error{Errc::invalid, place.name + " cannot be read"};
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > kSecretBytesMax) {
    return Error{Errc::invalid,
                 place.name + " has more than " + std::to_string(kSecretBytesMax) + " bytes"};
  }
  struct stat status {};
  if (::stat(place.name.c_str(), &status) == 0 && (status.st_mode & 0004) != 0) {
    base::log_warning("delivery: every user of this machine may read " + place.name);
  }
  return text;
}

Result<Targets, DefinitionFaults> read_targets(const model::DefinitionFile& file,
                                               const SecretReader& secrets,
                                               const std::vector<std::string>& studies) {
  DefinitionFaults faults;
  const auto parsed = model::parse_toml(file, faults);
  if (!parsed) return faults;
  TableReader root(*parsed, "the file", file.name, faults);
  TargetsReading reading(secrets, studies);
  if (auto table = root.table("delivery")) reading.read_delivery(*table);
  for (TableReader& table : root.tables("targets")) {
    if (reading.targets.all.size() == kTargetsMax) {
      table.fault("name", "there may be at most " + std::to_string(kTargetsMax) + " targets");
      break;
    }
    reading.read_target(table);
  }
  if (auto table = root.table("subscriptions")) reading.read_subscriptions(*table);
  root.finish();
  if (!faults.empty()) return faults;
  return std::move(reading.targets);
}

model::DefinitionFaults unknown_targets(const model::Escalation& escalation,
                                        const Targets& targets) {
  std::string known;
  for (const Target& target : targets.all) {
    known += (known.empty() ? "'" : ", '") + target.name + "'";
  }
  model::DefinitionFaults faults;
  for (std::size_t i = 0; i < escalation.ladders.size(); ++i) {
    const auto& tiers = escalation.ladders[i].tiers;
    for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
      for (const std::string& name : tiers[tier].targets) {
        if (targets.find(name) != nullptr) continue;
        faults.push_back({"escalation.toml", tiers[tier].line,
                          "tier " + std::to_string(tier + 1) + " of " +
                              std::string(model::to_string(static_cast<model::AlertSeverity>(i))) +
                              " alerts: there is no target '" + name + "'; the targets are " +
                              known});
      }
    }
  }
  return faults;
}

}  // namespace trialward::delivery
