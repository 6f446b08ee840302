#include <simdjson.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>

#include "api/url.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/delivery_list.h"
#include "cli/number_range.h"
#include "cli/store_flag.h"
#include "model/record.h"
#include "store/outbox_rows.h"
#include "store/store.h"

namespace trialward::cli {
namespace {

using base::Errc;
using base::Error;
using base::Result;

constexpr std::string_view kActor = "local-admin";
constexpr std::size_t kPage = 500;

struct DeliveriesOptions {
  std::string store, study;
  std::string status, target, reason;
  bool json = false, resend_dead = false;
  std::int64_t resend = 0, discard = 0;

  bool changes() const { return resend != 0 || discard != 0 || resend_dead; }
};

// Where deliveries are listed and changed: at the server that holds the store, or in it.
class Outbox {
 public:
  virtual ~Outbox() = default;
  // Every row, as a line of JSON.
  virtual Result<std::string> list(std::string_view status, std::string_view target) = 0;
  virtual base::Status change(std::int64_t delivery, store::DeliveryChange change,
                              const std::string& reason) = 0;
};

class ServersOutbox final : public Outbox {
 public:
  ServersOutbox(std::unique_ptr<ControlClient> client, const std::string& study)
      : client_(std::move(client)),
        path_("/v1/studies/" + api::percent_encode(study) + "/deliveries") {}

  Result<std::string> list(std::string_view status, std::string_view target) override {
    std::string path = path_;
    if (!status.empty()) path += "?status=" + api::percent_encode(status);
    if (!target.empty()) {
      path += (status.empty() ? "?target=" : "&target=") + api::percent_encode(target);
    }
    auto answer =
        client_->send({.method = "GET", .path = path, .accept = "application/x-ndjson"});
    if (!answer) return answer.error();
    if (answer->status != 200) return refusal(*answer);
    return std::move(answer->body);
  }

  base::Status change(std::int64_t delivery, store::DeliveryChange change,
                      const std::string& reason) override {
    base::JsonWriter json;
    json.begin_object().member("reason", reason).end_object();
    const char* verb = change == store::DeliveryChange::resend ? "/resend" : "/discard";
    auto answer =
        client_->send({.path = path_ + "/" + std::to_string(delivery) + verb, .body = json.text()});
    if (!answer) return answer.error();
    if (answer->status != 200) return refusal(*answer);
    return {};
  }

 private:
  static Error refusal(const ControlAnswer& answer) {
    const bool wrong = answer.status >= 400 && answer.status < 500 && answer.status != 429;
    return {wrong ? Errc::invalid : Errc::unavailable, reason_of(answer)};
  }

  const std::unique_ptr<ControlClient> client_;
  const std::string path_;
};

class StoredOutbox final : public Outbox {
 public:
  StoredOutbox(store::Store& store, std::int64_t study)
      : writer_(store.writer()), study_(study) {}

  Result<std::string> list(std::string_view status, std::string_view target) override {
    store::DeliveryPage page{.study = study_, .target = std::string(target), .limit = kPage};
    if (!status.empty()) page.state = store::parse_delivery_state(status);
    std::string lines;
    while (true) {
      auto rows = store::read_deliveries(writer_.connection(), page);
      if (!rows) return rows.error();
      for (const store::DeliveryRow& row : *rows) lines += store::to_json(row) + "\n";
      if (rows->size() < page.limit) return lines;
      page.after = rows->back().id;
    }
  }

  base::Status change(std::int64_t delivery, store::DeliveryChange change,
                      const std::string& reason) override {
    if (auto begun = writer_.begin(); !begun) return begun;
    const store::Act act{
        .actor = kActor, .reason = reason, .at_ms = base::SystemClock().utc_ms()};
    auto done = store::change_delivery(writer_, study_, "", delivery, change, act);
    if (done) return writer_.commit();
    writer_.rollback();
    return Error{Errc::invalid, done.error().message};
  }

