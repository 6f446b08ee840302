#include "reports/profile_lists.h"

#include <algorithm>
#include <cmath>

#include "model/effective_time.h"
#include "reports/decimal.h"
#include "reports/emergent.h"

namespace trialward::reports {
namespace {

using base::Status;
using model::Kind;

Cell cell_of(std::string text) { return Cell::words(std::move(text)); }
Cell cell_of(std::optional<std::int32_t> day) { return day ? Cell::of_number(*day, 0) : Cell(); }

template <class... Parts>
std::vector<Cell> cells(Parts&&... parts) {
  std::vector<Cell> all;
  (all.push_back(cell_of(std::forward<Parts>(parts))), ...);
  return all;
}

// A list is a table of words, and days as numbers, whose last column is the record's id.
class Lists {
 public:
  Lists(const Profile& profile, Sink& sink) : profile_(profile), sink_(sink) {}

  Status write() {
    using Write = Status (Lists::*)();
    for (const Write write_list :
         {&Lists::demographics, &Lists::dispositions, &Lists::visits, &Lists::exposures,
          &Lists::adverse_events, &Lists::alerts, &Lists::labs, &Lists::vitals,
          &Lists::questionnaires, &Lists::medications,
          &Lists::covered_medications, &Lists::histories}) {
      if (auto going = profile_.context().check(); !going) return going;
      if (auto done = (this->*write_list)(); !done) return done;
    }
    return {};
  }

 private:
  const Dataset& data() const { return profile_.data(); }
  std::string words(Word word) const { return std::string(data().text(word)); }
  std::string attribute(const Entry& one, std::string_view name) const {
    return std::string(data().attribute(one, name));
  }

  Status begin(std::string id, std::string title, std::initializer_list<const char*> labels) {
    TableHead head{std::move(id), std::move(title), {}};
    for (const std::string_view label : labels) {
      head.columns.push_back({.label = std::string(label), .words = label != "Day"});
    }
    head.columns.push_back({.label = "Record"});
    return sink_.table(head);
  }
  Status row(std::vector<Cell> of_record, const std::vector<std::int64_t>& records) {
    if (auto going = profile_.context().check(); !going) return going;
    Row row;
    row.cells = std::move(of_record);
    std::string ids;
    for (const std::int64_t record : records) {
      ids += (ids.empty() ? "" : " ") + std::to_string(record);
      row.cells.front().drill.add_record(record);
    }
    row.cells.push_back(Cell::words(std::move(ids)));
    return sink_.row(row);
  }

  // `cells_of` gives the cells of a record.
  template <class CellsOf>
  Status list(const std::vector<Entry>& all, std::string id, std::string title,
              std::initializer_list<const char*> labels, const CellsOf& cells_of) {
    const auto entries = profile_.entries(all);
    if (entries.empty()) return {};
    if (auto done = begin(std::move(id), std::move(title), labels); !done) return done;
    for (const Entry* one : entries) {
      if (auto done = row(cells_of(*one), {one->record}); !done) return done;
    }
    return sink_.end_table({});
  }

  bool hidden(std::string_view attribute) const {
    const auto& blinded = model::kBlindedAttributes;
    return !profile_.unblinded() &&
           std::find(blinded.begin(), blinded.end(), attribute) != blinded.end();
  }

  Status demographics() {
    const Subject& subject = profile_.subject();
    if (auto done = begin("demographics", "Demographics", {"Characteristic", "Value"}); !done) {
      return done;
    }
    if (auto done = row(cells("Subject", subject.id), {subject.record}); !done) return done;
    if (auto done = row(cells("Site", subject.site), {subject.record}); !done) return done;
    for (std::uint32_t i = 0; i < subject.attributes_count; ++i) {
      const auto& [name, value] = data().attributes[subject.attributes_from + i];
      if (hidden(data().text(name))) continue;
      if (auto done = row(cells(words(name), words(value)), {subject.record}); !done) return done;
    }
    for (const Entry* one : profile_.entries(data().demographics)) {
      std::string value = one->text != 0 ? words(one->text) : format_short(one->number);
      if (one->not_done) value = "not done";
      if (auto done = row(cells(words(one->code), value), {one->record}); !done) return done;
    }
    return sink_.end_table({});
  }

