#include "api/fhir_search.h"

#include <algorithm>
#include <charconv>

#include "api/lists.h"
#include "fhir/json.h"
#include "fhir/search_text.h"
#include "model/effective_time.h"
#include "store/subject_rows.h"
#include "ucum/unit.h"

namespace trialward::api {
namespace {

using base::Result;
using fhir::ResourceType;
using model::Interval;
using model::StoredRecord;
using store::RecordRow;

constexpr std::size_t kWalkRows = 250;  // read at a time
constexpr std::size_t kTokensMax = 50;  // of a parameter, and parameters of a kind
constexpr std::size_t kFoundBytesMax = 1 << 20;    // of a page's originals, about
constexpr std::size_t kSortedBytesMax = 32 << 20;  // of what is sorted

// The codings and identifiers of the original are what a token is compared with, too: a study may
// call a thing otherwise than its sender did.
bool has_token(fhir::Json element, std::string_view system, bool any_system,
               std::string_view code) {
  if (element.is(fhir::Json::Type::array)) {
    for (const fhir::Json one : element) {
      if (has_token(one, system, any_system, code)) return true;
    }
    return false;
  }
  if (!element.is(fhir::Json::Type::object)) return false;
  if (element["coding"]) return has_token(element["coding"], system, any_system, code);
  const std::string_view own = element["code"] ? element.string("code") : element.string("value");
  return (code.empty() || own == code) && (any_system || element.string("system") == system);
}

std::string_view code_element(ResourceType type) {
  switch (type) {
    case ResourceType::observation:
      return "code";
    case ResourceType::adverse_event:
      return "event";
    case ResourceType::medication_administration:
    case ResourceType::medication_statement:
      return "medicationCodeableConcept";
    default:
      return "";
  }
}

bool among(std::string_view text, std::initializer_list<std::string_view> texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

}  // namespace

std::vector<SearchParameter> search_parameters(ResourceType type) {
  using enum SearchSubject;
  std::vector<SearchParameter> all = {
      {"_id", "token", id}, {"_lastUpdated", "date", updated}, {"identifier", "token", identifier}};
  const auto add = [&all](std::initializer_list<SearchParameter> more) {
    all.insert(all.end(), more);
  };
  switch (type) {
    case ResourceType::observation:
      add({{"subject", "reference", subject},
           {"patient", "reference", subject},
           {"code", "token", code},
           {"date", "date", date}});
      break;
    case ResourceType::adverse_event:
      add({{"subject", "reference", subject}, {"event", "token", code}, {"date", "date", date}});
      break;
    case ResourceType::medication_administration:
      add({{"subject", "reference", subject},
           {"patient", "reference", subject},
           {"code", "token", code},
           {"effective-time", "date", date}});
      break;
    case ResourceType::medication_statement:
      add({{"subject", "reference", subject},
           {"patient", "reference", subject},
           {"code", "token", code},
           {"effective", "date", date}});
      break;
    case ResourceType::research_subject:
      add({{"individual", "reference", subject}, {"patient", "reference", subject}});
      break;
    case ResourceType::patient:
      break;
    case ResourceType::questionnaire_response:
      add({{"subject", "reference", subject},
           {"patient", "reference", subject},
           {"questionnaire", "reference", questionnaire},
           {"authored", "date", date}});
      break;
  }
  return all;
}

class FhirSearchParser {
 public:
  FhirSearchParser(ResourceType type, const QueryMembers& query, const std::string& subject)
      : query_(query) {
    search_.type_ = type;
    if (!subject.empty()) search_.own_ = subject;
  }

  Result<FhirSearch, model::Issues> parse() {
    for (const auto& [name, value] : query_.all()) {
      if (name != "_cursor") {
        search_.query_ += (search_.query_.empty() ? "" : "&") + percent_encode(name) + "=" +
                          percent_encode(value);
      }
      if (fhir::split_commas(value).size() > kTokensMax || query_.all().size() > kTokensMax) {
        fault(name, "more than " + std::to_string(kTokensMax) + " values");
        break;
      }
      read(name, value);
    }
    if (!search_.subject_) search_.subject_ = search_.own_;
    const bool by_date =
        search_.order_ == FhirSearch::Order::date || search_.order_ == FhirSearch::Order::date_down;
    if (by_date && !search_.subject_) {
      fault("_sort", "a search is sorted by date within a subject: name one");
    }
    if (!issues_.empty()) return std::move(issues_);
    return std::move(search_);
  }

 private:
  void fault(const std::string& name, std::string reason) {
    model::add_issue(issues_, {model::IssueSeverity::error, "invalidRequest", "",
                               "parameter " + ucum::quoted(name) + ": " + std::move(reason)});
  }