 private:
  store::Writer& writer_;
  const std::int64_t study_;
};

Result<std::vector<std::int64_t>> ids_in(const std::string& lines) {
  std::vector<std::int64_t> ids;
  simdjson::dom::parser parser;
  std::istringstream in(lines);
  for (std::string line; std::getline(in, line);) {
    std::int64_t id = 0;
    if (parser.parse(line)["id"].get(id) != simdjson::SUCCESS) {
      return Error{Errc::unavailable, "the server's answer cannot be read"};
    }
    ids.push_back(id);
  }
  return ids;
}

Result<std::string> resend_dead(Outbox& outbox, const DeliveriesOptions& options) {
  auto lines = outbox.list("dead", options.target);
  if (!lines) return lines.error();
  auto ids = ids_in(*lines);
  if (!ids) return ids.error();
  for (const std::int64_t id : *ids) {
    auto done = outbox.change(id, store::DeliveryChange::resend, options.reason);
    if (!done) return done.error();
  }
  return std::to_string(ids->size()) + " resent\n";
}

Result<std::string> act(Outbox& outbox, const DeliveriesOptions& options) {
  if (options.resend_dead) return resend_dead(outbox, options);
  if (options.changes()) {
    const bool resend = options.resend != 0;
    auto done = outbox.change(resend ? options.resend : options.discard,
                              resend ? store::DeliveryChange::resend
                                     : store::DeliveryChange::discard,
                              options.reason);
    if (!done) return done.error();
    return std::string(resend ? "resent\n" : "discarded\n");
  }
  auto lines = outbox.list(options.status, options.target);
  if (!lines || options.json) return lines;
  return delivery_table(*lines);
}

Result<std::string> use_store(const DeliveriesOptions& options, store::Store& store) {
  auto study = store.writer().connection().integer("SELECT id FROM studies WHERE study = $1",
                                                   {std::string_view(options.study)});
  if (!study && study.error().code == Errc::not_found) {
    return Error{Errc::invalid, "--study: the store has no study '" + options.study + "'"};
  }
  if (!study) return study.error();
  StoredOutbox outbox(store, *study);
  return act(outbox, options);
}

Result<std::string> ask_server(const DeliveriesOptions& options, const std::string& path) {
  auto client = ControlClient::open(path);
  if (!client) return client.error();
  ServersOutbox outbox(std::move(*client), options.study);
  return act(outbox, options);
}

int deliveries(const DeliveriesOptions& options) {
  auto path = locate_store(options.store);
  if (!path) return fail(kWrongUse, path.error().message);
  if (options.changes() && options.reason.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(kWrongUse, "--reason is needed: it stands in the audit trail");
  }
  if (options.resend_dead && options.target.empty()) {
    return fail(kWrongUse, "--target: whose dead letters shall be resent?");
  }
  if (!may_be_there(*path)) {
    return fail(kWrongUse, "--store: there is no store at " + *path);
  }
  base::SystemRandom random;
  auto store = store::Store::open(*path, random);
  if (!store && store.error().code != Errc::refused) return fail_to_open(*path, store.error());
  const auto done = store ? use_store(options, **store) : ask_server(options, *path);
  if (!done) {
    return fail(done.error().code == Errc::invalid ? kWrongUse : kFailure, done.error().message);
  }
  std::cout << *done << std::flush;
  return std::cout ? kSuccess : kFailure;
}

}  // namespace

Run add_deliveries(CLI::App& app) {
  auto options = std::make_shared<DeliveriesOptions>();
  app.add_option("--store", options->store, kStoreHelp)->required();
  app.add_option("--study", options->study, "Id of the study")->required();
  auto* status = app.add_option("--status", options->status, "Only those in this state")
                     ->check(CLI::IsMember({"pending", "delivered", "dead", "discarded"}));
  app.add_option("--target", options->target, "Only those to this target");
  auto* json = app.add_flag("--json", options->json, "List them as lines of JSON");
  const auto number = NumberRange(std::int64_t{1});
  auto* resend = app.add_option("--resend", options->resend, "Send the one with this number again")
                     ->check(number)
                     ->excludes(status)
                     ->excludes(json);
  auto* discard =
      app.add_option("--discard", options->discard, "Give up the one with this number")
          ->check(number)
          ->excludes(status)
          ->excludes(json)
          ->excludes(resend);
  app.add_flag("--resend-dead", options->resend_dead, "Send all dead letters of a target again")
      ->excludes(status)
      ->excludes(json)
      ->excludes(resend)
      ->excludes(discard);
  app.add_option("--reason", options->reason, "Why; stands in the audit trail");
  app.footer(
      "Lists what is to be delivered of alerts to the targets of serve --targets. What a target\n"
      "refuses for good is dead, and waits for a person to resend or discard it.");
  return [options] { return deliveries(*options); };
}

}  // namespace trialward::cli
