#include "api/principal.h"

#include <array>
#include <initializer_list>

namespace trialward::api {
namespace {

constexpr std::array<std::string_view, kRoles> kRoleNames = {
    "patient", "coordinator", "investigator", "monitor", "safety", "feed", "admin",
    "invitation"};

constexpr std::array<std::string_view, 14> kPermissionNames = {
    "anyone",       "holder",       "write_records",     "read_records",
    "read_alerts",  "acknowledge_alerts", "close_alerts", "read_figures",
    "read_reports", "manage_tokens", "manage_deliveries", "invite_patients",
    "send_history", "read_audit"};

constexpr unsigned bit(Permission permission) { return 1U << static_cast<unsigned>(permission); }

constexpr unsigned set(std::initializer_list<Permission> permissions) {
  unsigned bits = bit(Permission::anyone) | bit(Permission::holder);
  for (const Permission permission : permissions) bits |= bit(permission);
  return bits;
}

using enum Permission;
constexpr std::array<unsigned, kRoles> kPermissions = {
    // patient
    set({write_records, read_records}),
    // coordinator
    set({write_records, read_records, read_alerts, read_figures, read_reports, invite_patients}),
    // investigator
    set({write_records, read_records, read_alerts, acknowledge_alerts, read_figures, read_reports,
         invite_patients, read_audit}),
    // monitor
    set({read_records, read_alerts, read_figures, read_reports, read_audit}),
    // safety
    set({read_records, read_alerts, acknowledge_alerts, close_alerts, read_figures, read_reports,
         manage_deliveries, read_audit}),
    // feed
    set({write_records, read_records}),
    // admin
    set({write_records, read_records, read_alerts, acknowledge_alerts, close_alerts, read_figures,
         read_reports, manage_tokens, manage_deliveries, invite_patients, send_history,
         read_audit}),
    // invitation
    set({}),
};

// Told of all sources' records alike.
constexpr unsigned kOfAllSources =
    bit(read_alerts) | bit(acknowledge_alerts) | bit(close_alerts) | bit(read_figures) |
    bit(read_reports) | bit(manage_deliveries);

}  // namespace

std::string_view to_string(Role role) { return kRoleNames[static_cast<std::size_t>(role)]; }

std::string_view to_string(Permission permission) {
  return kPermissionNames[static_cast<std::size_t>(permission)];
}

std::optional<Role> parse_role(std::string_view text) {
  for (std::size_t i = 0; i < kRoles; ++i) {
    if (kRoleNames[i] == text) return static_cast<Role>(i);
  }
  return std::nullopt;
}

std::string role_list() {
  std::string list;
  for (const std::string_view name : kRoleNames) {
    if (name == to_string(Role::invitation)) continue;
    if (!list.empty()) list += ", ";
    list += name;
  }
  return list;
}

std::string Principal::own_source() const {
  return source.empty() && !subject.empty() ? "patient:" + subject : source;
}

bool Principal::allows(Permission permission) const {
  if (reads_one_source() && (kOfAllSources & bit(permission)) != 0) return false;
  return (kPermissions[static_cast<std::size_t>(role)] & bit(permission)) != 0;
}

}  // namespace trialward::api
