// The targets that alerts are delivered to, read from a file of the server's operator: they name
// machines and secrets of a site, so they are no part of a study's definition.
//
//   [delivery]                  # all optional
//   retry_first_s = 1           # pause after a failure; doubles,
//   retry_longest_s = 60        # up to this, and goes on for ever
//   breaker_first_s = 1         # pause of a target that fails altogether; doubles,
//   breaker_longest_s = 30      # up to this
//   keep_days = 30              # how long delivered rows stay in the outbox
//   proxy = "http://HOST:PORT"  # for webhooks; without it none, whatever the environment says
//
//   [[targets]]
//   name = "safety-desk"        # in the outbox, in metrics; letters, digits, '-', '_', '.'
//   kind = "webhook"
//   url = "https://desk.example.org/hooks/trialward"
//   secret_file = "/etc/trialward/safety-desk.secret"   # or secret_env = "NAME"; a secret a line
//   plain_http = false          # http:// to another machine needs true
//
//   [[targets]]
//   name = "on-call"
//   kind = "email"
//   server = "smtp://mail.example.org:587"              # smtps:// for TLS from the first byte
//   starttls = true             # false: in the clear, to this machine alone or with plain_smtp
//   user = "trialward"
//   password_file = "/etc/trialward/mail.password"      # or password_env
//   from = "trialward@example.org"
//   to = ["on-call@example.org"]
//
//   [subscriptions]             # FHIR's; without this table there are none
//   endpoints = ["https://safety.example.org/fhir/"]    # where they may send: this and below it
//   plain_http = false          # http:// to another machine needs true
//   ca_file = "…"               # PEM, instead of the system's
//
//   # of both kinds of targets, optional; an empty list means all
//   studies, sites = []
//   severities = []             # "info", "warning", "critical"
//   events = []                 # types of events; of email: ["raised"] unless it says otherwise
//   ca_file = "…"               # PEM, instead of the system's
//   timeout_s = 30              # of one attempt, from 1 to 300
//   in_flight = 4               # attempts at once, from 1 to 64
//
// Immutable once read; any thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "delivery/endpoints.h"
#include "model/alert_routes.h"
#include "model/fault.h"
#include "model/study.h"
#include "runtime/backoff.h"

namespace trialward::delivery {

inline constexpr std::size_t kTargetsMax = 64;
inline constexpr std::size_t kSecretsMax = 4;        // of a webhook: old and new while they change
inline constexpr std::size_t kSecretBytesMin = 16;
inline constexpr std::size_t kSecretBytesMax = 4096;  // of all together

enum class TargetKind : std::uint8_t { webhook, email };

struct Target {
  std::string name;
  TargetKind kind = TargetKind::webhook;
  std::string url;                   // of the webhook, or of the mail server
  std::vector<std::string> secrets;  // of a webhook
  std::string user, password;        // of email
  bool starttls = true;
  std::string from;
  std::vector<std::string> to;
  std::vector<std::string> studies, sites, severities, events;  // empty: all
  std::string ca_file;
  base::Duration timeout = std::chrono::seconds(30);
  std::size_t in_flight_max = 4;

  bool wants(std::string_view study, const model::AlertEvent& event) const;
};

class Targets final : public model::AlertRoutes {
 public:
  std::vector<Target> all;
  runtime::BackoffOptions retry{std::chrono::seconds(1), std::chrono::seconds(60)};
  runtime::BackoffOptions breaker{std::chrono::seconds(1), std::chrono::seconds(30)};
  base::Duration keep = std::chrono::hours(24 * 30);
  std::string proxy;
  Endpoints endpoints;            // of subscriptions
  std::string endpoints_ca_file;

  // Null when there is none of this name.
  const Target* find(std::string_view name) const;
  std::vector<std::string> targets(std::string_view study,
                                   const model::AlertEvent& event) const override;
};

// The names in a study's escalation that are no targets, each with its line in escalation.toml.
model::DefinitionFaults unknown_targets(const model::Escalation& escalation,
                                        const Targets& targets);

// Where a secret is: in a file, or in the environment.
struct SecretPlace {
  bool file = false;
  std::string name;
};
using SecretReader = std::function<base::Result<std::string>(const SecretPlace&)>;
// Errors: invalid; the message names the place and never what is there.
base::Result<std::string> read_secret(const SecretPlace& place);

// Every fault found, with its line. `studies`: the ids that there are, to find one that is
// misspelt; empty: not checked.
base::Result<Targets, model::DefinitionFaults> read_targets(
    const model::DefinitionFile& file, const SecretReader& secrets,
    const std::vector<std::string>& studies);

}  // namespace trialward::delivery
