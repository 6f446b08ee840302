// load_dataset: pages through the records by id, and keeps of each what reports use.
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>

#include "base/check.h"
#include "reports/dataset.h"

namespace trialward::reports {
namespace {

using base::Errc;
using base::Error;
using base::Result;
using base::Status;
using model::Kind;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::int64_t kRowsBetweenLooks = 256;  // at the clock and the cancel token

// The columns of a page, in their order.
enum RowColumn {
  kId,
  kSubject,
  kKind,
  kCode,
  kNumber,
  kText,
  kUnit,
  kNotDone,
  kLow,
  kHigh,
  kEffective,
  kFrom,
  kVisit,
  kBaseline,
  kSerious,
  kSeverity,
  kAttributes,
  kFlags,
  kReceived
};
constexpr std::string_view kPageSql =
    "SELECT id, subject, kind, code, number, text, unit, not_done, low_text, high_text, "
    "effective, from_ms, visit, baseline, serious, severity, attributes, flags, received_ms "
    "FROM records WHERE study + 0 = $1 AND id > $2 AND id <= $3 ORDER BY id";

// Attributes as SDTM's variables name them; see cdisc/sdtm.h.
constexpr std::string_view kArm = "arm", kVisitNumber = "visitnum";
constexpr std::string_view kFirstDose = "rfxstdtc", kLastDose = "rfxendtc";

bool is_measured(Kind kind) {
  return kind == Kind::lab || kind == Kind::vital || kind == Kind::questionnaire;
}

std::string_view prefix_of(Kind kind) {
  return kind == Kind::lab ? "lb" : kind == Kind::vital ? "vs" : "qs";
}

class Loader {
 public:
  Loader(const Source& source, const Reading& reading)
      : source_(source), reading_(reading), data_(std::make_shared<Dataset>()) {
    data_->study = source.study;
    data_->settings = source.settings;
    data_->positions = source.positions;
    data_->domains = source.domains | kSubjectDomains;
  }

  Result<std::shared_ptr<const Dataset>> load() {
    if (auto done = read_subjects(); !done) return done.error();
    if (auto done = read_amended(); !done) return done.error();
    while (after_ < source_.positions.record) {
      const auto page = [this](store::Connection& connection) { return read_records(connection); };
      if (auto done = read_page(reading_, page); !done) return done.error();
      if (auto fits = check_bytes(); !fits) return fits.error();
    }
    take_exposures();
    sort_subjects();
    sort_names();
    data_->index_codes();
    if (auto done = load_alerts(source_, reading_, *data_); !done) return done.error();
    return std::shared_ptr<const Dataset>(std::move(data_));
  }

 private:
  Status check_bytes() const {
    const std::size_t bytes = data_->bytes() + amended_.capacity() * sizeof(std::int64_t);
    if (bytes <= source_.bytes_max) {
      if (!source_.grow || source_.grow(bytes)) return {};
      return Error{Errc::refused,
                   "there is no room for the study's records: they take more than "
                   "other datasets in use leave of memory"};
    }
    return too_large("records", source_.bytes_max);
  }

  Status read_subjects() {
    std::int64_t after = 0;
    bool more = true;
    const auto page = [&](store::Connection& connection) -> Status {
      auto rows = connection.query(
          "SELECT id, subject, site FROM subjects WHERE study = $1 AND id > $2 ORDER BY id "
          "LIMIT $3",
          {source_.study_row, after, kPageIds});
      if (!rows) return rows.error();
      std::int64_t read = 0;
      for (; read < kPageIds; ++read) {
        auto row = rows->next();
        if (!row) return row.error();
        if (!*row) break;
        after = rows->integer(0);
        subjects_.emplace(after, static_cast<std::uint32_t>(data_->subjects.size()));
        Subject& subject = data_->subjects.emplace_back();
        subject.id = std::string(rows->text(1));
        subject.site = std::string(rows->text(2));
      }
      more = read == kPageIds;
      return {};
    };
    while (more) {
      if (auto done = read_page(reading_, page); !done) return done;
      if (auto fits = check_bytes(); !fits) return fits;
    }
    seen_.resize(data_->subjects.size());
    return {};
  }

