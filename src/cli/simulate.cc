#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "api/url.h"
#include "cli/command.h"
#include "cli/number_range.h"
#include "cli/simulate_alerts.h"
#include "cli/simulate_load.h"
#include "cli/simulate_report.h"
#include "cli/simulate_target.h"
#include "cli/stop_signal.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr base::Duration kAlertsMax = std::chrono::seconds(5);  // that the last alerts may take
constexpr base::Duration kOpsMax = std::chrono::seconds(5);

struct SimulateOptions {
  std::string to, study, token, alerts_token, ops;
  std::string rate = "100/s";
  double seconds = 10;
  std::uint64_t records = 0;
  std::size_t connections = 16;
  TrialOptions trial;
  double alerts_per_minute = 0;
  bool follow_alerts = false, ndjson = false, json = false, curve = false;
  bool responses = false, bundles = false;
  std::size_t lines = 2000, entries = 50;
};

// A token goes into a header: what could end the header is not let through.
base::Status check_token(const char* option, const std::string& token) {
  const bool printable =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (printable) return {};
  return Error{Errc::invalid, std::string(option) + ": a token has no blanks and only ASCII"};
}

// The load's options and, into options.trial, the share of alarming records.
Result<LoadOptions> load_options(SimulateOptions& options) {
  for (const auto& [name, token] :
       {std::pair("--token", options.token), std::pair("--alerts-token", options.alerts_token)}) {
    if (auto checked = check_token(name, token); !checked) return checked.error();
  }
  auto address = parse_base_url(options.to);
  if (!address) return Error{Errc::invalid, "--to: " + address.error().message};
  auto rate = parse_rate(options.rate);
  if (!rate) return Error{Errc::invalid, "--rate: " + rate.error().message};
  if (options.alerts_per_minute > 0) {
    if (!*rate) return Error{Errc::invalid, "--alerts-per-minute needs a --rate in records/s"};
    options.trial.alert_share = options.alerts_per_minute / 60 / **rate;
    if (options.trial.alert_share > 1) {
      return Error{Errc::invalid, "--alerts-per-minute: more alerts than --rate has records"};
    }
  }
  LoadOptions load{.address = *address,
                   .target = "/v1/studies/" + api::percent_encode(options.study) + "/records",
                   .token = options.token,
                   .connections = options.connections,
                   .records_per_s = *rate,
                   .seconds = options.seconds,
                   .records_max = options.records,
                   .curve = options.curve};
  if (options.ndjson) load.lines = options.lines;
  if (options.responses || options.bundles) {
    load.target = options.bundles ? "/fhir" : "/fhir/QuestionnaireResponse";
    load.lines = options.bundles ? options.entries : 0;
    load.sent_as = options.bundles ? SentAs::observations : SentAs::responses;
    options.trial.sent_as = load.sent_as;
  }
  return load;
}

// The server's operations listener, when --ops names it.
class Operations {
 public:
  static Result<std::unique_ptr<Operations>> start(const std::string& url, runtime::TaskList& tasks,
                                                   const base::Clock& clock) {
    auto address = parse_base_url(url);
    if (!address) return Error{Errc::invalid, "--ops: " + address.error().message};
    auto client = http::Client::start({.address = *address, .name = "sim-ops"}, tasks, clock);
    if (!client) return Error{Errc::invalid, "--ops: " + client.error().message};
    return std::unique_ptr<Operations>(new Operations(*address, std::move(*client)));
  }

  // The text at `path`. Errors: unavailable.
  Result<std::string> get(const std::string& path) {
    http::ClientAnswer answer = ask(*client_, http::request_bytes("GET", path, address_), kOpsMax);
    if (answer.status == 200) return std::move(answer.body);
    return Error{Errc::unavailable, "--ops: " + path + ": " + why_not(answer)};
  }

 private:
  Operations(http::HostPort address, std::unique_ptr<http::Client> client)
      : address_(std::move(address)), client_(std::move(client)) {}

  const http::HostPort address_;
  const std::unique_ptr<http::Client> client_;
};

// Everything that talks to the server.
Result<SimulateReport> run_load(const SimulateOptions& options, const LoadOptions& load_options,
                                Operations* operations, runtime::TaskList& tasks) {
  const base::Clock& clock = tasks.clock();
  InventedTrial trial(options.trial);
  std::unique_ptr<AlertWatch> watch;
  if (options.follow_alerts) {
    const std::string& token = options.alerts_token.empty() ? options.token : options.alerts_token;
    auto started = AlertWatch::start(
        {.address = load_options.address,
         .target = "/v1/studies/" + api::percent_encode(options.study) + "/alerts/stream",
         .token = token,
         .source = trial.source()},
        tasks, clock);
    if (!started) {
      return Error{started.error().code,
                   "the alert stream of " + options.to + ": " + started.error().message};
    }
    watch = std::move(*started);
  }
  auto load = Load::start(load_options, trial, watch.get(), tasks, clock);
  if (!load) return Error{Errc::invalid, "--to: " + load.error().message};
  if (auto taken = (*load)->try_one(); !taken) {
    return Error{taken.error().code, options.to + ": " + taken.error().message};
  }

  std::string before;
  if (operations != nullptr) {
    if (auto ready = operations->get("/readyz"); !ready) return ready.error();
    auto metrics = operations->get("/metrics");
    if (!metrics) return metrics.error();
    before = std::move(*metrics);
  }
  SimulateReport report{.options = load_options};
  report.load = (*load)->run(&StopSignal::requested);
  if (operations != nullptr) {
    if (auto after = operations->get("/metrics")) report.server = server_figures(before, *after);
  }
  if (watch != nullptr) {
    if (!report.load.interrupted) (void)watch->wait_for_all(clock.now() + kAlertsMax);
    report.alerts = watch->figures();
  }
  return report;
}

