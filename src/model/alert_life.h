// The life of an alert: which event may follow which, and what each makes of it. An alert's state
// is a function of its events, taken in one after the other; store/ keeps the result as a cache and
// records/ derives it again. Pure.
//
//   raised ──► delivered ──► acknowledged ──► assessed ──► closed
//     └──────────────────────────▲  │            │ ▲          ▲
//     ▲                             │            └─┘          │ merged: a duplicate
//     └── reopened ─────────────────┴────────────┴────────────┘
//
//   joined        while further records join it: until it is acknowledged for the first time
//   delivered     at any time; it makes a raised alert a delivered one
//   escalated     while it, or the storm that it leads, waits for somebody
//   acknowledged  a raised or delivered alert
//   assessed      an acknowledged alert; an assessed one again, the latest counts
//   closed        an assessed alert
//   reopened      an acknowledged, assessed or closed alert: it waits as if it were just raised
//   merged        an acknowledged or assessed alert: somebody has seen its values
//   stormed       at any time: it has become one of a storm
//   revised       at any time: the rule holds for it no longer, or again. Its state stays
//
// An alert waits for somebody to acknowledge it, by itself or as one of a storm, from when it is
// raised or reopened. A historical one waits for nobody until it is reopened, and one for which the
// rule holds no longer does not until it holds again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/alert_detail.h"

namespace trialward::model {

enum class AlertEventType : std::uint8_t {
  raised,
  joined,
  acknowledged,
  delivered,
  escalated,
  assessed,
  closed,
  reopened,
  merged,
  stormed,
  revised,
};
inline constexpr std::size_t kAlertEventTypes = 11;
std::string_view to_string(AlertEventType type);
std::optional<AlertEventType> parse_alert_event_type(std::string_view text);

enum class AlertState : std::uint8_t { raised, delivered, acknowledged, assessed, closed };
inline constexpr std::size_t kAlertStates = 5;
std::string_view to_string(AlertState state);
std::optional<AlertState> parse_alert_state(std::string_view text);

enum class AlertWait : std::uint8_t { none, alone, in_storm };

struct AlertLife {
  AlertState state = AlertState::raised;
  AlertWait waits = AlertWait::none;
  std::int64_t since_utc_ms = 0;  // the event since when its tier has not answered
  int tier = 0;                   // that was told last; 0: none
  bool holds = true;
  bool historical = false;
  bool takes_causes = true;
  std::int64_t storm = 0;         // by the alert that leads it; 0: none
  std::int64_t duplicate_of = 0;  // 0: none

  // Somebody still has to acknowledge it.
  bool open() const { return state == AlertState::raised || state == AlertState::delivered; }
  bool operator==(const AlertLife&) const = default;
};

// The alert's next event; the first makes a life. Errors: conflict, with what is allowed instead;
// `life` is then as before.
base::Status take_event(std::optional<AlertLife>& life, AlertEventType type,
                        const AlertDetail& detail, std::int64_t at_ms);

// What people may do with an alert in a state: "acknowledge", "assess, merge or reopen".
std::string allowed_acts(AlertState state);

}  // namespace trialward::model
