#include "records/cache_check.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "model/alert.h"
#include "model/record.h"
#include "records/row_name.h"
#include "store/alert_states.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using store::Table;

namespace {

// The ids of "[1,2]".
std::optional<std::vector<std::int64_t>> parse_causes(std::string_view json) {
  if (!json.starts_with('[') || !json.ends_with(']')) return std::nullopt;
  std::vector<std::int64_t> ids;
  const char* at = json.data() + 1;
  const char* const end = json.data() + json.size() - 1;
  while (at < end) {
    std::int64_t id = 0;
    const auto [next, error] = std::from_chars(at, end, id);
    if (error != std::errc() || (next != end && *next != ',')) return std::nullopt;
    ids.push_back(id);
    at = next + 1;
  }
  return ids;
}

// What an alert's events say of it.
struct AlertSum {
  model::AlertLife life;
  std::map<std::int64_t, bool> causes;  // records, and whether they are none any more
};

// False when the event ends what is no cause, or brings back what has not ended.
bool take_causes(const model::AlertDetail& detail, std::map<std::int64_t, bool>& causes) {
  const auto turn = [&](const std::vector<std::int64_t>& records, bool ended) {
    return std::all_of(records.begin(), records.end(), [&](std::int64_t record) {
      const auto cause = causes.find(record);
      if (cause == causes.end() || cause->second == ended) return false;
      cause->second = ended;
      return true;
    });
  };
  return turn(detail.ended, true) && turn(detail.again, false);
}

Result<AlertSum> sum_up(store::Connection& reader, std::int64_t alert) {
  auto events = reader.query(
      "SELECT e.number, e.type, e.at_ms, e.causes, d.detail FROM alert_events e "
      "LEFT JOIN alert_details d ON d.event = e.id WHERE e.alert = $1 ORDER BY e.id",
      {alert});
  if (!events) return events.error();
  std::optional<model::AlertLife> life;
  AlertSum sum;
  while (true) {
    auto event = events->next();
    if (!event) return event.error();
    if (!*event) break;
    const auto wrong = [&](const std::string& what) {
      return Error{Errc::corrupt, "event " + std::to_string(events->integer(0)) + ": " + what};
    };
    const auto type = model::parse_alert_event_type(events->text(1));
    const auto detail = model::parse_alert_detail(events->text(4));
    if (!type) return wrong("there is no such type");
    if (!detail) return wrong(detail.error().message);
    if (auto done = model::take_event(life, *type, *detail, events->integer(2)); !done) {
      return wrong("it cannot come after those before it: " + done.error().message);
    }
    const auto causes = parse_causes(events->text(3));
    if (!causes) return wrong("its causes cannot be read");
    for (const std::int64_t cause : *causes) sum.causes.emplace(cause, false);
    if (!take_causes(*detail, sum.causes)) {
      return wrong("it ends what is no cause, or brings back one that is");
    }
  }
  if (!life) return Error{Errc::corrupt, "it has no event"};
  sum.life = *life;
  return sum;
}

Status check_causes(store::Connection& reader, std::int64_t alert,
                    const std::map<std::int64_t, bool>& causes) {
  auto rows = reader.query(
      "SELECT record, ended FROM alert_causes WHERE alert = $1 ORDER BY record", {alert});
  if (!rows) return rows.error();
  auto expected = causes.begin();
  while (true) {
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row && expected == causes.end()) return {};
    if (expected == causes.end() || (*row && rows->integer(0) < expected->first)) {
      return Error{Errc::corrupt, "alert_causes names record " + std::to_string(rows->integer(0)) +
                                      ", but no event of the alert does"};
    }
    if (!*row || rows->integer(0) > expected->first) {
      return Error{Errc::corrupt, "record " + std::to_string(expected->first) +
                                      " caused it, but is not in alert_causes"};
    }
    if (rows->integer(1) != (expected->second ? 1 : 0)) {
      return Error{Errc::corrupt, "alert_causes does not say of record " +
                                      std::to_string(expected->first) +
                                      " whether it is a cause still"};
    }
    ++expected;
  }
}

Status check_alert(store::Connection& reader, std::int64_t alert) {
  auto sum = sum_up(reader, alert);
  if (!sum) return sum.error();
  if (auto done = check_causes(reader, alert, sum->causes); !done) return done;
  auto life = store::read_alert_life(reader, alert);
  if (!life) return life.error();
  if (!*life) return Error{Errc::corrupt, "it is not in alert_states"};
  if (**life != sum->life) {
    return Error{Errc::corrupt, "alert_states does not say what its events lead to: " +
                                    std::string(model::to_string(sum->life.state))};
  }
  auto of = reader.integer(
      "SELECT count(*) FROM alerts a JOIN alert_states t ON t.alert = a.id AND "
      "t.study = a.study AND t.severity = a.severity WHERE a.id = $1",
      {alert});
  if (!of) return of.error();
  if (*of == 0) return Error{Errc::corrupt, "alert_states has it of another study or severity"};
  auto open = reader.integer(
      "SELECT count(*) FROM alerts a JOIN open_alerts o ON o.subject = a.subject AND "
      "o.rule = a.rule AND o.join_group = a.join_group AND o.alert = a.id AND "
      "o.historical = $1 WHERE a.id = $2",
      {std::int64_t{sum->life.historical}, alert});
  if (!open) return open.error();
  if (sum->life.takes_causes && *open == 0) {
    return Error{Errc::corrupt, "it is open, but is not in open_alerts"};
  }
  if (!sum->life.takes_causes && *open != 0) {
    return Error{Errc::corrupt, "it is acknowledged, but is in open_alerts"};
  }
  return {};
}