  void read(const std::string& name, const std::string& value) {
    if (name.starts_with('_') && read_control(name, value)) return;
    for (const SearchParameter& parameter : search_parameters(search_.type_)) {
      if (parameter.name == name) return read_filter(parameter, value);
    }
    const bool modified = name.find(':') != std::string::npos;
    fault(name, modified ? "modifiers are not supported"
                         : "is not one that these resources can be searched by");
  }

  bool read_control(const std::string& name, const std::string& value) {
    if (name == "_count") {
      const std::int64_t count = id_in(value);
      if (count == 0 || count > static_cast<std::int64_t>(kSearchPageMax)) {
        fault(name, "is not a number from 1 to " + std::to_string(kSearchPageMax));
      }
      search_.count_ = static_cast<std::size_t>(count);
    } else if (name == "_sort") {
      read_order(value);
    } else if (name == "_include") {
      if (!among(value.substr(value.find(':') + 1), {"subject", "patient", "individual"})) {
        fault(name, "only the subject can be included, as in \"Observation:subject\"");
      }
      search_.includes_subject_ = true;
    } else if (name == "_cursor") {
      read_cursor(value);
    } else if (name == "_format") {
      if (value.find("json") == std::string::npos) fault(name, "only JSON is answered");
    } else if (name != "_pretty") {
      return false;
    }
    return true;
  }

  void read_order(const std::string& value) {
    using enum FhirSearch::Order;
    search_.ordered_ = true;
    if (value == "-_lastUpdated") {
      search_.order_ = newest;
    } else if (value == "_lastUpdated") {
      search_.order_ = oldest;
    } else if (value == "date") {
      search_.order_ = date;
    } else if (value == "-date") {
      search_.order_ = date_down;
    } else {
      fault("_sort", "is not one of _lastUpdated, -_lastUpdated, date, -date");
    }
  }

  void read_cursor(const std::string& value) {
    const std::size_t dot = value.find('.');
    search_.cursor_at_ = id_in(value.substr(0, dot));
    search_.cursor_until_ = dot == std::string::npos ? 0 : id_in(value.substr(dot + 1));
    if (search_.cursor_at_ == 0 || search_.cursor_until_ == 0) {
      fault("_cursor", "comes from a page's next link, as it stands there");
    }
  }

  void read_filter(const SearchParameter& parameter, const std::string& value) {
    const std::string name(parameter.name);
    switch (parameter.about) {
      case SearchSubject::id:
        search_.ids_ = fhir::split_commas(value);
        break;
      case SearchSubject::subject:
        if (search_.subject_) fault(name, "is given twice");
        search_.subject_ = fhir::subject_sought(value);
        if (value.find(',') != std::string::npos) fault(name, "takes one subject");
        break;
      case SearchSubject::code:
        search_.codes_.push_back(tokens(value));
        break;
      case SearchSubject::identifier:
        search_.identifiers_.push_back(tokens(value));
        break;
      case SearchSubject::questionnaire:
        search_.questionnaires_ = fhir::split_commas(value);
        break;
      case SearchSubject::date:
        read_moment(name, value, search_.dates_);
        break;
      case SearchSubject::updated:
        read_moment(name, value, search_.updated_);
        break;
    }
  }

  static std::vector<FhirSearch::Token> tokens(const std::string& value) {
    std::vector<FhirSearch::Token> tokens;
    for (const std::string& one : fhir::split_commas(value)) {
      const std::size_t bar = one.find('|');
      if (bar == std::string::npos) {
        tokens.push_back({std::nullopt, one});
      } else {
        tokens.push_back({one.substr(0, bar), one.substr(bar + 1)});
      }
    }
    return tokens;
  }

  void read_moment(const std::string& name, const std::string& value,
                   std::vector<FhirSearch::Moment>& moments) {
    FhirSearch::Moment moment{"eq", value};
    if (value.size() > 2 && std::isalpha(static_cast<unsigned char>(value[0])) != 0) {
      moment = {value.substr(0, 2), value.substr(2)};
    }
    if (!among(moment.prefix, {"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"})) {
      return fault(name, "the prefix " + ucum::quoted(moment.prefix) + " is not known");
    }
    // In a query an offset's '+' reads as a blank.
    std::replace(moment.text.begin(), moment.text.end(), ' ', '+');
    if (const auto sound = model::check_effective(moment.text); !sound) {
      return fault(name, sound.error().message);
    }
    moments.push_back(std::move(moment));
  }

