// Who is told of an alert, and who is told next when nobody acknowledges it: escalation.toml, in
// the folder of a study definition. Without the file only those who follow the stream are told.
//
//   [[escalation]]  severity = "info" | "warning" | "critical": of these alerts, once each;
//                   tiers = [{ targets = ["safety-on-call"], after = "15 min" }, …]: at most 8;
//                   last = "repeats" (the default) | "stops"
//   [storm]         subjects = 5: one rule's alerts of so many subjects (2 to 100),
//   (optional)      within = "10 min", are one storm
//
// The first tier's targets are told when an alert is raised. Each tier has the time in `after` to
// acknowledge it; then the next is told. When the last tier's time is over, it is told again, and
// so on until somebody acknowledges; or, if it "stops", nobody is told any more. A target is a name
// (a role or a rota, not an address); what stands behind it is the server's configuration.
// A time is a number and s, min or h. Pure; a loaded Escalation is immutable.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/watch.h"

namespace trialward::model {

class TableReader;

inline constexpr std::size_t kAlertSeverities = 3;
inline constexpr std::size_t kTiersMax = 8;
inline constexpr std::size_t kTargetsMax = 16;  // of a tier
inline constexpr int kStormSubjectsMax = 100;

struct EscalationTier {
  std::vector<std::string> targets;
  std::int64_t after_ms = 0;
  int line = 0;  // of the targets, in the file
};

struct StormLimit {
  int subjects = 0;
  std::int64_t within_ms = 0;
};

struct Escalation {
  struct Ladder {
    std::vector<EscalationTier> tiers;
    bool repeats = true;
  };
  // The tier that comes after another; nothing when nobody does.
  struct Next {
    int tier = 0;  // from 1
    std::int64_t after_ms = 0;  // since the other was told
  };

  std::array<Ladder, kAlertSeverities> ladders;  // by AlertSeverity
  std::optional<StormLimit> storm;

  const Ladder& ladder(AlertSeverity severity) const {
    return ladders[static_cast<std::size_t>(severity)];
  }
  // Null for tier 0 and for severities without tiers; a tier beyond the last is the last.
  const EscalationTier* tier(AlertSeverity severity, int tier) const;
  // `told`: the tier that was told last, 0 for none: then the first comes at once.
  std::optional<Next> next(AlertSeverity severity, int told) const;
};

std::optional<AlertSeverity> parse_severity(std::string_view text);

// Reads all members of the file; what is wrong becomes a fault of the reader's.
Escalation read_escalation(TableReader& root);

}  // namespace trialward::model