  // The ids of what is superseded, in their order.
  Status read_amended() {
    bool more = true;
    const auto page = [&](store::Connection& connection) -> Status {
      auto rows = connection.query(
          "SELECT amends FROM records WHERE amends > $1 AND id <= $2 ORDER BY amends LIMIT $3",
          {amended_.empty() ? std::int64_t{0} : amended_.back(), source_.positions.record,
           kPageIds});
      if (!rows) return rows.error();
      std::int64_t read = 0;
      for (; read < kPageIds; ++read) {
        auto row = rows->next();
        if (!row) return row.error();
        if (!*row) break;
        amended_.push_back(rows->integer(0));
      }
      more = read == kPageIds;
      return {};
    };
    while (more) {
      if (auto done = read_page(reading_, page); !done) return done;
      if (auto fits = check_bytes(); !fits) return fits;
    }
    return {};
  }

  // Pages are of ids, not of rows: their work is bounded however few rows are of the study.
  Status read_records(store::Connection& connection) {
    const std::int64_t until = std::min(after_ + kPageIds, source_.positions.record);
    auto rows = connection.query(kPageSql, {source_.study_row, after_, until});
    if (!rows) return rows.error();
    const auto begun = reading_.clock.now();
    for (std::int64_t read = 1;; ++read) {
      auto row = rows->next();
      if (!row) return row.error();
      if (!*row) break;
      if (auto taken = take(*rows); !taken) {
        return Error{taken.error().code,
                     "record " + std::to_string(rows->integer(kId)) + ": " + taken.error().message};
      }
      if (read % kRowsBetweenLooks != 0) continue;
      if (reading_.cancel.fired() || reading_.clock.now() - begun > kPageTimeMax) {
        after_ = rows->integer(kId);
        return {};
      }
    }
    after_ = until;
    return {};
  }

  Status take(const store::Query& row) {
    const std::int64_t id = row.integer(kId);
    const auto found = subjects_.find(row.integer(kSubject));
    if (found == subjects_.end()) {
      return Error{Errc::corrupt, "it is of a subject that is not there"};
    }
    seen_[found->second] = true;
    while (next_amended_ < amended_.size() && amended_[next_amended_] < id) ++next_amended_;
    if (next_amended_ < amended_.size() && amended_[next_amended_] == id) return {};
    const std::int64_t kind_number = row.integer(kKind);
    if (kind_number < 0 || kind_number >= static_cast<std::int64_t>(model::kKinds)) {
      return Error{Errc::corrupt, "its kind is unknown"};
    }
    const auto kind = static_cast<Kind>(kind_number);
    if ((data_->domains & domain(kind)) == 0) return {};
    if (is_measured(kind)) return take_measurement(row, kind, found->second);
    return take_entry(row, kind, found->second);
  }

  Word word(const store::Query& row, int column) { return data_->words.add(row.text(column)); }

  static std::int64_t time_of(const store::Query& row) {
    return row.null(kFrom) ? kNoTime : row.integer(kFrom);
  }

  Status take_measurement(const store::Query& row, Kind kind, std::uint32_t subject) {
    Measurement one;
    one.record = row.integer(kId);
    one.at_ms = time_of(row);
    one.received_ms = row.integer(kReceived);
    one.subject = subject;
    one.code = word(row, kCode);
    one.visit = word(row, kVisit);
    one.unit = word(row, kUnit);
    one.text = word(row, kText);
    one.date = parse_date(row.text(kEffective));
    one.baseline = row.integer(kBaseline) != 0;
    one.not_done = !row.null(kNotDone);
    take_numbers(row, kind, one);
    one.standard = kNaN;
    const bool new_code = codes_.find({kind, one.code}) == codes_.end();
    const bool new_visit = visits_.find({kind, one.visit}) == visits_.end();
    const bool derived = std::isnan(one.sent) && one.text == 0;
    // Only of these is something asked for that is not in a column.
    if (new_code || new_visit || derived || kind == Kind::vital) {
      if (auto done = name(row.text(kAttributes), kind, one); !done) return done;
    }
    switch (kind) {
      case Kind::lab:
        data_->labs.push_back(one);
        break;
      case Kind::vital:
        data_->vitals.push_back(one);
        break;
      default:
        data_->questionnaires.push_back(one);
    }
    return {};
  }

