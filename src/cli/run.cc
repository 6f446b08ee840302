#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <iostream>

#include "cli/command.h"
#include "cli/version.h"

namespace trialward::cli {

int fail(int code, std::string_view message) {
  std::cerr << "trialward: " << message << '\n';
  return code;
}

Run add_version(CLI::App&) {
  return [] {
    std::cout << "trialward " << version() << '\n';
    return kSuccess;
  };
}

namespace {

// What CLI11 says of a wrong use. An option that it does not know comes first: it would rather miss
// the one that was mistyped.
int fail_to_parse(const CLI::App& app, const CLI::ParseError& error, const std::string& command) {
  // Help and version are no errors; everything else is a wrong use.
  if (error.get_exit_code() == 0) return app.exit(error);
  const std::vector<std::string> unknown = app.remaining(true);
  if (unknown.empty()) return fail(kWrongUse, error.what());
  const auto option = std::find_if(unknown.begin(), unknown.end(),
                                   [](const std::string& one) { return one.starts_with('-'); });
  const std::string& named = option != unknown.end() ? *option : unknown.front();
  return fail(kWrongUse, "'" + named + "' was not expected; see trialward " +
                             (command.empty() ? "" : command + " ") + "--help");
}

}  // namespace

int run(int argc, char** argv) {
  // A peer that goes away is an error of one write, never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  // What is written is patients' data, or keys to it: for the user alone whom the program runs as.
  ::umask(077);

  CLI::App app("trialward takes in, stores and watches the data of clinical trials.", "trialward");
  app.set_version_flag("--version", std::string("trialward ") + version());
  app.require_subcommand(1);
  app.footer("'trialward COMMAND --help' tells the options of a command.");
  struct Command {
    const char* name;
    const char* description;
    Run (*add)(CLI::App&);
    CLI::App* app = nullptr;
    Run run;
  };
  Command commands[] = {
      {"serve", "Run the server", add_serve},
      {"import", "Store records from files: NDJSON or CDISC Dataset-JSON, plain or gzip",
       add_import},
      {"simulate", "Load a server with an invented trial at a fixed rate", add_simulate},
      {"check", "Check a study definition", add_check},
      {"token", "Make, list or revoke access tokens", add_token},
      {"deliveries", "List, resend or discard what is to be delivered of alerts",
       add_deliveries},
      {"verify", "Check that nothing stored was changed, removed or inserted", add_verify},
      {"explain", "Tell why an alert fired, or why a record raised none", add_explain},
      {"report", "Write a report: a table of adverse events, a site's indicators, …", add_report},
      {"schedule", "Tell what subjects are to do, have done and have missed", add_schedule},
      {"rehearse", "Tell what changed rules would have raised of the stored history", add_rehearse},
      {"questionnaire", "Check a FHIR Questionnaire, and a response against it",
       add_questionnaire},
      {"formulary", "Check a formulary, and tell what its plans cover", add_formulary},
      {"version", "Print the version", add_version},
  };
  for (Command& command : commands) {
    command.app = app.add_subcommand(command.name, command.description);
    command.run = command.add(*command.app);
  }
  const std::string chosen = argc > 1 && argv[1][0] != '-' ? argv[1] : "";
  if (!chosen.empty()) {
    const auto named = [&](const Command& one) { return chosen == one.name; };
    if (std::none_of(std::begin(commands), std::end(commands), named)) {
      return fail(kWrongUse, "'" + chosen + "' is no command; see trialward --help");
    }
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return fail_to_parse(app, error, chosen);
  }
  for (const Command& command : commands) {
    if (!command.app->parsed()) continue;
    const int code = command.run();
    // What was printed may not be there: the disk is full, or whoever read it has gone.
    if (code == kSuccess && command.add != add_serve && !std::cout.flush()) {
      return fail(kFailure, "the standard output cannot be written");
    }
    return code;
  }
  return kWrongUse;
}

}  // namespace trialward::cli