  const QueryMembers& query_;
  FhirSearch search_;
  model::Issues issues_;
};

Result<FhirSearch, model::Issues> FhirSearch::parse(ResourceType type, const QueryMembers& query,
                                                    const std::string& subject) {
  return FhirSearchParser(type, query, subject).parse();
}

bool FhirSearch::holds(const Moment& moment, const Interval& of, const std::string& zone) const {
  const auto read = model::resolve_effective(moment.text, zone);
  if (!read) return false;
  const std::string& prefix = moment.prefix;
  const bool equal = read->from_ms <= of.from_ms && of.until_ms <= read->until_ms;
  if (prefix == "eq") return equal;
  if (prefix == "ne") return !equal;
  if (prefix == "gt") return of.until_ms > read->until_ms;
  if (prefix == "lt") return of.from_ms < read->from_ms;
  if (prefix == "ge") return equal || of.until_ms > read->until_ms;
  if (prefix == "le") return equal || of.from_ms < read->from_ms;
  if (prefix == "sa") return of.from_ms >= read->until_ms;
  return of.until_ms <= read->from_ms;  // eb
}

bool FhirSearch::matches(const model::Study& study, const Principal& principal,
                         const StoredRecord& stored) const {
  const model::Record& record = stored.record;
  if (subject_ && record.subject != *subject_) return false;
  const Interval updated{stored.received_ms, stored.received_ms + 1};
  for (const Moment& moment : updated_) {
    if (!holds(moment, updated, "UTC")) return false;
  }
  const model::Site* site = study.site(record.site);
  for (const Moment& moment : dates_) {
    if (!stored.interval) return false;
    if (!holds(moment, *stored.interval, site != nullptr ? site->time_zone : "UTC")) return false;
  }
  if (fhir::type_of(stored) != type_) return false;
  const auto is_id = [&](const std::string& id) { return id == fhir::id_of(stored, type_); };
  if (!ids_.empty() && std::none_of(ids_.begin(), ids_.end(), is_id)) return false;
  if (codes_.empty() && identifiers_.empty() && questionnaires_.empty()) return true;
  // Whoever is blinded would learn by trying what is not shown.
  if (!principal.unblinded && model::tells_treatment(record)) return false;

  static thread_local fhir::JsonTree tree;
  fhir::Json original;
  if ((stored.flags & model::kResource) != 0) {
    if (const auto root = tree.parse(record.original)) original = *root;
  }
  const auto one_of = [&](const std::vector<Token>& tokens, std::string_view element,
                          std::string_view system, std::string_view code) {
    return std::any_of(tokens.begin(), tokens.end(), [&](const Token& token) {
      const bool own =
          (token.code.empty() || token.code == code) && (!token.system || *token.system == system);
      return own ||
             has_token(original[element], token.system.value_or(""), !token.system, token.code);
    });
  };
  for (const auto& tokens : codes_) {
    if (!one_of(tokens, code_element(type_), record.system, record.code)) return false;
  }
  for (const auto& tokens : identifiers_) {
    if (!one_of(tokens, "identifier", record.source, record.source_id)) return false;
  }
  const std::string_view canonical = original.string("questionnaire");
  return questionnaires_.empty() ||
         std::any_of(questionnaires_.begin(), questionnaires_.end(), [&](const auto& wanted) {
           return canonical == wanted || canonical.substr(0, canonical.find('|')) == wanted;
         });
}

// Goes through rows in one of the orders, a few at a time.
struct FhirSearch::Walk {
  store::Connection& connection;
  std::int64_t study;
  std::int64_t until;  // the last record that there is, for this search
  bool of_subject, upwards;
  std::int64_t at;  // the next row to read; upwards: the last one that was read
  bool at_end = false;