  void take_numbers(const store::Query& row, Kind kind, Measurement& one) {
    const auto flags = static_cast<std::uint16_t>(row.integer(kFlags));
    one.historical = (flags & model::kHistorical) != 0;
    one.doubtful =
        (flags & (model::kImplausible | model::kLowUnusable | model::kHighUnusable)) != 0;
    one.sent = row.null(kNumber) ? kNaN : row.real(kNumber);
    Bounds bounds{kNaN, kNaN, kNaN, kNaN, kNaN};
    if ((flags & model::kLowUnusable) == 0) bounds.sent_low = number_of(row.text(kLow));
    if ((flags & model::kHighUnusable) == 0) bounds.sent_high = number_of(row.text(kHigh));
    if (std::isnan(one.sent)) bounds.limit = limit_of(row.text(kText));
    if (flags & model::kStudyRange) {
      one.side = flags & model::kBelowRange   ? Side::low
                 : flags & model::kAboveRange ? Side::high
                                              : Side::normal;
    } else if (!std::isnan(one.sent) &&
               !(std::isnan(bounds.sent_low) && std::isnan(bounds.sent_high))) {
      one.side = one.sent < bounds.sent_low    ? Side::low
                 : one.sent > bounds.sent_high ? Side::high
                                               : Side::normal;
    }
    const auto known = [](double number) {
      return std::isnan(number) ? std::nullopt : std::optional(number);
    };
    scratch_.kind = kind;
    scratch_.code = row.text(kCode);
    scratch_.unit = row.text(kUnit);
    scratch_.value.number = known(one.sent);
    scratch_.range.low = known(bounds.sent_low);
    scratch_.range.high = known(bounds.sent_high);
    const auto own = source_.study->canonical(scratch_);
    one.value = own.number.value_or(kNaN);
    bounds.low = own.range.low.value_or(kNaN);
    bounds.high = own.range.high.value_or(kNaN);
    one.bounds = data_->bounds.add(bounds);
  }

  // What the attributes of a measurement say of its code, its visit and its time point.
  Status name(std::string_view json, Kind kind, Measurement& one) {
    const std::string prefix(prefix_of(kind));
    std::string test, category;
    double number = kNaN;
    auto read = each_attribute(json, [&](std::string_view key, std::string_view value) {
      if (key == prefix + "test") test = value;
      if (key == prefix + "cat") category = value;
      if (key == prefix + "stresn") one.standard = number_of(value);
      if (key == prefix + "tpt") one.timepoint = data_->words.add(value);
      if (key == kVisitNumber) number = number_of(value);
    });
    if (!read) return read;
    if (std::isnan(one.sent) && kind == Kind::questionnaire) one.value = one.standard;
    if (codes_.find({kind, one.code}) == codes_.end()) {
      const model::Code* listed = source_.study->code(kind, data_->text(one.code));
      codes_.emplace(std::pair(kind, one.code), data_->codes.size());
      data_->codes.push_back(
          {kind, one.code, data_->words.add(listed && !listed->name.empty() ? listed->name : test),
           data_->words.add(category)});
    }
    add_visit(kind, one.visit, number);
    return {};
  }

  void add_visit(Kind kind, Word visit, double number) {
    if (!visits_.emplace(std::pair(kind, visit), data_->visit_names.size()).second) return;
    data_->visit_names.push_back({kind, visit, number});
  }

