#include "records/outbox_check.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "records/row_name.h"
#include "store/outbox_rows.h"

namespace trialward::records {

using base::Errc;
using base::Result;
using base::Status;
using store::DeliveryState;

namespace {

constexpr std::int64_t kOutcomesPerPage = 2000;
constexpr std::int64_t kRowsPerPage = 500;

std::string name_of(std::int64_t event, std::string_view target) {
  return "delivery of alert event " + std::to_string(event) + " to " + quoted(target);
}

// A row of the outbox, with what other tables say of its event and attempts.
struct Row {
  std::int64_t id = 0, study = 0, event = 0, alert = 0, subject = 0, state = 0, created_ms = 0;
  std::int64_t attempts = 0, settled_ms = 0;
  bool settled = false, known = false;
  std::int64_t newest_attempt = 0;
  std::string target;

  std::string name() const { return name_of(event, target); }
};

// What the outcomes of one delivery say.
struct Outcomes {
  std::optional<std::int64_t> queued_ms;
  std::optional<DeliveryState> state;  // none: there are no outcomes
  std::int64_t settled_ms = 0, attempts = 0;
};

std::optional<DeliveryState> state_after(std::string_view outcome) {
  if (outcome == "queued" || outcome == "resent") return DeliveryState::pending;
  return store::parse_delivery_state(outcome);
}

Result<Outcomes> outcomes_of(store::Connection& reader, const Row& row) {
  auto rows = reader.query(
      "SELECT outcome, at_ms, attempts FROM delivery_outcomes "
      "WHERE alert = $1 AND event = $2 AND target = $3 AND study = $4 ORDER BY id",
      {row.alert, row.event, std::string_view(row.target), row.study});
  if (!rows) return rows.error();
  Outcomes found;
  while (true) {
    auto more = rows->next();
    if (!more) return more.error();
    if (!*more) return found;
    const auto state = state_after(rows->text(0));
    if (!state) return bad(row.name(), "there is no outcome " + quoted(rows->text(0)));
    if (rows->text(0) == "queued") found.queued_ms = rows->integer(1);
    found.state = state;
    found.settled_ms = rows->integer(1);
    found.attempts = rows->integer(2);
  }
}

Status check_row(store::Connection& reader, const Row& row, std::int64_t audited_from) {
  const auto wrong = [&](const char* what) { return bad(row.name(), what); };
  if (!row.known) return wrong("there is no such event of this study, alert and subject");
  auto outcomes = outcomes_of(reader, row);
  if (!outcomes) return outcomes.error();
  const bool audited = row.event >= audited_from;
  if (audited && !outcomes->queued_ms) return wrong("nobody has queued it");
  if (outcomes->queued_ms && *outcomes->queued_ms != row.created_ms) {
    return wrong("the outbox does not say when it was queued");
  }
  const DeliveryState state = outcomes->state.value_or(DeliveryState::pending);
  if (row.state != static_cast<std::int64_t>(state)) {
    const std::string is(to_string(state));
    return bad(row.name(), "it is " + is + ", the outbox says otherwise");
  }
  const bool settled = state != DeliveryState::pending;
  if (settled != row.settled || (settled && row.settled_ms != outcomes->settled_ms)) {
    return wrong("the outbox does not say when it was settled");
  }
  if (row.attempts != row.newest_attempt || row.attempts < outcomes->attempts) {
    return wrong("the outbox does not count its attempts");
  }
  return {};
}

}  // namespace

Result<bool> OutboxCheck::check_next() {
  if (auto done = reader_.execute("BEGIN"); !done) return done.error();
  auto more = check_page();
  auto ended = reader_.execute("COMMIT");
  if (more && !ended) return ended.error();
  return more;
}

Result<bool> OutboxCheck::check_page() {
  if (!begun_) {
    if (auto done = begin(); !done) return done.error();
    begun_ = true;
  }
  if (outcomes_ < outcomes_last_) {
    if (auto done = check_outcomes(); !done) return done.error();
    return true;
  }
  auto more = check_rows();
  if (!more || *more) return more;
  if (auto done = check_counts(); !done) return done.error();
  return false;
}

Status OutboxCheck::begin() {
  auto from = reader_.integer(
      "SELECT coalesce(min(event), $1) FROM delivery_outcomes WHERE outcome = 'queued'",
      {std::numeric_limits<std::int64_t>::max()});
  if (!from) return from.error();
  audited_from_ = *from;
  auto last = reader_.integer("SELECT coalesce(max(id), 0) FROM delivery_outcomes");
  if (!last) return last.error();
  outcomes_last_ = *last;
  return {};
}

// What is pending or dead by its last outcome has a row; nothing cleans these up.
Status OutboxCheck::check_outcomes() {
  const std::int64_t last = std::min(outcomes_ + kOutcomesPerPage, outcomes_last_);
  auto rows = reader_.query(
      "SELECT d.event, d.target FROM delivery_outcomes d WHERE d.id > $1 AND d.id <= $2 AND "
      "d.outcome IN ('queued', 'resent', 'dead') AND NOT EXISTS (SELECT 1 FROM delivery_outcomes n "
      "WHERE n.alert = d.alert AND n.event = d.event AND n.target = d.target AND n.id > d.id) AND "
      "NOT EXISTS (SELECT 1 FROM outbox o WHERE o.event = d.event AND o.target = d.target) "
      "ORDER BY d.id LIMIT 1",
      {outcomes_, last});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (*row) {
    return bad(name_of(rows->integer(0), rows->text(1)),
               "it was neither taken nor discarded, and is not in the outbox");
  }
  outcomes_ = last;
  return {};
}

Result<bool> OutboxCheck::check_rows() {
  const std::int64_t after = rows_begun_ ? row_ : std::numeric_limits<std::int64_t>::min();
  rows_begun_ = true;
  std::vector<Row> page;
  {
    auto rows = reader_.query(
        "SELECT o.id, o.study, o.event, o.alert, o.subject, o.target, o.state, o.created_ms, "
        "o.attempts, o.settled_ms, a.id IS NOT NULL, "
        "(SELECT coalesce(max(t.number), 0) FROM outbox_attempts t WHERE t.delivery = o.id) "
        "FROM outbox o LEFT JOIN alert_events e ON e.id = o.event AND e.study = o.study AND "
        "e.alert = o.alert LEFT JOIN alerts a ON a.id = e.alert AND a.subject = o.subject "
        "WHERE o.id > $1 ORDER BY o.id LIMIT $2",
        {after, kRowsPerPage});
    if (!rows) return rows.error();
    while (true) {
      auto more = rows->next();
      if (!more) return more.error();
      if (!*more) break;
      page.push_back({.id = rows->integer(0),
                      .study = rows->integer(1),
                      .event = rows->integer(2),
                      .alert = rows->integer(3),
                      .subject = rows->integer(4),
                      .state = rows->integer(6),
                      .created_ms = rows->integer(7),
                      .attempts = rows->integer(8),
                      .settled_ms = rows->integer(9),
                      .settled = !rows->null(9),
                      .known = rows->integer(10) != 0,
                      .newest_attempt = rows->integer(11),
                      .target = std::string(rows->text(5))});
    }
  }
  auto made = store::last_delivery(reader_);
  if (!made) return made.error();
  for (const Row& row : page) {
    if (auto done = check_row(reader_, row, audited_from_); !done) return done.error();
    // The order of the ids is that in which a subject's events are sent.
    if (row.id < 1 || row.id > *made || row.event < event_) {
      return bad(row.name(), "it has not its place in the outbox");
    }
    row_ = row.id;
    event_ = row.event;
  }
  return !page.empty();
}

Status OutboxCheck::check_counts() {
  auto stray = reader_.integer(
      "SELECT t.delivery FROM outbox_attempts t LEFT JOIN outbox o ON o.id = t.delivery "
      "WHERE o.id IS NULL LIMIT 1");
  if (stray) return bad("outbox_attempts of delivery " + std::to_string(*stray), "there is none");
  if (stray.error().code != Errc::not_found) return stray.error();
  auto rows = reader_.query(
      "SELECT target FROM (SELECT target, pending, dead FROM outbox_counts "
      "WHERE pending <> 0 OR dead <> 0 UNION ALL "
      "SELECT target, count(*) FILTER (WHERE state = 0), count(*) FILTER (WHERE state = 2) "
      "FROM outbox WHERE state IN (0, 2) GROUP BY target) counted GROUP BY target "
      "HAVING count(*) <> 2 OR min(pending) <> max(pending) OR min(dead) <> max(dead) LIMIT 1");
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return {};
  return bad("outbox_counts, target " + quoted(rows->text(0)), "it does not count the outbox");
}

}  // namespace trialward::records