  Result<std::vector<RecordRow>> next() {
    if (of_subject) {
      auto rows = store::read_chain(connection, at, kWalkRows, until);
      if (!rows) return rows;
      at = rows->empty() ? 0 : rows->back().links.previous;
      at_end = at == 0;
      std::erase_if(*rows, [&](const RecordRow& row) { return row.stored.id > until; });
      return rows;
    }
    const auto step = static_cast<std::int64_t>(kWalkRows);
    store::RecordPage page{.study = study, .after_id = at, .until_id = until, .limit = kWalkRows};
    if (!upwards) {
      page.after_id = std::max<std::int64_t>(at - step, 0);
      page.until_id = at;
    }
    auto rows = store::read_page(connection, page);
    if (!rows) return rows;
    if (upwards) {
      at_end = rows->size() < kWalkRows;
      if (!rows->empty()) at = rows->back().stored.id;
      return rows;
    }
    at = page.after_id;
    at_end = at == 0;
    std::reverse(rows->begin(), rows->end());
    // Of these the page has looked no further than to its own end.
    for (RecordRow& row : *rows) {
      auto amended = store::amended_by(connection, row.stored.id);
      if (!amended) return amended.error();
      row.stored.amended_by = *amended <= until ? *amended : 0;
    }
    return rows;
  }
};

bool FhirSearch::sorts() const {
  return order_ == Order::date || order_ == Order::date_down ||
         (subject_ && ordered_ && order_ == Order::oldest);
}

// Whether the row is found; its first version is then filled in.
Result<bool> FhirSearch::takes(store::Connection& connection, const model::Study& study,
                               const Principal& principal, RecordRow& row) const {
  if (row.stored.amended_by != 0 || (row.stored.flags & model::kUnfit) != 0) return false;
  auto shown = is_version_shown(connection, principal, row.stored);
  if (!shown || !*shown) return shown;
  return matches(study, principal, row.stored);
}

// Walks until so many are found, kScanRows were looked at, or nothing is left; false: there may be
// more, from walk.at on.
Result<bool> FhirSearch::collect(Walk& walk, const model::Study& study, const Principal& principal,
                                 std::size_t wanted, std::vector<RecordRow>& found) const {
  std::size_t scanned = 0, bytes = 0;
  const std::size_t bytes_max = sorts() ? kSortedBytesMax : kFoundBytesMax;
  while (!walk.at_end && (sorts() || scanned < kScanRows)) {
    auto rows = walk.next();
    if (!rows) return rows.error();
    scanned += kWalkRows;  // also of numbers that are another study's
    for (RecordRow& row : *rows) {
      auto taken = takes(walk.connection, study, principal, row);
      if (!taken) return taken.error();
      if (!*taken) continue;
      if (found.size() == wanted || bytes > bytes_max) {
        // It goes on at the row that no longer had room.
        walk.at = walk.upwards ? row.stored.id - 1 : row.stored.id;
        return false;
      }
      bytes += row.stored.record.original.size();
      found.push_back(std::move(row));
    }
  }
  return walk.at_end;
}

void FhirSearch::sort(std::vector<RecordRow>& rows) const {
  const auto key = [&](const RecordRow& row) {
    if (order_ == Order::oldest) return row.stored.id;
    return row.stored.interval ? row.stored.interval->from_ms : 0;
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const RecordRow& a, const RecordRow& b) {
    return order_ == Order::date_down ? key(a) > key(b) : key(a) < key(b);
  });
}

Result<FoundPage> FhirSearch::run(store::Connection& connection, const model::Study& study,
                                  std::int64_t study_row, const Principal& principal) const {
  FoundPage page;
  auto last =
      cursor_until_ != 0 ? Result<std::int64_t>(cursor_until_) : store::last_record(connection);
  if (!last) return last.error();
  Walk walk{.connection = connection,
            .study = study_row,
            .until = *last,
            .of_subject = subject_.has_value(),
            .upwards = !subject_ && (!ordered_ || order_ == Order::oldest),
            .at = sorts() ? 0 : cursor_at_};
  if (subject_) {
    auto row = store::find_subject(connection, study_row, *subject_);
    if (!row) return row.error();
    if (*row && walk.at == 0) walk.at = (*row)->last_record;
    if (!*row || walk.at == 0) return page;
    if (cursor_at_ != 0 && !sorts()) {
      auto at = store::read_record(connection, walk.at);
      if (!at) return at.error();
      if (!*at || (*at)->links.subject != (*row)->id) {
        return base::invalid("_cursor is not of this search");
      }
    }
  } else if (!walk.upwards && walk.at == 0) {
    walk.at = walk.until;
  }
  auto whole = collect(walk, study, principal, sorts() ? kSortedMax : count_, page.rows);
  if (!whole) return whole.error();
  const auto cursor = [&](std::int64_t at) {
    return std::to_string(at) + "." + std::to_string(walk.until);
  };
  if (!sorts()) {
    if (!*whole) page.cursor = cursor(walk.at);
    return page;
  }
  if (!*whole) {
    return base::Error{base::Errc::invalid,
                       "too many resources match to be sorted: narrow the "
                       "search, or take them as they come"};
  }
  sort(page.rows);
  const auto begin = std::min<std::size_t>(static_cast<std::size_t>(cursor_at_), page.rows.size());
  page.rows.erase(page.rows.begin(), page.rows.begin() + static_cast<std::ptrdiff_t>(begin));
  if (page.rows.size() > count_) {
    page.rows.resize(count_);
    page.cursor = cursor(static_cast<std::int64_t>(begin + count_));
  }
  return page;
}

}  // namespace trialward::api
