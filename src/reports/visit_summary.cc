// Laboratory values and vital signs by visit, and their change from the baseline.
#include <algorithm>
#include <cmath>
#include <map>

#include "reports/catalogue.h"
#include "reports/decimal.h"
#include "reports/sum_lines.h"
#include "reports/visit_series.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr int kValueDecimalsMax = 3, kSentDecimalsMax = 4;

class SummaryTable {
 public:
  SummaryTable(const Context& context, model::Kind kind, Sink& sink)
      : context_(context),
        kind_(kind),
        sink_(sink),
        groups_(context.groups()),
        sizes_(context.sizes(groups_)),
        visits_(scheduled_visits(context.data, kind)) {}

  Status write() {
    TableHead head{"by-visit",
                   "Values and change from the baseline by visit",
                   {{.label = "Test", .words = true},
                    {.label = "Visit", .words = true},
                    {.label = "", .words = true}}};
    for (const Column& column : Context::columns(groups_, sizes_)) {
      head.columns.push_back({.label = "Value", .group = column.label});
      head.columns.push_back({.label = "Change", .group = column.label});
    }
    if (auto done = sink_.table(head); !done) return done;
    for (const Measured& what : measured_codes(context_.data, kind_)) {
      if (auto going = context_.check(); !going) return going;
      if (auto done = write_code(what); !done) return done;
    }
    const std::string notes[] = {
        "N: all to whom the arm was assigned, treated or not; n: those of them with a value, the "
        "last where a visit has several.",
        "In the unit of the study's definition. Change: of subjects with a baseline value. A "
        "result given as a limit (\"<0.2\") is left out. Decimals follow those of the values as "
        "they "
        "were sent: means and medians have one more, standard deviations two."};
    return sink_.end_table(notes);
  }

 private:
  // Of one group at one visit, and whose they are.
  struct Numbers {
    std::vector<double> values, changes;
    Drill of_values, of_changes;
  };

  Status write_code(const Measured& what) {
    const auto series = series_of(context_.data, what, visits_);
    decimals_ = 0;
    const auto look_at = [&](const Measurement* one) {
      if (one && !std::isnan(one->value)) decimals_ = std::max(decimals_, decimals_of_own(*one));
    };
    for (const SubjectSeries& one : series) {
      look_at(one.baseline);
      for (const Measurement* at : one.at) look_at(at);
    }
    title_ = what.title;
    const auto at_baseline = [](const SubjectSeries& one) { return one.baseline; };
    if (auto done = write_visit("Baseline", series, at_baseline); !done) return done;
    for (std::size_t visit = 0; visit < visits_.size(); ++visit) {
      const auto at = [visit](const SubjectSeries& one) { return one.at[visit]; };
      if (auto done = write_visit(visits_[visit].label, series, at); !done) return done;
    }
    return {};
  }

  // With how many decimals a value was measured, told in the code's own unit: 97.5 F is 36.4 C, and
  // not 36.389. A conversion shifts the decimals by the power of ten that its factor is nearest to.
  int decimals_of_own(const Measurement& one) {
    if (std::isnan(one.sent)) return decimals_of(one.value, kValueDecimalsMax);
    const auto [found, is_new] = shifts_.try_emplace({one.code, one.unit});
    if (is_new) found->second = shift_of(one);
    const int decimals = decimals_of(one.sent, kSentDecimalsMax);
    return std::clamp(decimals + found->second, 0, kValueDecimalsMax);
  }

  int shift_of(const Measurement& one) const {
    const Dataset& data = context_.data;
    const model::Code* code = context_.study().code(kind_, data.text(one.code));
    if (!code || code->units.empty()) return 0;
    const auto to_own = code->to_own(data.text(one.unit));
    if (!to_own || !to_own->linear || !(std::abs(to_own->factor) > 0)) return 0;
    return static_cast<int>(std::lround(-std::log10(std::abs(to_own->factor))));
  }

  template <class At>
  Status write_visit(const std::string& label, const std::vector<SubjectSeries>& series,
                     const At& at) {
    std::vector<Numbers> numbers(groups_.size());
    for (std::size_t i = 0; i < series.size(); ++i) {
      const Subject& subject = context_.data.subjects[i];
      const Measurement *one = at(series[i]), *baseline = series[i].baseline;
      if (!one || std::isnan(one->value) || !context_.in_scope(subject)) continue;
      const bool changed = baseline && baseline != one && !std::isnan(baseline->value);
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (!Context::in(groups_[g], subject)) continue;
        add(numbers[g].values, numbers[g].of_values, one->value, subject, *one);
        if (!changed) continue;
        add(numbers[g].changes, numbers[g].of_changes, one->value - baseline->value, subject, *one);
      }
    }
    // A visit at which nobody was measured has no rows.
    const bool any = std::any_of(numbers.begin(), numbers.end(),
                                 [](auto& of_group) { return !of_group.values.empty(); });
    return any ? write_sums(label, numbers) : Status();
  }

  static void add(std::vector<double>& numbers, Drill& drill, double number, const Subject& subject,
                  const Measurement& one) {
    numbers.push_back(number);
    drill.add_subject(subject.id);
    drill.add_record(one.record);
  }

  Status write_sums(const std::string& visit, std::vector<Numbers>& numbers) {
    Row row;
    row.cells = {Cell::words(std::move(title_)), Cell::words(visit), Cell::words("n")};
    title_.clear();
    std::vector<Summary> sums;
    const auto sum_up = [&](std::vector<double>& all, Drill& drill) {
      sums.push_back(summarize(std::move(all)));
      row.cells.push_back(Cell::of_count(sums.back().n));
      row.cells.back().drill = std::move(drill);
    };
    for (Numbers& of_group : numbers) {
      sum_up(of_group.values, of_group.of_values);
      sum_up(of_group.changes, of_group.of_changes);
    }
    if (auto done = sink_.row(row); !done) return done;
    return write_sum_lines(context_, sums, decimals_, sink_);
  }

  const Context& context_;
  const model::Kind kind_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<std::int64_t> sizes_;
  const std::vector<ScheduledVisit> visits_;
  int decimals_ = 0;                             // of the values of the code that is being written
  std::map<std::pair<Word, Word>, int> shifts_;  // by code and unit
  std::string title_;
};

}  // namespace

Status write_lab_summary(const Context& context, Sink& sink) {
  return SummaryTable(context, model::Kind::lab, sink).write();
}

Status write_vital_signs(const Context& context, Sink& sink) {
  return SummaryTable(context, model::Kind::vital, sink).write();
}

}  // namespace trialward::reports