  template <class Use>
  Status each_attribute(std::string_view json, const Use& use) {
    if (json.empty()) return {};
    simdjson::dom::object object;
    if (parser_.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) {
      return Error{Errc::corrupt, "the attributes cannot be read"};
    }
    for (const auto& [key, value] : object) {
      std::string_view text;
      if (value.get(text) != simdjson::SUCCESS) {
        return Error{Errc::corrupt, "the attributes are not texts"};
      }
      use(key, text);
    }
    return {};
  }

  Status take_entry(const store::Query& row, Kind kind, std::uint32_t subject) {
    Entry one;
    one.record = row.integer(kId);
    one.at_ms = time_of(row);
    one.received_ms = row.integer(kReceived);
    one.subject = subject;
    one.code = word(row, kCode);
    one.visit = word(row, kVisit);
    one.severity = word(row, kSeverity);
    one.text = word(row, kText);
    one.unit = word(row, kUnit);
    if (!row.null(kNumber)) one.number = row.real(kNumber);
    one.date = parse_date(row.text(kEffective));
    one.serious = row.integer(kSerious) != 0;
    one.not_done = !row.null(kNotDone);
    one.historical = (row.integer(kFlags) & model::kHistorical) != 0;
    one.baseline = row.integer(kBaseline) != 0;
    one.attributes_from = static_cast<std::uint32_t>(data_->attributes.size());
    double visit_number = kNaN;
    auto read = each_attribute(row.text(kAttributes), [&](auto key, auto value) {
      if (key == kVisitNumber) visit_number = number_of(value);
      data_->attributes.emplace_back(data_->words.add(key), data_->words.add(value));
    });
    if (!read) return read;
    one.attributes_count =
        static_cast<std::uint32_t>(data_->attributes.size()) - one.attributes_from;
    add_visit(kind, kind == Kind::visit ? one.code : one.visit, visit_number);
    keep(kind, one);
    return {};
  }

  void keep(Kind kind, const Entry& one) {
    switch (kind) {
      case Kind::demographics:
        take_demographics(one);
        break;
      case Kind::visit:
        data_->visits.push_back(one);
        break;
      case Kind::adverse_event:
        data_->adverse_events.push_back(one);
        break;
      case Kind::medication:
        data_->medications.push_back(one);
        break;
      case Kind::exposure:
        data_->exposures.push_back(one);
        break;
      case Kind::medical_history:
        data_->histories.push_back(one);
        break;
      case Kind::disposition:
        data_->dispositions.push_back(one);
        break;
      default:
        TW_CHECK(false);  // measurements
    }
  }

  // With a value it is one characteristic; without, it is the subject's own, and the latest counts.
  void take_demographics(const Entry& one) {
    if (!std::isnan(one.number) || one.text != 0 || one.not_done) {
      data_->demographics.push_back(one);
      return;
    }
    Subject& subject = data_->subjects[one.subject];
    const auto order = std::pair(one.at_ms, one.record);
    if (subject.enrolled && order < own_[one.subject]) return;
    own_[one.subject] = order;
    subject.enrolled = true;
    subject.record = one.record;
    subject.reference = one.date;
    subject.attributes_from = one.attributes_from;
    subject.attributes_count = one.attributes_count;
    subject.first_dose = parse_date(data_->attribute(one, kFirstDose));
    subject.last_dose = parse_date(data_->attribute(one, kLastDose));
    place_arm(subject, data_->attribute(one, kArm));
  }

  void place_arm(Subject& subject, std::string_view given) {
    const auto& arms = source_.settings->arms;
    const auto found = std::find_if(arms.begin(), arms.end(), [&](const model::Arm& arm) {
      return arm.id == given || arm.name == given;
    });
    subject.arm = found == arms.end() ? kNoArm : static_cast<int>(found - arms.begin());
    subject.screen_failure = found == arms.end() && !given.empty();
  }

