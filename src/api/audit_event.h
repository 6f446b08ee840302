// Entries of the audit trail as FHIR has them: AuditEvents. What each action of the trail is in the
// words of FHIR and DICOM is one table, which searches use as well. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "store/audit_rows.h"

namespace trialward::api {

// What is said of an action of the trail: AuditEvent.type and .action, and the interaction, for
// what came as one ("create"), which is a second subtype beside the action itself.
struct AuditAct {
  std::string_view action;  // "record.stored"
  std::string_view system, code;
  std::string_view interaction;
  char act = 'E';
};
std::span<const AuditAct> audit_acts();

inline constexpr std::string_view kInteractionSystem = "http://hl7.org/fhir/restful-interaction";
inline constexpr std::string_view kAuditActionSystem = "urn:trialward:audit-action";

// What the entry is about, as its reader may see it.
struct AuditView {
  std::string store;      // its id
  std::string reference;  // "Observation/17/_history/2"; empty: it is no resource here
  bool show_reason = true;
};
std::string audit_event_of(const store::AuditRow& row, const AuditView& view);

}  // namespace trialward::api
