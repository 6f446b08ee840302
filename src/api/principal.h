// Who asks, and what they may do. Deny by default: a role has the permissions listed in
// principal.cc and no others, and always within its study (and site, or subject).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trialward::api {

enum class Role : std::uint8_t {
  patient,       // reports and reads about one subject
  coordinator,   // enters and reads a site's data
  investigator,  // as a coordinator, and acknowledges and assesses alerts
  monitor,       // reads
  safety,        // reads, and does all that can be done with alerts and their deliveries
  feed,          // a device, laboratory or hospital: sends, and reads what is there
  admin,         // everything in the study but unblinding
  invitation,    // becomes a patient's, once (api/patient_api.h); never made by hand
};
inline constexpr std::size_t kRoles = 8;
std::string_view to_string(Role role);
std::optional<Role> parse_role(std::string_view text);
// "patient, coordinator, …" for messages: those that a token can be made with.
std::string role_list();

enum class Permission : std::uint8_t {
  anyone,  // no token
  holder,  // any valid token
  write_records,
  read_records,
  read_alerts,
  acknowledge_alerts,  // and assess them
  close_alerts,        // and reopen, and merge them
  read_figures,
  read_reports,
  manage_tokens,
  manage_deliveries,
  invite_patients,
  send_history,  // records because of which nobody is called
  read_audit,    // who did what, when and why
};
std::string_view to_string(Permission permission);

struct Principal {
  std::int64_t token = 0;  // its row; 0: whoever may open the control socket
  std::string name;        // for the audit trail: "feed:lab-3"
  Role role = Role::patient;
  std::int64_t study = 0;  // the study's row; 0: every study (control socket)
  std::string site;        // empty: every site
  std::string subject;     // of a patient
  std::string source;      // empty: any source
  bool unblinded = false;
  std::optional<std::int64_t> expires_ms;

  // A staff's token of one source does not read what is told of all sources' records.
  bool allows(Permission permission) const;
  bool reads_one_source() const { return subject.empty() && !source.empty(); }
  bool expired(std::int64_t now_ms) const { return expires_ms && *expires_ms <= now_ms; }
  // The only source whose records it may send and correct; empty: any. A patient's token that names
  // none has one of its own, or a patient could take the ids of a laboratory.
  std::string own_source() const;
  // Whether it may be told that what it sends is what is stored already, also of a blinded record.
  // A feed must be, as its retries may come with a new token; and the server's own machine.
  bool may_compare_blinded() const { return unblinded || role == Role::feed || token == 0; }
};

}  // namespace trialward::api
