#include "api/fhir_audit.h"

#include <algorithm>
#include <set>

#include "api/audit_event.h"
#include "api/fhir_answers.h"
#include "api/lists.h"
#include "api/resource_rows.h"
#include "api/searchset.h"
#include "fhir/search_text.h"
#include "model/effective_time.h"
#include "store/subject_rows.h"

namespace trialward::api {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using store::AuditRow;
using store::Table;

struct AuditQuery {
  store::AuditPage page;
  std::string patient;                           // empty: any
  std::string entity_type, entity_id;            // empty: any
  std::int64_t cursor_at = 0, cursor_until = 0;  // 0: the first page
  std::string query;                             // but for the cursor
};

class AuditQueryParser {
 public:
  explicit AuditQueryParser(const Call& call) : call_(call) {
    query_.page.study = call.study->row;
    query_.page.site = call.principal->site;
    query_.page.source = call.principal->source;
    query_.patient = call.principal->subject;
  }

  // The error says what is not understood.
  Result<AuditQuery> parse() {
    std::set<std::string_view> seen;
    for (const auto& [name, value] : call_.query.all()) {
      if (name != "date" && !seen.insert(name).second) return fault(name, "is given twice");
      if (name != "_cursor") {
        query_.query +=
            (query_.query.empty() ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
      }
      if (auto read = take(name, value); !read) return read.error();
    }
    for (std::size_t i = 0; narrowed_ && i < acts_.size(); ++i) {
      if (!query_.page.actions) query_.page.actions.emplace();
      (*query_.page.actions)[i] = acts_[i].action;
    }
    // Of no action at all: none has an empty name.
    if (narrowed_ && !query_.page.actions) query_.page.actions.emplace();
    return std::move(query_);
  }

 private:
  static Error fault(std::string_view name, const std::string& reason) {
    return {Errc::invalid, "parameter '" + std::string(name) + "' " + reason};
  }

  base::Status take(const std::string& name, const std::string& value) {
    if (name == "patient") return take_patient(value);
    if (name == "entity") return take_entity(value);
    if (name == "date") return take_date(value);
    if (name == "agent-name") return take_agent(value);
    if (name == "_count") {
      query_.page.limit = static_cast<std::size_t>(number_in(call_.query, name, 0, kPageMax));
      if (query_.page.limit == 0) return fault(name, "is not a number from 1 to 500");
    } else if (name == "_sort") {
      if (value != "date" && value != "-date") return fault(name, "is date or -date");
      query_.page.newest_first = value == "-date";
    } else if (name == "_cursor") {
      const std::size_t dot = std::min(value.find('.'), value.size());
      query_.cursor_at = id_in(value.substr(0, dot));
      query_.cursor_until = id_in(value.substr(std::min(dot + 1, value.size())));
      if (query_.cursor_at == 0 || query_.cursor_until == 0) {
        return fault(name, "comes from a page's next link, as it stands there");
      }
    } else {
      narrow(name, value);
    }
    return {};
  }

  base::Status take_patient(const std::string& value) {
    const std::string subject = std::string(fhir::subject_sought(value));
    if (subject.empty()) return fault("patient", "names a subject, as in \"Patient/S-1\"");
    // Whoever is shown one subject alone finds nothing of another.
    if (!query_.patient.empty() && query_.patient != subject) query_.page.study = 0;
    query_.patient = subject;
    return {};
  }

  base::Status take_entity(const std::string& value) {
    const std::size_t slash = value.find('/');
    if (slash == 0 || slash == std::string::npos || slash + 1 == value.size()) {
      return fault("entity", "names a resource, as in \"Observation/17\"");
    }
    query_.entity_type = value.substr(0, slash);
    query_.entity_id = value.substr(slash + 1, value.find('/', slash + 1) - slash - 1);
    if (query_.entity_type == "Patient") return take_patient(query_.entity_id);
    if (query_.entity_type != "DetectedIssue" && !fhir::parse_resource_type(query_.entity_type)) {
      return fault("entity", "is of a type that there is not");
    }
    return {};
  }

  base::Status take_date(const std::string& value) {
    const bool prefixed = value.size() > 2 && value[0] >= 'a' && value[0] <= 'z';
    const std::string prefix = prefixed ? value.substr(0, 2) : "eq";
    std::string text = value.substr(prefixed ? 2 : 0);
    // In a query an offset's '+' reads as a blank.
    std::replace(text.begin(), text.end(), ' ', '+');
    const auto moment = model::resolve_effective(text, "UTC");
    if (!moment) return fault("date", ": " + moment.error().message);
    std::int64_t& after = query_.page.after_ms;
    std::int64_t& until = query_.page.until_ms;
    const bool above = prefix == "gt" || prefix == "sa", below = prefix == "lt" || prefix == "eb";
    if (above) {
      after = std::max(after, moment->until_ms);
    } else if (below) {
      until = std::min(until, moment->from_ms);
    } else if (prefix == "eq" || prefix == "ge" || prefix == "le") {
      if (prefix != "le") after = std::max(after, moment->from_ms);
      if (prefix != "ge") until = std::min(until, moment->until_ms);
    } else {
      return fault("date", "has a prefix that is not one of eq, gt, lt, ge, le, sa, eb");
    }
    return {};
  }

  base::Status take_agent(const std::string& value) {
    if (value.empty()) return fault("agent-name", "is empty");
    query_.page.actor = value;
    for (char& c : query_.page.actor) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    return {};
  }

  // By what an action is: "create", "urn:trialward:audit-action|alert.closed", "C,U".
  void narrow(const std::string& name, const std::string& value) {
    if (!narrowed_) acts_.assign(audit_acts().begin(), audit_acts().end());
    narrowed_ = true;
    const std::vector<std::string> tokens = fhir::split_commas(value);
    std::erase_if(acts_, [&](const AuditAct& act) {
      return std::none_of(tokens.begin(), tokens.end(),
                          [&](std::string_view token) { return names(name, act, token); });
    });
  }

  static bool names(const std::string& name, const AuditAct& act, std::string_view token) {
    const std::size_t bar = token.find('|');
    const std::string_view code = token.substr(bar == std::string_view::npos ? 0 : bar + 1);
    const auto is = [&](std::string_view system, std::string_view own) {
      return !own.empty() && own == code &&
             (bar == std::string_view::npos || token.substr(0, bar) == system);
    };
    if (name == "type") return is(act.system, act.code);
    if (name == "subtype") {
      return is(kInteractionSystem, act.interaction) || is(kAuditActionSystem, act.action);
    }
    return is("http://hl7.org/fhir/audit-event-action", std::string_view(&act.act, 1));
  }

  const Call& call_;
  AuditQuery query_;
  std::vector<AuditAct> acts_;
  bool narrowed_ = false;
};

Result<std::string> store_id_of(store::Connection& connection) {
  auto rows = connection.query("SELECT value FROM meta WHERE key = 'store_id'");
  if (!rows) return rows.error();
  auto row = rows->next();
  if (!row) return row.error();
  return *row ? std::string(rows->text(0)) : std::string();
}

// What the entry is about, as the resource that it is, if it is one here.
base::Status look(store::Connection& connection, const AuditRow& row, bool unblinded,
                  AuditView& view) {
  view.reference.clear();
  view.show_reason = true;
  if (row.table == "subjects") view.reference = "Patient/" + row.subject;
  if (row.alert != 0) view.reference = "DetectedIssue/" + std::to_string(row.alert);
  if (row.table != "records") return {};
  auto record = store::read_record(connection, row.object);
  if (!record) return record.error();
  if (!*record) return Error{Errc::corrupt, "a record that the trail names is not there"};
  model::StoredRecord& stored = (*record)->stored;
  view.show_reason = unblinded || !model::tells_treatment(stored.record);
  if ((stored.flags & (model::kPart | model::kUnfit)) != 0) return {};
  if (stored.record.amends != 0) {
    auto first = store::first_version(connection, row.object);
    if (!first) return first.error();
    stored.first = *first;
  }
  const fhir::ResourceType type = fhir::type_of(stored);
  view.reference = location_of({.type = std::string(fhir::to_string(type)),
                                .id = fhir::id_of(stored, type),
                                .version = stored.version});
  return {};
}

// The entries about a resource or an alert, by their numbers in the trail.
Result<std::vector<std::int64_t>> entries_of(store::Connection& connection, const AuditQuery& query,
                                             const Principal& principal) {
  std::vector<store::AuditedRow> about;
  if (query.entity_type == "DetectedIssue") {
    const std::int64_t alert = id_in(query.entity_id);
    auto rows = store::audited_of_alert(connection, alert, kAuditedMax + 1);
    if (!rows) return rows.error();
    if (rows->size() > kAuditedMax) {
      return base::invalid("the alert has more than " + std::to_string(kAuditedMax) +
                           " entries: search by patient and date");
    }
    about = std::move(*rows);
  } else {
    auto versions = read_versions(
        connection,
        {query.page.study, *fhir::parse_resource_type(query.entity_type), query.entity_id},
        principal);
    if (!versions) return versions.error();
    for (const store::RecordRow& row : *versions) {
      about.push_back({Table::records, row.stored.id});
    }
  }
  std::vector<std::int64_t> entries;
  for (const store::AuditedRow& row : about) {
    auto seq = store::audit_of(connection, row.table, row.id);
    if (!seq) return seq.error();
    if (*seq) entries.push_back(**seq);
  }
  std::sort(entries.begin(), entries.end());
  if (query.page.newest_first) std::reverse(entries.begin(), entries.end());
  return entries;
}

struct AuditFound {
  std::vector<AuditRow> rows;
  std::string cursor;  // empty: this is all
};

// The page's part of given entries, each read by its number.
Result<AuditFound> pick(store::Connection& connection, AuditQuery query, std::int64_t until,
                        const std::vector<std::int64_t>& entries) {
  AuditFound found;
  const std::size_t wanted = query.page.limit;
  const bool down = query.page.newest_first;
  for (const std::int64_t seq : entries) {
    if (seq > until) continue;
    const bool before = down ? seq > query.cursor_at : seq < query.cursor_at;
    if (query.cursor_at != 0 && before) continue;
    if (found.rows.size() == wanted) {
      found.cursor = std::to_string(seq) + "." + std::to_string(until);
      break;
    }
    query.page.from = query.page.until = seq;
    auto rows = store::read_audit(connection, query.page);
    if (!rows) return rows.error();
    for (AuditRow& row : *rows) found.rows.push_back(std::move(row));
  }
  return found;
}

Result<AuditFound> walk(store::Connection& connection, AuditQuery query, std::int64_t until) {
  const bool down = query.page.newest_first;
  const std::int64_t at = query.cursor_at != 0 ? query.cursor_at : down ? until : 1;
  store::AuditPage& page = query.page;
  page.from = down ? std::max<std::int64_t>(at - kAuditScanned + 1, 1) : at;
  page.until = down ? at : std::min(at + kAuditScanned - 1, until);
  const std::size_t wanted = page.limit++;  // one more says whether there is more
  auto rows = store::read_audit(connection, page);
  if (!rows) return rows.error();
  AuditFound found{.rows = std::move(*rows)};
  std::int64_t next = down ? page.from - 1 : page.until + 1;
  if (found.rows.size() > wanted) {
    next = found.rows.back().seq;
    found.rows.pop_back();
  }
  if (next >= 1 && next <= until) {
    found.cursor = std::to_string(next) + "." + std::to_string(until);
  }
  return found;
}

Result<AuditFound> find(store::Connection& connection, AuditQuery query,
                        const Principal& principal) {
  auto last = store::last_audit(connection);
  if (!last) return last.error();
  const std::int64_t until = query.cursor_until != 0 ? std::min(query.cursor_until, *last) : *last;
  query.cursor_at = std::min(query.cursor_at, until + 1);
  if (!query.patient.empty()) {
    auto subject = store::find_subject(connection, query.page.study, query.patient);
    if (!subject) return subject.error();
    if (!*subject) return AuditFound();
    query.page.subject = (*subject)->id;
  }
  if (query.entity_type.empty() || query.entity_type == "Patient") {
    return walk(connection, std::move(query), until);
  }
  auto entries = entries_of(connection, query, principal);
  if (!entries) return entries.error();
  return pick(connection, std::move(query), until, *entries);
}

}  // namespace

http::Decision FhirAudit::search(const Call& call) {
  auto query = AuditQueryParser(call).parse();
  if (!query) return outcome_response(400, query.error().message);
  return answer_read(
      reads_, "fhir.audit",
      [query = std::move(*query), principal = call.principal,
       base = fhir_base(call.head)](store::Connection& connection) -> Result<http::Response> {
        auto found = find(connection, query, *principal);
        if (!found) return found.error();
        auto store = store_id_of(connection);
        if (!store) return store.error();
        AuditView view{.store = std::move(*store)};
        Searchset bundle("searchset", base);
        bundle.link_pages("AuditEvent", query.query, found->cursor);
        bundle.begin();
        for (const AuditRow& row : found->rows) {
          auto seen = look(connection, row, principal->unblinded, view);
          if (!seen) return seen.error();
          bundle.entry("AuditEvent/" + std::to_string(row.seq), audit_event_of(row, view), "match")
              .end_object();
        }
        return fhir_response(200, bundle.end());
      });
}

http::Decision FhirAudit::one(const Call& call) {
  const std::int64_t seq = id_in(call.parameters[0]);
  const std::string none = "there is no AuditEvent/" + call.parameters[0] + " for this token";
  if (seq == 0) return outcome_response(404, none);
  return answer_read(
      reads_, "fhir.audit",
      [page = store::AuditPage{.study = call.study->row,
                               .from = seq,
                               .until = seq,
                               .limit = 1,
                               .site = call.principal->site,
                               .source = call.principal->source},
       principal = call.principal, none](store::Connection& connection) -> Result<http::Response> {
        auto rows = store::read_audit(connection, page);
        if (!rows) return rows.error();
        const bool hidden = !rows->empty() && !principal->subject.empty() &&
                            principal->subject != rows->front().subject;
        if (rows->empty() || hidden) return outcome_response(404, none);
        auto store = store_id_of(connection);
        if (!store) return store.error();
        AuditView view{.store = std::move(*store)};
        auto seen = look(connection, rows->front(), principal->unblinded, view);
        if (!seen) return seen.error();
        return fhir_response(200, audit_event_of(rows->front(), view));
      });
}

}  // namespace trialward::api