int simulate(SimulateOptions options) {
  const StopSignal stop;
  auto load = load_options(options);
  if (!load) return fail(kWrongUse, load.error().message);
  const base::SystemClock clock;
  runtime::TaskList tasks(clock);
  std::unique_ptr<Operations> operations;
  if (!options.ops.empty()) {
    auto started = Operations::start(options.ops, tasks, clock);
    if (!started) return fail(kWrongUse, started.error().message);
    operations = std::move(*started);
  }
  const auto report = run_load(options, *load, operations.get(), tasks);
  if (!report) {
    return fail(report.error().code == Errc::invalid ? kWrongUse : kFailure,
                report.error().message);
  }
  std::cout << (options.json ? report_json(*report) + "\n" : report_table(*report)) << std::flush;
  return report->load.acknowledged() > 0 ? kSuccess : kFailure;
}

// What is sent in place of native records.
void add_fhir_options(CLI::App& app, SimulateOptions& options,
                      std::initializer_list<CLI::Option*> excluded) {
  auto* responses = app.add_flag("--responses", options.responses,
                                 "Send FHIR responses to studies/demo's PHQ-9");
  auto* bundles = app.add_flag("--bundles", options.bundles,
                               "Send FHIR transactions, --entries Observations each")
                      ->excludes(responses);
  for (CLI::Option* one : excluded) {
    responses->excludes(one);
    bundles->excludes(one);
  }
  app.add_option("--entries", options.entries, "Observations in a transaction")
      ->check(NumberRange(1, 1000))
      ->needs(bundles)
      ->capture_default_str();
}

}  // namespace

Run add_simulate(CLI::App& app) {
  auto options = std::make_shared<SimulateOptions>();
  app.add_option("--to", options->to, "The server, http://HOST:PORT")->required();
  app.add_option("--study", options->study, "Id of the study, one like studies/demo")->required();
  app.add_option("--token", options->token, "Token that may write records")
      ->envname("TRIALWARD_TOKEN")
      ->required();
  app.add_option("--rate", options->rate,
                 "Records per second (500 or 500/s); max: as fast as answers come")
      ->capture_default_str();
  app.add_option("--seconds", options->seconds, "How long to send")
      ->check(NumberRange(0.1, 86400.0))
      ->capture_default_str();
  app.add_option("--records", options->records, "Stop after so many records, if --seconds let it")
      ->check(NumberRange(std::uint64_t{1}, std::uint64_t{1'000'000'000'000}));
  app.add_option("--connections", options->connections, "Connections; one request at a time each")
      ->check(NumberRange(1, 10000))
      ->capture_default_str();
  app.add_option("--subjects", options->trial.subjects, "How many subjects the trial has")
      ->check(NumberRange(std::uint64_t{1}, std::uint64_t{1'000'000'000}))
      ->capture_default_str();
  app.add_option("--subject-prefix", options->trial.subject_prefix,
                 "What a subject's id has before its number")
      ->capture_default_str();
  app.add_option("--seed", options->trial.seed,
                 "Equal seeds send equal records, from the source simulate-SEED")
      ->capture_default_str();
  auto* share = app.add_option("--alert-share", options->trial.alert_share,
                               "Share of records that break a rule (ALT of 3 x ULN or more)")
                    ->check(NumberRange(0.0, 1.0))
                    ->capture_default_str();
  app.add_option("--serious-share", options->trial.serious_share,
                 "Share of the others that are serious adverse events: they go by the safety lane")
      ->check(NumberRange(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--alerts-per-minute", options->alerts_per_minute, "The same as a rate")
      ->check(NumberRange(0.0, 1e6))
      ->excludes(share);
  auto* follow = app.add_flag("--follow-alerts", options->follow_alerts,
                              "Follow the alert stream and measure how long alerts take");
  app.add_option("--alerts-token", options->alerts_token,
                 "Token that may read alerts; --token if absent")
      ->envname("TRIALWARD_ALERTS_TOKEN");
  auto* ndjson = app.add_flag("--ndjson", options->ndjson, "Send NDJSON, --lines to a request")
                     ->excludes(follow);
  app.add_option("--lines", options->lines, "Records in an NDJSON request")
      ->check(NumberRange(1, 100000))
      ->needs(ndjson)
      ->capture_default_str();
  add_fhir_options(app, *options, {ndjson, follow});
  app.add_option("--ops", options->ops,
                 "The operations listener, http://HOST:PORT: reports the server's own figures");
  auto* json =
      app.add_flag("--json", options->json, "Report one line of JSON instead of a table");
  app.add_flag("--curve", options->curve,
               "Tell in it the p99 of the answers of each quarter of a second, for an hour at most")
      ->needs(json);
  app.footer(
      "Sends at a fixed rate whatever the server does, and counts latency from the moment at\n"
      "which a request was due, so a stall is charged for all that it kept waiting. One record\n"
      "is sent first, to see whether the server takes it. Ctrl-C ends the load with a report of\n"
      "what there is. A seed sent again stores nothing new: its records are answered 200.");
  return [options] { return simulate(*options); };
}

}  // namespace trialward::cli
