#include <simdjson.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>

#include "api/tokens_api.h"
#include "api/url.h"
#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/number_range.h"
#include "cli/store_flag.h"
#include "cli/study_folder.h"
#include "cli/token_list.h"
#include "store/store.h"
#include "store/study_rows.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr std::string_view kActor = "local-admin";

struct TokenOptions {
  std::string store, study, role;
  std::string name, site, subject, source;
  bool unblinded = false, list = false, json = false;
  int expires_days = 0;
  std::int64_t revoke = 0;
};

std::string wish_json(const TokenOptions& options) {
  base::JsonWriter json;
  json.begin_object()
      .member("role", options.role)
      .member_if("name", options.name)
      .member_if("site", options.site)
      .member_if("subject", options.subject)
      .member_if("source", options.source)
      .member("unblinded", options.unblinded);
  if (options.expires_days > 0) json.member("expires_days", options.expires_days);
  return json.end_object().take();
}

// A fault of the wish, as one of the flag that it came from.
Error wrong_flag(const model::Fault& fault) {
  const std::string flag = fault.path == "/expires_days" ? "expires" : fault.path.substr(1);
  return Error{Errc::invalid, "--" + flag + ": " + fault.reason};
}

// A server's refusal: of a flag, or for a reason of its own.
Error refusal(const TokenOptions& options, const ControlAnswer& answer) {
  const model::Fault fault = fault_of(answer);
  if (answer.status == 422 && fault.path.size() > 1) return wrong_flag(fault);
  if (answer.status == 400 || answer.status == 404) {
    const bool token = options.revoke != 0 && fault.reason.starts_with("there is no valid token");
    return Error{Errc::not_found, (token ? "--revoke: " : "--study: ") + fault.reason};
  }
  return Error{Errc::unavailable, fault.reason};
}

// What to print: on standard output, and before that on standard error.
struct Printed {
  std::string out, note;
};

Printed made(const std::string& token, std::int64_t id) {
  return {token + "\n", "token " + std::to_string(id) + " is made; --revoke " +
                             std::to_string(id) + " takes it back\n"};
}

Printed revoked() { return {"revoked\n", ""}; }

Result<Printed> listed(const TokenOptions& options, Result<std::string> lines) {
  if (!lines) return lines.error();
  if (!options.json) lines = token_table(*lines, base::SystemClock().utc_ms());
  if (!lines) return lines.error();
  return Printed{*lines, ""};
}

// Asks the server that holds the store.
Result<Printed> ask_server(const TokenOptions& options, const std::string& path) {
  auto client = ControlClient::open(path);
  if (!client) return client.error();
  const std::string tokens = "/v1/studies/" + api::percent_encode(options.study) + "/tokens";
  if (options.list) {
    auto answer =
        (*client)->send({.method = "GET", .path = tokens, .accept = "application/x-ndjson"});
    if (!answer) return answer.error();
    if (answer->status != 200) return refusal(options, *answer);
    return listed(options, std::move(answer->body));
  }
  if (options.revoke != 0) {
    auto answer = (*client)->send(
        {.method = "DELETE", .path = tokens + "/" + std::to_string(options.revoke)});
    if (!answer) return answer.error();
    if (answer->status != 204) return refusal(options, *answer);
    return revoked();
  }
  const std::string wish = wish_json(options);
  auto answer = (*client)->send({.path = tokens, .body = wish});
  if (!answer) return answer.error();
  if (answer->status != 201) return refusal(options, *answer);
  simdjson::dom::parser parser;
  simdjson::dom::element body;
  std::string_view token;
  std::int64_t id = 0;
  if (parser.parse(answer->body).get(body) != simdjson::SUCCESS ||
      body["token"].get(token) != simdjson::SUCCESS || body["id"].get(id) != simdjson::SUCCESS) {
    return Error{Errc::unavailable, "the server's answer cannot be read"};
  }
  return made(std::string(token), id);
}

// The newest definition of a study that the store holds.
Result<intake::ActiveStudy> stored_study(store::Connection& connection, const std::string& id) {
  auto definition = connection.integer(
      "SELECT d.id FROM definitions d JOIN studies s ON s.id = d.study WHERE s.study = $1 "
      "ORDER BY d.id DESC LIMIT 1",
      {std::string_view(id)});
  if (!definition) {
    if (definition.error().code != Errc::not_found) return definition.error();
    return Error{Errc::not_found,
                 "--study: the store has no study '" + id + "'; serve or import it first"};
  }
  auto files = store::read_definition(connection, *definition);
  if (!files) return files.error();
  auto study = load_stored_study(std::move(*files));
  if (!study) {
    return Error{Errc::corrupt,
                 "the stored definition of '" + id + "' has faults: " + study.error().message};
  }
  auto row = connection.integer("SELECT id FROM studies WHERE study = $1", {std::string_view(id)});
  if (!row) return row.error();
  study->row = *row;
  study->definition = *definition;
  return study;
}