Status check_alert_page(store::Connection& reader, std::int64_t first, std::int64_t last) {
  for (std::int64_t alert = first; alert <= last; ++alert) {
    if (auto done = check_alert(reader, alert); !done) {
      return in_place(row_name(Table::alerts, alert), done.error());
    }
  }
  return {};
}

}  // namespace

Result<HeadRows> read_head_rows(store::Connection& reader) {
  HeadRows found;
  constexpr std::int64_t kRowsMax = model::kShards + 1;  // one more than there can be
  auto shards =
      reader.query("SELECT shard, position, hash FROM shards ORDER BY shard LIMIT $1", {kRowsMax});
  if (!shards) return shards.error();
  while (true) {
    auto row = shards->next();
    if (!row) return row.error();
    if (!*row) break;
    found.shards.emplace(shards->integer(0), HeadRows::End{.position = shards->integer(1),
                                                           .hash = std::string(shards->blob(2))});
  }
  auto heads = reader.query("SELECT study, number FROM alert_heads");
  if (!heads) return heads.error();
  while (true) {
    auto row = heads->next();
    if (!row) return row.error();
    if (!*row) return found;
    found.event_numbers.emplace(heads->integer(0), heads->integer(1));
  }
}

Status check_head_rows(const HeadRows& rows, const AuditScan& scan) {
  for (std::int64_t shard = 0; shard < model::kShards; ++shard) {
    const store::ChainHead& chain = scan.chains()[static_cast<std::size_t>(shard)];
    const auto stored = rows.shards.find(shard);
    const bool there = stored != rows.shards.end();
    if (!there && chain.position == 0) continue;
    if (!there || stored->second.position != chain.position ||
        stored->second.hash != base::as_bytes(chain.hash)) {
      return bad("the end of audit chain " + std::to_string(shard),
                 "shards does not say that it is position " + std::to_string(chain.position));
    }
  }
  for (const auto& [shard, stored] : rows.shards) {
    if (shard >= 0 && shard < model::kShards) continue;
    return bad("the end of audit chain " + std::to_string(shard), "there is no such chain");
  }
  for (const auto& [study, last] : scan.event_numbers()) {
    const auto stored = rows.event_numbers.find(study);
    if (stored != rows.event_numbers.end() && stored->second == last) continue;
    return bad("the last alert event of " + row_name(Table::studies, study),
               "alert_heads does not say that it is number " + std::to_string(last));
  }
  for (const auto& [study, last] : rows.event_numbers) {
    if (scan.event_numbers().contains(study)) continue;
    return bad(
        "the last alert event of " + row_name(Table::studies, study),
        "alert_heads says that it is number " + std::to_string(last) + ", but there is none");
  }
  return {};
}

Status check_alerts(store::Connection& reader, std::int64_t first, std::int64_t last) {
  if (auto begun = reader.execute("BEGIN"); !begun) return begun;
  Status done = check_alert_page(reader, first, last);
  if (auto ended = reader.execute("COMMIT"); !ended && done) done = ended;
  return done;
}

Status check_stray_alert_rows(store::Connection& reader) {
  {
    // Those of alerts that are there were compared with the alerts' events.
    auto cause = reader.query(
        "SELECT alert, record FROM alert_causes WHERE alert < 1 OR "
        "alert > (SELECT coalesce(max(id), 0) FROM alerts) LIMIT 1");
    if (!cause) return cause.error();
    auto row = cause->next();
    if (!row) return row.error();
    if (*row) {
      return bad("alert_causes, alert " + std::to_string(cause->integer(0)) + ", record " +
                     std::to_string(cause->integer(1)),
                 "there is no such alert");
    }
  }
  auto stray = reader.integer(
      "SELECT alert FROM alert_states WHERE alert < 1 OR "
      "alert > (SELECT coalesce(max(id), 0) FROM alerts) LIMIT 1");
  if (stray) return bad("alert_states, alert " + std::to_string(*stray), "there is no such alert");
  if (stray.error().code != Errc::not_found) return stray.error();
  auto open = reader.query(
      "SELECT o.alert, o.subject, o.rule FROM open_alerts o LEFT JOIN alerts a ON a.id = o.alert "
      "AND a.subject = o.subject AND a.rule = o.rule AND a.join_group = o.join_group "
      "LEFT JOIN alert_states t ON t.alert = o.alert AND t.historical = o.historical "
      "WHERE a.id IS NULL OR t.alert IS NULL LIMIT 1");
  if (!open) return open.error();
  auto row = open->next();
  if (!row) return row.error();
  if (!*row) return {};
  return bad("open_alerts, alert " + std::to_string(open->integer(0)),
             "it is not one of subject " + std::to_string(open->integer(1)) + ", rule " +
                 quoted(open->text(2)) + " and this group");
}

}  // namespace trialward::records
