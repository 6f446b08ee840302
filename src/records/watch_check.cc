#include "records/watch_check.h"

#include <algorithm>
#include <exception>

#include "records/row_name.h"
#include "store/record_rows.h"
#include "store/study_rows.h"

namespace trialward::records {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using store::Table;

namespace {

Error wrong(const std::string& what) { return Error{Errc::corrupt, what}; }

std::string record(std::int64_t id) { return id == 0 ? "no record" : row_name(Table::records, id); }

}  // namespace

Result<bool> WatchCheck::check_next() {
  if (subject_ == std::ssize(last_records_)) return false;
  if (auto done = check_subject(subject_ + 1); !done) {
    return in_place("the state of " + row_name(Table::subjects, subject_ + 1), done.error());
  }
  ++subject_;
  return true;
}

Status WatchCheck::check_subject(std::int64_t subject) {
  auto state = read_state(subject);
  if (!state) return state.error();
  auto ids = read_ids(subject, state->last_record);
  if (!ids) return ids.error();
  return check_watch(subject, *state, *ids);
}

Result<WatchCheck::State> WatchCheck::read_state(std::int64_t subject) {
  auto rows = reader_.query(
      "SELECT t.last_record, w.as_of, w.rules, w.watch, d.study, d.rules, d.due_ms, "
      "(SELECT max(utc_ms) FROM subject_passes p WHERE p.subject = t.subject) "
      "FROM subject_states t LEFT JOIN subject_watches w ON w.subject = t.subject "
      "LEFT JOIN subject_dues d ON d.subject = t.subject WHERE t.subject = $1",
      {subject});
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  if (!*row) return wrong("it is missing");
  if (rows->null(1)) return wrong("its watch is missing");
  State state{rows->integer(0), rows->integer(1), std::string(rows->text(2)),
              std::string(rows->blob(3))};
  state.has_due = !rows->null(4);
  state.due_study = rows->integer(4);
  state.due_rules = std::string(rows->text(5));
  if (!rows->null(6)) state.due_ms = rows->integer(6);
  state.passed_ms = rows->integer(7);
  return state;
}

Result<std::vector<std::int64_t>> WatchCheck::read_ids(std::int64_t subject, std::int64_t newest) {
  const std::int64_t audited = last_records_[static_cast<std::size_t>(subject - 1)];
  const Error other = wrong("it says that " + record(newest) +
                            " is the subject's newest, but that is " + record(audited));
  std::vector<std::int64_t> ids;
  for (std::int64_t id = newest; id != 0;) {
    // Records behind the audit trail that was read come from a server that goes on writing.
    const bool newer = id > last_record_;
    if (!newer && (ids.empty() || ids.back() > last_record_) && id != audited) return other;
    auto rows =
        reader_.query("SELECT coalesce(previous, 0), subject FROM records WHERE id = $1", {id});
    if (!rows) return rows.error();
    auto row = rows->next();
    if (!row) return row.error();
    if (!*row || rows->integer(1) != subject || rows->integer(0) >= id) return other;
    ids.push_back(id);
    id = rows->integer(0);
  }
  if (audited != 0 && (ids.empty() || ids.back() > last_record_)) return other;
  return ids;
}

Status WatchCheck::check_watch(std::int64_t subject, const State& state,
                               const std::vector<std::int64_t>& ids) {
  if (std::ranges::find(ids, state.as_of) == ids.end()) {
    return wrong("it says that its watch saw " + record(state.as_of) +
                 ", which is none of the subject's");
  }
  auto rules = monitor(subject, state.rules);
  if (!rules) return rules.error();
  if (*rules == nullptr) {
    ++unknown_;
    return {};
  }
  auto watch = (*rules)->open({});
  if (!watch) return watch.error();
  for (auto id = ids.rbegin(); id != ids.rend() && *id <= state.as_of; ++id) {
    if (auto done = observe(**watch, *id); !done) return done;
  }
  if ((*watch)->save() != state.watch) {
    return wrong("its watch is not what the subject's records lead to");
  }
  ++watches_;
  return check_due(subject, state, ids, (*rules)->waits(), **watch);
}

Status WatchCheck::observe(model::Watch& watch, std::int64_t id) {
  auto row = store::read_record(reader_, id);
  if (!row) return row.error();
  if (!*row) return wrong(record(id) + " is missing");
  try {
    (void)watch.observe((*row)->stored);
  } catch (const std::exception&) {
    // As when it was stored: a rule that failed on a record has left the watch as it was.
  }
  return {};
}

Status WatchCheck::check_due(std::int64_t subject, const State& state,
                             const std::vector<std::int64_t>& ids, bool waits,
                             model::Watch& watch) {
  if (!state.has_due) {
    // Both are written together.
    return waits ? Status(wrong("when its rules will miss something is missing")) : Status();
  }
  const bool own = reader_.integer("SELECT 1 FROM subjects WHERE id = $1 AND study = $2",
                                   {subject, state.due_study})
                       .ok();
  if (!own) return wrong("what is due is said to be of another study");
  if (state.due_rules == state.rules) return check_due_ms(state, ids, state.as_of, watch);
  if (!waits) return {};  // from when there were rules that wait
  // Other rules found it when a server began to use them; the watch is saved under them later.
  auto rules = monitor(subject, state.due_rules);
  if (!rules || *rules == nullptr) return rules ? Status() : rules.error();
  auto other = (*rules)->open({});
  if (!other) return other.error();
  return check_due_ms(state, ids, 0, **other);
}

Status WatchCheck::check_due_ms(const State& state, const std::vector<std::int64_t>& ids,
                                std::int64_t as_of, model::Watch& watch) {
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) {
    if (*id <= as_of) continue;
    if (auto done = observe(watch, *id); !done) return done;
  }
  (void)watch.pass(state.passed_ms);
  if (watch.due_ms() == state.due_ms) return {};
  return wrong("what is due next is not what the subject's records lead to");
}

