#include "tests/simulate/ledger.h"

#include <algorithm>
#include <tuple>

#include "store/alert_rows.h"
#include "store/record_rows.h"

namespace trialward::simulate {
namespace {

// Rules of the demonstration study that can be foreseen from one record alone.
struct Foreseen {
  std::string_view rule;
  bool per_subject;  // one open alert a subject, else one a record
  bool (*holds)(const model::Record& record);
};

bool is_number(const model::Record& record, model::Kind kind, std::string_view code) {
  return record.kind == kind && record.code == code && record.value.number.has_value();
}

constexpr Foreseen kForeseen[] = {
    {"alt-3xuln", true,
     [](const model::Record& record) {
       return is_number(record, model::Kind::lab, "ALT") && record.range.high &&
              *record.value.number >= 3 * *record.range.high;
     }},
    {"heart-rate-high", true,
     [](const model::Record& record) {
       return is_number(record, model::Kind::vital, "8867-4") && *record.value.number > 180;
     }},
    {"heart-rate-low", true,
     [](const model::Record& record) {
       return is_number(record, model::Kind::vital, "8867-4") && *record.value.number < 40;
     }},
    {"serious-ae", false,
     [](const model::Record& record) {
       return record.kind == model::Kind::adverse_event && record.serious.value_or(false);
     }},
    {"severe-ae", false,
     [](const model::Record& record) {
       return record.kind == model::Kind::adverse_event && record.severity == "SEVERE";
     }},
};

std::string name(const Key& key) { return key.first + "/" + key.second; }

// Follows the alerts of a store from event to event.
class AlertLives {
 public:
  // What is wrong with this one as the next.
  std::string next(const model::AlertEvent& event) {
    if (event.type == model::AlertEventType::escalated ||
        event.type == model::AlertEventType::stormed) {
      return {};  // at any time
    }
    const std::string alert = "P6: alert " + std::to_string(event.alert);
    State& state = states_[event.alert];
    if (event.type == model::AlertEventType::revised) {
      return state == State::unknown ? alert + " is revised before it is raised" : "";
    }
    if (state == State::acknowledged) return alert + " goes on after its acknowledgement";
    if ((state == State::unknown) != (event.type == model::AlertEventType::raised)) {
      return alert + " is not raised once, and first";
    }
    const bool acknowledged = event.type == model::AlertEventType::acknowledged;
    state = acknowledged ? State::acknowledged : State::open;
    for (const Foreseen& rule : kForeseen) {
      if (rule.rule != event.rule || !rule.per_subject) continue;
      // What is about the past has an alert of its own.
      std::int64_t& open = open_[{event.subject, event.rule, event.historical}];
      if (open != 0 && open != event.alert) {
        return alert + " is open beside " + std::to_string(open);
      }
      open = acknowledged ? 0 : event.alert;
    }
    for (const model::RecordName& cause : event.causes) {
      if (!causes_.insert({event.alert, cause.id}).second) {
        return alert + " has record " + std::to_string(cause.id) + " as a cause twice";
      }
    }
    return {};
  }