  // Doses as recorded stand in for what the demographics do not say.
  void take_exposures() {
    for (const Entry& one : data_->exposures) {
      if (one.not_done) continue;
      Subject& subject = data_->subjects[one.subject];
      subject.treated = true;
      if (!one.date.given()) continue;
      const Date end = parse_date(data_->attribute(one, "exendtc"));
      const Date last = end.given() ? end : one.date;
      const auto doses = first_and_last_.find(one.subject);
      if (doses == first_and_last_.end()) {
        first_and_last_.emplace(one.subject, std::pair(one.date, last));
        continue;
      }
      auto& [first_dose, last_dose] = doses->second;
      if (order_at_common(one.date, first_dose) < 0) first_dose = one.date;
      if (order_at_common(last, last_dose) > 0) last_dose = last;
    }
    for (std::uint32_t i = 0; i < data_->subjects.size(); ++i) {
      Subject& subject = data_->subjects[i];
      subject.treated |= subject.first_dose.given();
      const auto doses = first_and_last_.find(i);
      if (doses == first_and_last_.end()) continue;
      if (!subject.first_dose.given()) subject.first_dose = doses->second.first;
      if (!subject.last_dose.given()) subject.last_dose = doses->second.second;
    }
  }

  // Subjects without a record up to the positions came later: they are left out. The others are
  // put in the order of their ids, which is that of every report.
  void sort_subjects() {
    std::vector<std::uint32_t> order;
    for (std::uint32_t i = 0; i < seen_.size(); ++i) {
      if (seen_[i]) order.push_back(i);
    }
    auto& subjects = data_->subjects;
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return subjects[a].id < subjects[b].id; });
    std::vector<std::uint32_t> places(subjects.size());
    std::vector<Subject> sorted;
    sorted.reserve(order.size());
    for (const std::uint32_t index : order) {
      places[index] = static_cast<std::uint32_t>(sorted.size());
      sorted.push_back(std::move(subjects[index]));
    }
    subjects = std::move(sorted);
    const auto renumber = [&](auto& all) {
      for (auto& one : all) one.subject = places[one.subject];
    };
    for (auto* entries :
         {&data_->demographics, &data_->visits, &data_->adverse_events, &data_->medications,
          &data_->exposures, &data_->histories, &data_->dispositions}) {
      renumber(*entries);
      entries->shrink_to_fit();
    }
    for (auto* values : {&data_->labs, &data_->vitals, &data_->questionnaires}) renumber(*values);
  }

  void sort_names() {
    const Words& words = data_->words;
    std::sort(data_->codes.begin(), data_->codes.end(), [&](const auto& a, const auto& b) {
      return std::pair(a.kind, words.text(a.code)) < std::pair(b.kind, words.text(b.code));
    });
    // A visit without a number comes last.
    const auto number = [](const VisitName& visit) {
      return std::isnan(visit.number) ? std::numeric_limits<double>::infinity() : visit.number;
    };
    std::sort(data_->visit_names.begin(), data_->visit_names.end(),
              [&](const auto& a, const auto& b) {
                return std::tuple(a.kind, number(a), words.text(a.name)) <
                       std::tuple(b.kind, number(b), words.text(b.name));
              });
  }

  const Source& source_;
  const Reading& reading_;
  std::shared_ptr<Dataset> data_;
  std::unordered_map<std::int64_t, std::uint32_t> subjects_;  // row → index
  std::vector<bool> seen_;
  std::vector<std::int64_t> amended_;
  std::size_t next_amended_ = 0;
  std::int64_t after_ = 0;  // the records up to here are read
  simdjson::dom::parser parser_;
  model::Record scratch_;
  std::map<std::pair<Kind, Word>, std::size_t> codes_, visits_;
  std::unordered_map<std::uint32_t, std::pair<std::int64_t, std::int64_t>> own_;
  std::unordered_map<std::uint32_t, std::pair<Date, Date>> first_and_last_;
};

}  // namespace

Result<std::shared_ptr<const Dataset>> load_dataset(const Source& source, const Reading& reading) {
  TW_CHECK(source.study && source.settings);
  return Loader(source, reading).load();
}

}  // namespace trialward::reports