// In a transaction of its own.
base::Status write(store::Writer& writer, const std::function<base::Status()>& change) {
  if (auto begun = writer.begin(); !begun) return begun;
  if (auto done = change(); !done) {
    writer.rollback();
    return done;
  }
  return writer.commit();
}

base::Status revoke_stored(const TokenOptions& options, store::Writer& writer, std::int64_t study,
                           store::Act act) {
  act.action = "token.revoked";
  const auto own = writer.connection().integer(
      "SELECT 1 FROM tokens WHERE id = $1 AND study = $2", {options.revoke, study});
  if (!own && own.error().code == Errc::not_found) {
    return Error{Errc::not_found, "--revoke: there is no token " +
                                      std::to_string(options.revoke) + " in this study"};
  }
  auto done =
      write(writer, [&] { return store::revoke_token(writer, options.revoke, act); });
  if (done || done.error().code != Errc::conflict) return done;
  return Error{Errc::conflict, "--revoke: " + done.error().message};
}

// Reads or writes a store that nobody holds.
Result<Printed> use_store(const TokenOptions& options, store::Store& store) {
  store::Writer& writer = store.writer();
  auto study = stored_study(writer.connection(), options.study);
  if (!study) return study.error();
  if (options.list) {
    return listed(options, stored_token_lines(writer.connection(), study->row));
  }
  store::Act act{.actor = kActor, .at_ms = base::SystemClock().utc_ms()};
  if (options.revoke != 0) {
    if (auto done = revoke_stored(options, writer, study->row, act); !done) return done.error();
    return revoked();
  }
  auto wish = api::parse_token_wish(wish_json(options), *study, act.at_ms);
  if (!wish) return wrong_flag(wish.error().front());
  store::TokenRow row = std::move(*wish);
  base::SystemRandom random;
  const std::string token = api::make_token(random, row);
  act.action = "token.created";
  auto done = write(writer, [&] { return store::append_token(writer, row, act); });
  if (!done) return done.error();
  return made(token, row.id);
}

int token(const TokenOptions& options) {
  auto path = locate_store(options.store);
  if (!path) return fail(kWrongUse, path.error().message);
  if (options.revoke == 0 && !options.list && options.role.empty()) {
    return fail(kWrongUse,
                "--role, --list or --revoke is needed; a role is one of " + api::role_list());
  }
  if (!may_be_there(*path)) {
    return fail(kWrongUse, "--store: there is no store at " + *path);
  }
  base::SystemRandom random;
  auto store = store::Store::open(*path, random);
  if (!store && store.error().code != Errc::refused) {
    return fail_to_open(*path, store.error());
  }
  const auto done = store ? use_store(options, **store) : ask_server(options, *path);
  if (!done) {
    const Errc code = done.error().code;
    const bool flag =
        code == Errc::invalid || code == Errc::not_found || code == Errc::conflict;
    return fail(flag ? kWrongUse : kFailure, done.error().message);
  }
  std::cerr << done->note;
  std::cout << done->out << std::flush;
  return std::cout ? kSuccess : kFailure;
}

}  // namespace

Run add_token(CLI::App& app) {
  auto options = std::make_shared<TokenOptions>();
  app.add_option("--store", options->store, kStoreHelp)->required();
  app.add_option("--study", options->study, "Id of the study that it is for")->required();
  auto* role = app.add_option("--role", options->role, "One of " + api::role_list());
  app.add_option("--name", options->name, "Who has it; stands in the audit trail");
  app.add_option("--site", options->site, "Only for this site");
  app.add_option("--subject", options->subject, "The patient's subject id");
  app.add_option("--source", options->source, "Only for records of this source");
  app.add_flag("--unblinded", options->unblinded, "May see treatment arms and exposures");
  app.add_option("--expires", options->expires_days, "Days that it is valid; for ever if absent")
      ->check(NumberRange(1, 3650));
  auto* revoke =
      app.add_option("--revoke", options->revoke, "Revoke the token with this number instead")
          ->check(NumberRange(std::int64_t{1}))
          ->excludes(role);
  auto* list = app.add_flag("--list", options->list, "List the study's tokens instead")
                   ->excludes(role)
                   ->excludes(revoke);
  app.add_flag("--json", options->json, "List them as lines of JSON")->needs(list);
  app.footer(
      "Prints the token alone, and its number, for --revoke, on standard error. The token is\n"
      "shown once: only its hash is stored.");
  return [options] { return token(*options); };
}

}  // namespace trialward::cli