 private:
  enum class State { unknown, open, acknowledged };
  std::map<std::int64_t, State> states_;
  // (subject, rule, historical) → alert
  std::map<std::tuple<std::string, std::string, bool>, std::int64_t> open_;
  std::set<std::pair<std::int64_t, std::int64_t>> causes_;            // alert, record
};

}  // namespace

void Ledger::sent(const model::Record& record, const base::Digest& content) {
  records_[{record.source, record.source_id}].contents.insert(content);
}

std::string Ledger::acknowledged(const intake::AppendRecord& command,
                                 const intake::CommandResult& result) {
  const Key key{command.record.source, command.record.source_id};
  Known& known = records_.at(key);
  if (known.id) {
    if (*known.id != result.id) {
      return "P2: " + name(key) + " was acknowledged as " + std::to_string(*known.id) +
             " and now as " + std::to_string(result.id);
    }
    if (!result.repeated) return "P2: " + name(key) + " was stored twice";
    if (known.content != command.content) {
      return "P2: " + name(key) + " was acknowledged with two contents";
    }
    return {};
  }
  if (!result.repeated && result.id <= newest_id_) {
    return "P1: the id of " + name(key) + ", " + std::to_string(result.id) + ", is not a new one";
  }
  newest_id_ = std::max(newest_id_, result.id);
  known.id = result.id;
  known.content = command.content;
  acknowledged_.push_back({result.id, command});
  return {};
}

std::string Ledger::published(const model::AlertEvent& event) {
  const std::int64_t last = events_.empty() ? 0 : events_.rbegin()->first;
  if (event.number != last + 1) {
    return "P6: after alert event " + std::to_string(last) + " a subscriber got " +
           std::to_string(event.number);
  }
  learn(event);
  return {};
}

std::string Ledger::resume(store::Connection& reader, std::int64_t study) {
  constexpr std::size_t kPage = 200;
  while (true) {
    const std::int64_t last = events_.empty() ? 0 : events_.rbegin()->first;
    auto events = store::read_alert_events(reader, study, last, kPage);
    if (!events) return "reading failed: " + events.error().message;
    for (const model::AlertEvent& event : *events) {
      if (auto wrong = published(event); !wrong.empty()) return wrong;
    }
    if (events->size() < kPage) return {};
  }
}

void Ledger::learn(const model::AlertEvent& event) {
  events_.emplace(event.number, Event{event.alert, event.type});
  using enum model::AlertEventType;
  if (event.type == acknowledged) {
    alerts_open_.erase(event.alert);
  } else if (event.type == raised || event.type == joined) {
    alerts_open_[event.alert] = event.number;
  }
}

std::string Ledger::find(store::Connection& reader, std::int64_t study,
                         const intake::AppendRecord& command, std::int64_t id) const {
  const Key key{command.record.source, command.record.source_id};
  auto found = store::find_record(reader, study, key.first, key.second);
  if (!found) return "reading failed: " + found.error().message;
  if (!*found) return "P1: " + name(key) + " was acknowledged and is not in the store";
  if ((*found)->id != id || (*found)->content != command.content) {
    return "P1: " + name(key) + " was acknowledged as record " + std::to_string(id) +
           " and stored as " + std::to_string((*found)->id);
  }
  return {};
}

std::string Ledger::compare(store::Connection& reader, std::int64_t study) const {
  std::map<Key, std::int64_t> stored;
  Causes demanded;
  if (auto wrong = compare_records(reader, study, stored, demanded); !wrong.empty()) return wrong;
  for (const auto& [key, known] : records_) {
    if (!known.id) continue;
    const auto there = stored.find(key);
    if (there == stored.end()) return "P1: " + name(key) + " was acknowledged and is lost";
    if (there->second != *known.id) return "P1: " + name(key) + " has another id than was said";
  }
  for (const std::vector<Key>& group : groups_) {
    std::size_t there = 0;
    for (const Key& key : group) there += stored.count(key);
    if (there != 0 && there != group.size()) {
      return "P1: of the submission with " + name(group.front()) + " only a part is stored";
    }
  }
  return compare_events(reader, study, demanded);
}

std::string Ledger::compare_records(store::Connection& reader, std::int64_t study,
                                    std::map<Key, std::int64_t>& stored,
                                    Causes& demanded) const {
  store::RecordPage page{.study = study, .limit = 500};
  auto last = store::last_record(reader);
  if (!last) return "reading failed: " + last.error().message;
  page.until_id = *last;
  while (true) {
    auto rows = store::read_page(reader, page);
    if (!rows) return "reading failed: " + rows.error().message;
    for (const store::RecordRow& row : *rows) {
      const model::Record& record = row.stored.record;
      const Key key{record.source, record.source_id};
      if (!stored.emplace(key, row.stored.id).second) {
        return "P2: " + name(key) + " is stored twice";
      }
      const auto known = records_.find(key);
      if (known == records_.end()) return "P1: " + name(key) + " is stored and was never sent";
      if (!known->second.contents.contains(row.links.content)) {
        return "P1: " + name(key) + " is stored with a content that was never sent";
      }
      for (const Foreseen& rule : kForeseen) {
        if (rule.holds(record)) demanded[std::string(rule.rule)].insert(row.stored.id);
      }
      page.after_id = row.stored.id;
    }
    if (rows->size() < page.limit) return {};
  }
}

std::string Ledger::compare_events(store::Connection& reader, std::int64_t study,
                                   Causes& demanded) const {
  constexpr std::size_t kPage = 200;
  Causes named;
  AlertLives lives;
  std::int64_t number = 0;
  while (true) {
    auto events = store::read_alert_events(reader, study, number, kPage);
    if (!events) return "reading failed: " + events.error().message;
    for (const model::AlertEvent& event : *events) {
      if (event.number != ++number) {
        return "P6: after alert event " + std::to_string(number - 1) + " comes " +
               std::to_string(event.number);
      }
      const auto published = events_.find(number);
      if (published != events_.end() && published->second != Event{event.alert, event.type}) {
        return "P6: alert event " + std::to_string(number) + " is not what was published";
      }
      if (auto wrong = lives.next(event); !wrong.empty()) return wrong;
      for (const model::RecordName& cause : event.causes) {
        const bool is_new = named[event.rule].insert(cause.id).second;
        if (!is_new && demanded.contains(event.rule)) {
          return "P2: record " + std::to_string(cause.id) + " is a cause twice";
        }
      }
    }
    if (events->size() < kPage) break;
  }
  if (!events_.empty() && events_.rbegin()->first > number) {
    return "P1: alert event " + std::to_string(events_.rbegin()->first) +
           " was published and is lost";
  }
  for (const Foreseen& rule : kForeseen) {
    const std::set<std::int64_t> &wanted = demanded[std::string(rule.rule)],
                                 &found = named[std::string(rule.rule)];
    std::vector<std::int64_t> odd;
    std::set_symmetric_difference(wanted.begin(), wanted.end(), found.begin(), found.end(),
                                  std::back_inserter(odd));
    if (odd.empty()) continue;
    return "P1: record " + std::to_string(odd.front()) +
           (wanted.contains(odd.front()) ? " meets " : " does not meet ") +
           std::string(rule.rule) + ", and its alerts say otherwise";
  }
  return compare_outbox(reader);
}

std::string Ledger::compare_outbox(store::Connection& reader) const {
  struct Check {
    const char *sql, *wrong;
  };
  const Check checks[] = {
      {"SELECT count(*) FROM alert_events e JOIN alert_states t ON t.alert = e.alert "
       "WHERE t.historical = 0 AND NOT EXISTS (SELECT 1 FROM outbox o "
       "WHERE o.event = e.id AND o.alert = e.alert AND o.study = e.study AND o.target = 'desk')",
       " alert events are stored without their row in the outbox"},
      {"SELECT count(*) FROM outbox o JOIN alert_states t ON t.alert = o.alert "
       "WHERE t.historical <> 0",
       " rows of the outbox are about the past"},
      {"SELECT count(*) FROM outbox o WHERE NOT EXISTS (SELECT 1 FROM alert_events e "
       "WHERE e.id = o.event)",
       " rows of the outbox are of no alert event"},
  };
  for (const Check& check : checks) {
    const auto found = reader.integer(check.sql);
    if (!found) return "reading failed: " + found.error().message;
    if (*found != 0) return "P1: " + std::to_string(*found) + check.wrong;
  }
  return {};
}

}  // namespace trialward::simulate