Result<std::shared_ptr<const model::Monitor>> WatchCheck::monitor(std::int64_t subject,
                                                                  const std::string& hash) {
  auto study = reader_.integer("SELECT study FROM subjects WHERE id = $1", {subject});
  if (!study) return study.error();
  Rules& rules = rules_[*study];
  while (true) {
    if (const auto known = rules.by_hash.find(hash); known != rules.by_hash.end()) {
      return known->second;
    }
    auto definition = reader_.integer(
        "SELECT id FROM definitions WHERE study = $1 AND id <= $2 ORDER BY id DESC LIMIT 1",
        {*study, rules.next_definition});
    if (!definition && definition.error().code != Errc::not_found) return definition.error();
    if (!definition) break;
    rules.next_definition = *definition - 1;
    auto files = store::read_definition(reader_, *definition);
    if (!files) return files.error();
    auto loaded = load_monitor_(std::move(*files));
    if (loaded) {
      rules.by_hash.emplace((*loaded)->hash(), *loaded);
    } else {
      rules.unloadable = true;
    }
  }
  if (rules.unloadable) return std::shared_ptr<const model::Monitor>();
  return wrong("it was saved under rules that no stored definition of the study has");
}

Status WatchCheck::check_stray() {
  auto stray = reader_.integer(
      "SELECT subject FROM (SELECT subject FROM subject_states UNION SELECT subject FROM "
      "subject_watches UNION SELECT subject FROM subject_dues) named WHERE subject < 1 OR "
      "subject > (SELECT coalesce(max(id), 0) FROM subjects) LIMIT 1");
  if (stray) return bad("the state of " + row_name(Table::subjects, *stray), "no such subject");
  if (stray.error().code != Errc::not_found) return stray.error();
  return {};
}

}  // namespace trialward::records