  Status dispositions() {
    return list(data().dispositions, "disposition", "Disposition",
                {"Date", "Day", "Event", "Category", "Term"}, [&](const Entry& one) {
                  return cells(to_string(one.date), profile_.study_day(one.date), words(one.code),
                               attribute(one, "dscat"), attribute(one, "dsterm"));
                });
  }

  Status visits() {
    return list(data().visits, "visits", "Visits", {"Date", "Day", "Visit", "Not done"},
                [&](const Entry& one) {
                  return cells(to_string(one.date), profile_.study_day(one.date), words(one.code),
                               one.not_done ? "not done" : "");
                });
  }

  // What was given, and until when, tells the treatment: the blinded have its place in time.
  Status exposures() {
    if (!profile_.unblinded()) {
      return list(data().exposures, "exposure", "Exposure", {"Start", "Day"},
                  [&](const Entry& one) {
                    return cells(to_string(one.date), profile_.study_day(one.date));
                  });
    }
    const auto& dosings = profile_.treatment().dosings;
    if (dosings.empty()) return {};
    auto done = begin("exposure", "Exposure",
                      {"Start", "Day", "End", "Treatment", "Dose", "Unit", "Frequency"});
    if (!done) return done;
    for (const Dosing& one : dosings) {
      const Date& start = one.record->date;
      std::string end = attribute(*one.record, "exendtc");
      done = row(cells(to_string(start), profile_.study_day(start), std::move(end),
                       std::string(one.treatment), format_short(one.dose), std::string(one.unit),
                       std::string(one.frequency)),
                 {one.record->record});
      if (!done) return done;
    }
    return sink_.end_table({});
  }

  Status adverse_events() {
    return list(data().adverse_events, "adverse-events", "Adverse events",
                {"Start", "Day", "End", "Preferred term", "Reported term", "Body system",
                 "Severity", "Serious", "Treatment-emergent", "Relation", "Action", "Outcome"},
                [&](const Entry& one) {
                  return cells(to_string(one.date), profile_.study_day(one.date),
                               to_string(end_of(data(), one, Kind::adverse_event)), words(one.code),
                               attribute(one, "aeterm"), std::string(body_system(data(), one)),
                               words(one.severity), one.serious ? "yes" : "no",
                               treatment_emergent(data(), one) ? "yes" : "no",
                               attribute(one, "aerel"), attribute(one, "aeacn"),
                               attribute(one, "aeout"));
                });
  }

  Status alerts() {
    const auto all = profile_.alerts();
    if (all.empty()) return {};
    auto done = begin("alerts", "Alerts",
                      {"Alert", "Raised", "Title", "Rule", "Severity", "State", "Holds",
                       "Historical", "Acknowledged"});
    if (!done) return done;
    for (const AlertHistory* one : all) {
      done = row(
          cells(std::to_string(one->alert), model::format_utc(one->raised_ms), words(one->title),
                words(one->rule), words(one->severity), std::string(to_string(one->life->state)),
                one->life->holds ? "yes" : "no", one->life->historical ? "yes" : "no",
                one->acknowledged_ms ? model::format_utc(*one->acknowledged_ms) : ""),
          one->causes);
      if (!done) return done;
    }
    const std::string notes[] = {"As of the report's positions. Record: those that caused it."};
    return sink_.end_table(notes);
  }

  static std::string shown_side(Side side) {
    switch (side) {
      case Side::low: return "low";
      case Side::normal: return "normal";
      case Side::high: return "high";
      case Side::unknown: break;
    }
    return "";
  }

  std::string value_of(const Measurement& one) const {
    if (one.not_done) return "not done";
    if (std::isnan(one.sent) && one.text == 0) return format_short(one.standard);
    std::string value = std::isnan(one.sent) ? "" : format_short(one.sent);
    if (one.text != 0) value += (value.empty() ? "" : " ") + words(one.text);
    return value;
  }

