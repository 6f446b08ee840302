#include "api/formulary_api.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "api/answers.h"
#include "api/lists.h"
#include "model/effective_time.h"

namespace trialward::api {

using formulary::Snapshot;

// What is asked of one drug and one plan.
struct FormularyApi::Lookup {
  std::string code, ndc;  // one of them, as written
  std::string plan;
  int year = 0;  // 0: whichever
  formulary::RxCui rxcui = 0;
};

// One that waits or runs. Let go without an answer it is told that it was too late.
struct FormularyApi::Search {
  std::shared_ptr<http::Exchange> exchange;
  TokenSlots::Slot slot;

  Search(std::shared_ptr<http::Exchange> its_exchange, TokenSlots::Slot its_slot)
      : exchange(std::move(its_exchange)), slot(std::move(its_slot)) {}
  ~Search() { answer(busy_response("the search did not get its turn in time")); }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  void answer(http::Response response) {
    if (const auto its_exchange = std::exchange(exchange, nullptr)) {
      its_exchange->respond(std::move(response));
    }
  }
};

namespace {

constexpr std::size_t kPlanBytesMax = 64;

http::Response no_formulary() {
  return http::fault_response(503, "this server has no formulary: serve --formulary");
}

void put_flag(base::JsonWriter& json, std::string_view name, const std::optional<bool>& flag) {
  if (flag) json.member(name, *flag);
}

void put_terms(base::JsonWriter& json, const formulary::Terms& terms) {
  json.begin_object().member("tier", terms.tier);
  put_flag(json, "prior_authorization", terms.prior_authorization);
  put_flag(json, "step_therapy", terms.step_therapy);
  put_flag(json, "quantity_limit", terms.quantity_limit);
  json.key("years").begin_array();
  for (const std::uint16_t year : terms.years) json.value(int{year});
  json.end_array().end_object();
}

void put_drugs(base::JsonWriter& json, const std::vector<formulary::DrugCoverage>& drugs) {
  json.key("drugs").begin_array();
  for (const formulary::DrugCoverage& drug : drugs) {
    json.begin_object()
        .member("name", drug.name)
        .member("covered", !drug.terms.empty())
        .key("terms")
        .begin_array();
    for (const formulary::Terms& terms : drug.terms) put_terms(json, terms);
    json.end_array().end_object();
  }
  json.end_array();
}

// 0: none is asked for; -1: it is no year.
int year_in(std::string_view text) {
  if (text.empty()) return 0;
  const std::int64_t year = id_in(text);
  return year >= formulary::kFirstYear && year <= formulary::kLastYear ? static_cast<int>(year)
                                                                       : -1;
}

http::Response wrong_year() {
  return http::fault_response(400, "year is not a year from 2000 to 2199");
}

}  // namespace

base::Status FormularyApi::open(const FormularySetup& setup, base::Random& random,
                                runtime::TaskList& tasks) {
  if (setup.options.gather.places.empty()) return {};
  auto remote = http::OutboundClient::start(
      {.requests_max = 16, .in_flight_max = 2, .per_remote_max = 2, .mail_threads = 1}, tasks);
  if (!remote) return remote.error();
  remote_ = std::move(*remote);
  ndcs_ = setup.ndcs;
  formulary_ = std::make_unique<formulary::Formulary>(setup.options, remote_.get(), random, tasks);
  formulary_->load();
  searches_ = std::make_unique<runtime::JobPool>(
      runtime::JobPoolOptions{.name = "drug-search", .queued_max = kSearchesMax}, tasks);
  return {};
}

void FormularyApi::start() {
  if (formulary_ != nullptr) formulary_->start();
}

void FormularyApi::stop() {
  if (formulary_ == nullptr) return;
  formulary_->stop();
  remote_->stop();
  searches_->stop();
}

void FormularyApi::sample(Metrics::Sample& sample) const {
  if (formulary_ == nullptr) return;
  sample.formulary = formulary_->state();
  for (http::RemoteStats& stats : remote_->stats()) {
    const bool known = std::any_of(sample.remotes.begin(), sample.remotes.end(),
                                   [&](const auto& one) { return one.remote == stats.remote; });
    if (!known) sample.remotes.push_back(std::move(stats));
  }
}

std::string FormularyApi::resolve(Lookup& lookup) const {
  if (lookup.plan.empty() || lookup.plan.size() > kPlanBytesMax) {
    return "plan is missing or too long: the id of a plan";
  }
  if (lookup.ndc.empty()) {
    const auto code = formulary::parse_rxcui(lookup.code);
    if (!code) return "rxcui is not a code of RxNorm: 1 to 8 digits, without leading zeros";
    lookup.rxcui = *code;
    return {};
  }
  if (ndcs_ == nullptr) return "this server maps no NDC: serve --formulary-ndc";
  const auto ndc = formulary::parse_ndc(lookup.ndc);
  if (!ndc) return "ndc is not an NDC: 11 digits, or three parts with hyphens";
  lookup.rxcui = ndcs_->find(*ndc).value_or(0);
  return {};
}

void FormularyApi::put_list(base::JsonWriter& json, const Snapshot* now) const {
  json.key("list");
  if (now == nullptr) {
    json.null();
    return;
  }
  const std::int64_t confirmed = formulary_->confirmed_ms();
  const std::int64_t age = std::max<std::int64_t>(clock_.utc_ms() - confirmed, 0);
  json.begin_object()
      .member("version", now->version)
      .member("as_of", model::format_utc(confirmed))
      .member("taken_at", model::format_utc(now->fetched_ms))
      .member("staleness_s", age / 1000)
      .member("stale", age >= formulary_->stale_after_ms())
      .end_object();
}

void FormularyApi::put(base::JsonWriter& json, const Lookup& lookup, const Snapshot* now) const {
  if (!lookup.ndc.empty()) json.member("ndc", lookup.ndc);
  if (lookup.rxcui != 0) json.member("rxcui", std::to_string(lookup.rxcui));
  json.member("plan", lookup.plan);
  if (lookup.year != 0) json.member("year", lookup.year);
  formulary::Coverage found;
  if (now == nullptr) {
    found.reason = "there is no list yet";
  } else if (lookup.rxcui == 0) {
    found.reason = "the mapping does not have the NDC";
  } else {
    found = now->list.coverage(lookup.rxcui, lookup.plan, lookup.year);
  }
  json.member("status", to_string(found.status)).member_if("reason", found.reason);
  if (found.ambiguous) json.member("ambiguous", true);
  put_drugs(json, found.drugs);
}

http::Response FormularyApi::one(const Lookup& lookup) const {
  const auto now = formulary_->read();
  base::JsonWriter json;
  json.begin_object();
  put(json, lookup, now.get());
  put_list(json, now.get());
  return http::json_response(200, json.end_object().take());
}

http::Decision FormularyApi::by_code(const Call& call) const {
  if (formulary_ == nullptr) return no_formulary();
  Lookup lookup{.code = call.parameters.front(),
                .plan = std::string(call.query.get("plan")),
                .year = year_in(call.query.get("year"))};
  if (lookup.year < 0) return wrong_year();
  if (std::string fault = resolve(lookup); !fault.empty()) {
    // What the path names is not there.
    const bool of_path = !formulary::parse_rxcui(lookup.code);
    return http::fault_response(of_path ? 404 : 400, fault);
  }
  return answer_now([this, lookup = std::move(lookup)] { return one(lookup); });
}

http::Decision FormularyApi::by_ndc(const Call& call) const {
  if (formulary_ == nullptr) return no_formulary();
  Lookup lookup{.ndc = std::string(call.query.get("ndc")),
                .plan = std::string(call.query.get("plan")),
                .year = year_in(call.query.get("year"))};
  if (lookup.year < 0) return wrong_year();
  if (lookup.ndc.empty()) return http::fault_response(400, "ndc is missing");
  if (std::string fault = resolve(lookup); !fault.empty()) return http::fault_response(400, fault);
  return answer_now([this, lookup = std::move(lookup)] { return one(lookup); });
}

http::Response FormularyApi::found(const std::string& name, std::size_t limit) const {
  const auto now = formulary_->read();
  base::JsonWriter json;
  json.begin_object().key("medications").begin_array();
  formulary::Hits hits;
  if (now) {
    hits = now->names.search(now->list, name, limit);
    for (const formulary::Hit& hit : hits.best) {
      json.begin_object().member("rxcui", std::to_string(hit.code)).member("name", hit.name);
      if (hit.slips > 0) json.member("slips", hit.slips);
      json.end_object();
    }
  }
  json.end_array().member("complete", hits.complete);
  put_list(json, now.get());
  return http::json_response(200, json.end_object().take());
}

http::Decision FormularyApi::by_name(const Call& call) {
  if (formulary_ == nullptr) return no_formulary();
  constexpr auto kMost = static_cast<std::int64_t>(formulary::kHitsMax);
  const std::int64_t limit = number_in(call.query, "limit", kMost, kMost);
  if (limit <= 0) return http::fault_response(400, "limit is not a number from 1 to 50");
  const std::string name(call.query.get("name"));
  if (name.empty()) return http::fault_response(400, "name is missing");
  const auto serve = [this, name, limit, token = call.principal->token](
                         std::shared_ptr<http::Exchange> exchange) {
    TokenSlots::Slot slot = search_slots_.take(token);
    if (slot == nullptr) return exchange->respond(busy_response("too many searches wait"));
    const auto search = std::make_shared<Search>(std::move(exchange), std::move(slot));
    const auto job = searches_->submit(
        "search", clock_.now() + kSearchTimeout, [this, name, limit, search](const auto&) {
          search->answer(found(name, static_cast<std::size_t>(limit)));
          return base::Status();
        });
    if (!job) search->answer(busy_response("too many searches wait"));
  };
  return http::Accepted{.handler = serve};
}

// All of a batch is answered from one list.
http::Response FormularyApi::batch(const std::string& body) const {
  namespace dom = simdjson::dom;
  dom::parser parser;
  dom::element root;
  dom::array lookups;
  if (parser.parse(body).get(root)) return http::fault_response(400, "the body is not JSON");
  if (root["lookups"].get(lookups)) {
    return http::fault_response(422, "must be an array of objects", "/lookups");
  }
  if (lookups.size() > kLookupsMax) {
    return http::fault_response(422, "has more than 200 elements", "/lookups");
  }
  const auto now = formulary_->read();
  base::JsonWriter json;
  json.begin_object().key("answers").begin_array();
  std::size_t i = 0;
  for (dom::element one : lookups) {
    const std::string place = "/lookups/" + std::to_string(i++);
    Lookup lookup;
    std::string_view text;
    if (!one.is_object()) return http::fault_response(422, "must be an object", place);
    if (!one["rxcui"].get(text)) lookup.code = text;
    if (!one["ndc"].get(text)) lookup.ndc = text;
    if (!one["plan"].get(text)) lookup.plan = text;
    std::int64_t year = 0;
    dom::element member;
    if (!one["year"].get(member) &&
        (member.get(year) || year < formulary::kFirstYear || year > formulary::kLastYear)) {
      return http::fault_response(422, "must be a year from 2000 to 2199", place + "/year");
    }
    lookup.year = static_cast<int>(year);
    if (std::string fault = resolve(lookup); !fault.empty()) {
      return http::fault_response(422, fault, place);
    }
    json.begin_object();
    put(json, lookup, now.get());
    json.end_object();
  }
  json.end_array();
  put_list(json, now.get());
  return http::json_response(200, json.end_object().take());
}

std::vector<Route> FormularyApi::routes() {
  std::vector<Route> routes;
  routes.emplace_back(
      "GET", "/v1/medications/{rxcui}/coverage", Permission::holder,
      [this](const Call& call) { return by_code(call); }, Route::Members{"plan", "year"});
  routes.emplace_back(
      "GET", "/v1/medications/coverage", Permission::holder,
      [this](const Call& call) { return by_ndc(call); }, Route::Members{"ndc", "plan", "year"});
  routes.emplace_back(
      "GET", "/v1/medications", Permission::holder,
      [this](const Call& call) { return by_name(call); }, Route::Members{"name", "limit"});
  routes.emplace_back(
      "POST", "/v1/medications/coverage", Permission::holder,
      [this](const Call&) -> http::Decision {
        if (formulary_ == nullptr) return no_formulary();
        return http::Accepted{.body_bytes_max = kLookupBodyBytesMax,
                              .handler = [this](std::shared_ptr<http::Exchange> exchange) {
                                exchange->respond(batch(exchange->request().body));
                              }};
      },
      Route::Members{});
  return routes;
}

reports::TellCoverage FormularyApi::coverage() const {
  if (formulary_ == nullptr) return {};
  return [this](std::string_view code_text, std::string_view plan) -> std::string {
    const auto code = formulary::parse_rxcui(code_text);
    const auto now = formulary_->read();
    if (!code || !now) return {};
    const formulary::Coverage found = now->list.coverage(*code, plan, 0);
    std::string words(to_string(found.status));
    if (!found.reason.empty()) words += ": " + std::string(found.reason);
    for (const formulary::DrugCoverage& drug : found.drugs) {
      if (drug.terms.empty()) continue;
      words += "; " + std::string(drug.name);
      for (const formulary::Terms& terms : drug.terms) words += ", " + formulary::in_words(terms);
    }
    return words + " (list " + now->version + ", as of " +
           model::format_utc(formulary_->confirmed_ms()) + ")";
  };
}

std::string FormularyApi::state_json() const {
  base::JsonWriter json;
  json.begin_object().member("configured", formulary_ != nullptr);
  if (formulary_ == nullptr) return json.end_object().take();
  const formulary::FormularyState state = formulary_->state();
  const auto put_troubles = [&](const char* name, const formulary::Troubles& troubles) {
    json.key(name).begin_array();
    for (const auto& one : troubles.told) json.value(formulary::to_string(one));
    json.end_array();
  };
  if (state.has_list) {
    json.key("list")
        .begin_object()
        .member("version", state.version)
        .member("as_of", model::format_utc(state.confirmed_ms))
        .member("taken_at", model::format_utc(state.fetched_ms))
        .member("drugs", state.drugs)
        .member("codes", state.codes)
        .member("plans", state.plans)
        .member("bytes", state.bytes);
    if (state.elsewhere) json.member("of_other_places", true);
    put_troubles("notes", state.notes);
    json.end_object();
  }
  json.member("staleness_s", state.staleness_s)
      .member("refreshing", state.running)
      .member("refreshes", state.refreshes)
      .member("taken", state.taken)
      .member("unchanged", state.unchanged)
      .member("refused", state.refused);
  if (state.last_refusal) {
    json.key("refusal")
        .begin_object()
        .member("kind", to_string(state.last_refusal->kind))
        .member("reason", state.last_refusal->reason)
        .member("at", model::format_utc(state.last_refusal_ms));
    put_troubles("faults", state.last_refusal->faults);
    json.end_object();
  }
  if (state.alert_ms) json.member("alert_raised_since", model::format_utc(*state.alert_ms));
  return json.end_object().take();
}

}  // namespace trialward::api
