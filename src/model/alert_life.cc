#include "model/alert_life.h"

#include <array>

namespace trialward::model {
namespace {

using enum AlertEventType;
using base::Errc;
using base::Error;
using base::Status;

constexpr std::array<std::string_view, kAlertEventTypes> kEventTypes = {
    "raised", "joined",   "acknowledged", "delivered", "escalated", "assessed",
    "closed", "reopened", "merged",       "stormed",   "revised"};
constexpr std::array<std::string_view, kAlertStates> kStates = {"raised", "delivered",
                                                                "acknowledged", "assessed",
                                                                "closed"};

constexpr unsigned bit(AlertState state) { return 1U << static_cast<unsigned>(state); }
constexpr unsigned kOpen = bit(AlertState::raised) | bit(AlertState::delivered);
constexpr unsigned kTaken = bit(AlertState::acknowledged) | bit(AlertState::assessed);
constexpr unsigned kAny = kOpen | kTaken | bit(AlertState::closed);

// The states in which an event may come.
unsigned states_of(AlertEventType type) {
  switch (type) {
    case raised: return 0;
    case joined:
    case acknowledged: return kOpen;
    case assessed:
    case merged: return kTaken;
    case closed: return bit(AlertState::assessed);
    case reopened: return kTaken | bit(AlertState::closed);
    case delivered:
    case escalated:
    case stormed:
    case revised: return kAny;
  }
  return 0;
}

Error refusal(const AlertLife& life) {
  const bool duplicate = life.state == AlertState::closed && life.duplicate_of != 0;
  return {Errc::conflict,
          "it is " + std::string(to_string(life.state)) +
              (duplicate ? ", a duplicate of alert " + std::to_string(life.duplicate_of) : "") +
              "; allowed: " + allowed_acts(life.state)};
}

void begin_to_wait(AlertLife& life, AlertWait how, int tier, std::int64_t at_ms) {
  life.waits = how;
  life.tier = tier;
  life.since_utc_ms = at_ms;
}

AlertLife born(const AlertDetail& detail, std::int64_t at_ms) {
  AlertLife life{.historical = detail.historical, .storm = detail.storm};
  const bool in_storm = detail.storm != 0;
  if (!life.historical) {
    begin_to_wait(life, in_storm ? AlertWait::in_storm : AlertWait::alone, detail.tier, at_ms);
  }
  return life;
}

void join(AlertLife& life, const AlertDetail& detail, std::int64_t at_ms) {
  const bool wakes = !life.holds;
  life.holds = true;
  if (wakes && !life.historical) begin_to_wait(life, AlertWait::alone, detail.tier, at_ms);
}

void revise(AlertLife& life, const AlertDetail& detail, std::int64_t at_ms) {
  const bool before = life.holds;
  life.holds = *detail.holds;
  if (!life.holds) life.waits = AlertWait::none;
  if (life.holds && !before && life.open() && !life.historical) {
    begin_to_wait(life, AlertWait::alone, detail.tier, at_ms);
  }
}

// A storm's tier is the storm's, not its alerts'.
void escalate(AlertLife& life, const AlertDetail& detail, std::int64_t at_ms) {
  if (detail.storm != 0) return;
  life.tier = detail.tier;
  life.since_utc_ms = at_ms;
}

void settle(AlertLife& life, AlertState state) {
  life.state = state;
  life.waits = AlertWait::none;
  life.takes_causes = false;
}

void change(AlertLife& life, AlertEventType type, const AlertDetail& detail, std::int64_t at_ms) {
  switch (type) {
    case raised: return;
    case joined: return join(life, detail, at_ms);
    case delivered:
      if (life.state == AlertState::raised) life.state = AlertState::delivered;
      return;
    case escalated: return escalate(life, detail, at_ms);
    case acknowledged: return settle(life, AlertState::acknowledged);
    case assessed: return settle(life, AlertState::assessed);
    case closed: return settle(life, AlertState::closed);
    case merged:
      settle(life, AlertState::closed);
      life.duplicate_of = detail.duplicate_of;
      return;
    case reopened:
      life.state = AlertState::raised;
      life.duplicate_of = 0;
      life.historical = false;  // whoever reopens it wants it looked at
      if (life.holds) begin_to_wait(life, AlertWait::alone, detail.tier, at_ms);
      return;
    case stormed:
      life.storm = detail.storm;
      if (life.waits == AlertWait::alone) life.waits = AlertWait::in_storm;
      return;
    case revised: return revise(life, detail, at_ms);
  }
}

// What an event of the type must say.
bool complete(AlertEventType type, const AlertDetail& detail) {
  switch (type) {
    case assessed: return detail.assessment.has_value();
    case merged: return detail.duplicate_of != 0;
    case stormed: return detail.storm != 0;
    case revised: return detail.holds.has_value();
    default: return true;
  }
}

}  // namespace

std::string_view to_string(AlertEventType type) {
  return kEventTypes[static_cast<std::size_t>(type)];
}

std::optional<AlertEventType> parse_alert_event_type(std::string_view text) {
  for (std::size_t i = 0; i < kEventTypes.size(); ++i) {
    if (kEventTypes[i] == text) return static_cast<AlertEventType>(i);
  }
  return std::nullopt;
}

std::string_view to_string(AlertState state) { return kStates[static_cast<std::size_t>(state)]; }

std::optional<AlertState> parse_alert_state(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<AlertState>(i);
  }
  return std::nullopt;
}

std::string allowed_acts(AlertState state) {
  switch (state) {
    case AlertState::raised:
    case AlertState::delivered: return "acknowledge";
    case AlertState::acknowledged: return "assess, merge or reopen";
    case AlertState::assessed: return "assess again, close, merge or reopen";
    case AlertState::closed: return "reopen";
  }
  return "";
}

Status take_event(std::optional<AlertLife>& life, AlertEventType type, const AlertDetail& detail,
                  std::int64_t at_ms) {
  if (!complete(type, detail)) {
    return Error{Errc::conflict, "an event '" + std::string(to_string(type)) +
                                     "' does not say all that it must"};
  }
  if (!life) {
    if (type != raised) return Error{Errc::conflict, "it was not raised yet"};
    life = born(detail, at_ms);
    return {};
  }
  if ((states_of(type) & bit(life->state)) == 0) return refusal(*life);
  if (type == joined && !life->takes_causes) {
    return Error{Errc::conflict, "it takes no further records: it was acknowledged before"};
  }
  if (type == escalated && detail.storm == 0 && life->waits != AlertWait::alone) {
    return Error{Errc::conflict, "it does not wait for anybody by itself"};
  }
  change(*life, type, detail, at_ms);
  return {};
}

}  // namespace trialward::model