  Status measurements(Kind kind, std::string id, std::string title) {
    const auto all = profile_.measurements(kind);
    if (all.empty()) return {};
    auto done = begin(std::move(id), std::move(title),
                      {"Date", "Day", "Visit", "Test", "Time point", "Value", "Unit", "Low",
                       "High", "Flag", "Baseline"});
    if (!done) return done;
    for (const Measurement* one : all) {
      const CodeInfo* info = data().code(kind, one->code);
      done = row(
          cells(to_string(one->date), profile_.study_day(one->date), words(one->visit),
                words(info->name != 0 ? info->name : one->code), words(one->timepoint),
                value_of(*one), words(one->unit), format_short(one->sent_low()),
                format_short(one->sent_high()), shown_side(one->side), one->baseline ? "yes" : ""),
          {one->record});
      if (!done) return done;
    }
    const std::string notes[] = {"As sent; without a result as collected, the sender's own "
                                 "standardised one. The lines above are in the unit of the study's "
                                 "definition."};
    return sink_.end_table(notes);
  }
  Status labs() { return measurements(Kind::lab, "labs", "Laboratory values"); }
  Status vitals() { return measurements(Kind::vital, "vitals", "Vital signs"); }
  Status questionnaires() {
    return measurements(Kind::questionnaire, "questionnaires", "Questionnaires");
  }

  // What the formulary says, for those whose plan and whose drug's code are known.
  std::string coverage(const Entry& one) const {
    const TellCoverage* tell = profile_.context().coverage;
    const std::string_view plan = data().attribute(profile_.subject(), kPlanAttribute);
    const std::string_view code = data().attribute(one, kRxCuiAttribute);
    if (tell == nullptr || !*tell || plan.empty() || code.empty()) return {};
    return (*tell)(code, plan);
  }

  Status covered_medications() {
    const auto entries = profile_.entries(data().medications);
    const auto known = [&](const Entry* one) { return !coverage(*one).empty(); };
    if (std::none_of(entries.begin(), entries.end(), known)) return {};
    auto done = begin("coverage", "Coverage of the medication by the subject's plan",
                      {"Medication", "Code of RxNorm", "Plan", "Coverage"});
    if (!done) return done;
    for (const Entry* one : entries) {
      std::string words_of_one = coverage(*one);
      if (words_of_one.empty()) continue;
      done = row(cells(words(one->code), attribute(*one, kRxCuiAttribute),
                       std::string(data().attribute(profile_.subject(), kPlanAttribute)),
                       std::move(words_of_one)),
                 {one->record});
      if (!done) return done;
    }
    const std::string notes[] = {"By the list of the formulary that was there when the report was "
                                 "made, not as of the report's positions."};
    return sink_.end_table(notes);
  }

  Status medications() {
    return list(data().medications, "medications", "Concomitant medication",
                {"Start", "End", "Medication", "Reported name", "Dose", "Unit", "Frequency",
                 "Route", "Indication", "Visit"},
                [&](const Entry& one) {
                  const std::string dose = attribute(one, "cmdose");
                  const std::string unit = attribute(one, "cmdosu");
                  return cells(
                      to_string(one.date), to_string(end_of(data(), one, Kind::medication)),
                      words(one.code), attribute(one, "cmtrt"),
                      dose.empty() ? format_short(one.number) : dose,
                      unit.empty() ? words(one.unit) : unit, attribute(one, "cmdosfrq"),
                      attribute(one, "cmroute"), attribute(one, "cmindc"), words(one.visit));
                });
  }

  Status histories() {
    return list(data().histories, "medical-history", "Medical history",
                {"Start", "End", "Term", "Reported term", "Category"}, [&](const Entry& one) {
                  return cells(to_string(one.date),
                               to_string(end_of(data(), one, Kind::medical_history)),
                               words(one.code), attribute(one, "mhterm"), attribute(one, "mhcat"));
                });
  }

  const Profile& profile_;
  Sink& sink_;
};

}  // namespace

Status write_profile_lists(const Profile& profile, Sink& sink) {
  return Lists(profile, sink).write();
}

}  // namespace trialward::reports
