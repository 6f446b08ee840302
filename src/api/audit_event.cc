#include "api/audit_event.h"

#include <algorithm>
#include <array>

#include "api/principal.h"
#include "base/json_writer.h"
#include "model/effective_time.h"

namespace trialward::api {
namespace {

constexpr std::string_view kRest = "http://terminology.hl7.org/CodeSystem/audit-event-type";
constexpr std::string_view kDicom = "http://dicom.nema.org/resources/ontology/DCM";
constexpr std::string_view kAuditType = "urn:trialward:audit";
constexpr std::string_view kEntityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
constexpr std::string_view kEntityRole = "http://terminology.hl7.org/CodeSystem/object-role";
constexpr std::string_view kTokenChanged = "110137";  // User Security Attributes Changed

constexpr std::array<AuditAct, 33> kAuditActs = {{
    {"study.added", kAuditType, "configuration", "", 'C'},
    {"definition.added", kAuditType, "configuration", "", 'C'},
    {"subject.enrolled", kAuditType, "enrolment", "", 'C'},
    {"subject.waited", kAuditType, "watch", "", 'E'},
    {"record.stored", kRest, "rest", "create", 'C'},
    {"record.corrected", kRest, "rest", "update", 'U'},
    {"alert.opened", kAuditType, "alert", "", 'C'},
    {"alert.detailed", kAuditType, "alert", "", 'U'},
    {"alert.raised", kAuditType, "alert", "", 'U'},
    {"alert.joined", kAuditType, "alert", "", 'U'},
    {"alert.acknowledged", kAuditType, "alert", "", 'U'},
    {"alert.delivered", kAuditType, "alert", "", 'U'},
    {"alert.escalated", kAuditType, "alert", "", 'U'},
    {"alert.assessed", kAuditType, "alert", "", 'U'},
    {"alert.closed", kAuditType, "alert", "", 'U'},
    {"alert.reopened", kAuditType, "alert", "", 'U'},
    {"alert.merged", kAuditType, "alert", "", 'U'},
    {"alert.stormed", kAuditType, "alert", "", 'U'},
    {"alert.revised", kAuditType, "alert", "", 'U'},
    {"delivery.queued", kAuditType, "delivery", "", 'E'},
    {"delivery.delivered", kAuditType, "delivery", "", 'E'},
    {"delivery.dead", kAuditType, "delivery", "", 'E'},
    {"delivery.resent", kAuditType, "delivery", "", 'E'},
    {"delivery.discarded", kAuditType, "delivery", "", 'E'},
    {"subscription.created", kAuditType, "subscription", "", 'C'},
    {"subscription.changed", kAuditType, "subscription", "", 'U'},
    {"subscription.deleted", kAuditType, "subscription", "", 'D'},
    {"appointment.proposed", kAuditType, "appointment", "", 'U'},
    {"appointment.booked", kAuditType, "appointment", "", 'U'},
    {"appointment.cancelled", kAuditType, "appointment", "", 'U'},
    {"appointment.refused", kAuditType, "appointment", "", 'U'},
    {"token.created", kDicom, kTokenChanged, "", 'C'},
    {"token.revoked", kDicom, kTokenChanged, "", 'D'},
}};
static_assert(kAuditActs.size() <= store::kAuditActionsMax);

void put_coding(base::JsonWriter& json, std::string_view system, std::string_view code) {
  json.begin_object().member("system", system).member("code", code).end_object();
}

void put_detail(base::JsonWriter& json, std::string_view type, std::string_view value) {
  if (value.empty()) return;
  json.begin_object().member("type", type).member("valueString", value).end_object();
}

void put_kind(base::JsonWriter& json, const AuditAct& act) {
  json.key("type");
  put_coding(json, act.system, act.code);
  json.key("subtype").begin_array();
  if (!act.interaction.empty()) put_coding(json, kInteractionSystem, act.interaction);
  put_coding(json, kAuditActionSystem, act.action);
  json.end_array().member("action", std::string_view(&act.act, 1));
}

// "feed:lab-3" is a token's name, behind its role; "monitor" is a part of this program.
void put_agent(base::JsonWriter& json, std::string_view actor) {
  const std::size_t colon = actor.find(':');
  const auto role = parse_role(actor.substr(0, colon));
  const bool asked = colon != std::string_view::npos && role.has_value();
  json.key("agent").begin_array().begin_object();
  if (asked) {
    json.key("role").begin_array().begin_object().key("coding").begin_array();
    put_coding(json, "urn:trialward:role", to_string(*role));
    json.end_array().end_object().end_array();
  }
  json.key("who").begin_object().member("display", actor).end_object();
  json.member("name", actor).member("requestor", asked).end_object().end_array();
}

// The place in the chain, by which `trialward verify` names an entry, and what it covers.
void put_object(base::JsonWriter& json, const store::AuditRow& row, const AuditView& view) {
  const bool token = row.table == "tokens" || row.table == "token_revocations";
  json.begin_object().key("what").begin_object().member_if("reference", view.reference);
  json.key("identifier").begin_object().member("system", "urn:trialward:" + row.table);
  json.member("value", std::to_string(row.object)).end_object().end_object();
  json.key("type");
  put_coding(json, kEntityType, "2");  // System Object
  json.key("role");
  put_coding(json, kEntityRole, token ? "13" : "4");  // Security Resource, Domain Resource
  json.member_if("name", row.name);
  json.key("detail").begin_array();
  put_detail(json, "seq", std::to_string(row.seq));
  put_detail(json, "shard", std::to_string(row.shard));
  put_detail(json, "position", std::to_string(row.position));
  put_detail(json, "hash", base::to_hex(row.hash));
  put_detail(json, "site", row.site);
  put_detail(json, "alert", row.alert != 0 ? std::to_string(row.alert) : std::string());
  put_detail(json, "rule", row.rule);
  put_detail(json, "role", row.role);
  json.end_array().end_object();
}

void put_patient(base::JsonWriter& json, std::string_view subject) {
  json.begin_object().key("what").begin_object();
  json.member("reference", "Patient/" + std::string(subject)).end_object();
  json.key("type");
  put_coding(json, kEntityType, "1");  // Person
  json.key("role");
  put_coding(json, kEntityRole, "1");  // Patient
  json.end_object();
}

}  // namespace

std::span<const AuditAct> audit_acts() { return kAuditActs; }

std::string audit_event_of(const store::AuditRow& row, const AuditView& view) {
  const auto known = std::find_if(kAuditActs.begin(), kAuditActs.end(),
                                  [&](const AuditAct& act) { return act.action == row.action; });
  // What a later trialward has written.
  const AuditAct other{row.action, kAuditType, "other"};
  const std::string_view reason = view.show_reason ? row.reason : std::string_view();
  base::JsonWriter json;
  json.begin_object().member("resourceType", "AuditEvent");
  json.member("id", std::to_string(row.seq));
  put_kind(json, known != kAuditActs.end() ? *known : other);
  json.member("recorded", model::format_utc(row.at_ms));
  // What failed is not in the trail, but that nobody took a delivery.
  const bool dead = row.action == "delivery.dead";
  json.member("outcome", dead ? "8" : "0");
  if (dead) {
    json.member_if("outcomeDesc", reason);
  } else if (!reason.empty()) {
    json.key("purposeOfEvent").begin_array().begin_object();
    json.member("text", reason).end_object().end_array();
  }
  put_agent(json, row.actor);
  json.key("source").begin_object().key("observer").begin_object().key("identifier");
  json.begin_object().member("system", "urn:trialward:store").member("value", view.store);
  json.end_object().member("display", "trialward").end_object().end_object();
  json.key("entity").begin_array();
  put_object(json, row, view);
  if (!row.subject.empty()) put_patient(json, row.subject);
  return json.end_array().end_object().take();
}

}  // namespace trialward::api
