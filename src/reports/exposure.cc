// Extent of exposure: how long subjects were treated, and with how much. Which doses were given
// tells the treatment, so only the unblinded report has them.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "reports/catalogue.h"
#include "reports/summary.h"
#include "reports/treatment.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr int kDoseDecimals = 1;  // of means and doses; standard deviations have one more
constexpr int kSharesDecimals = 1;
constexpr double kDaysPerYear = 365.25;

const char* words_of(Dosing::End end) {
  switch (end) {
    case Dosing::End::recorded:
      return "recorded";
    case Dosing::End::disposition:
      return "disposition";
    case Dosing::End::ongoing:
      return "ongoing";
  }
  return "";
}

class ExposureReport {
 public:
  ExposureReport(const Context& context, Sink& sink)
      : context_(context),
        sink_(sink),
        groups_(context.groups()),
        treatments_(treatments_of(context.data)) {
    for (const Subject& subject : context.data.subjects) treated_.push_back(subject.treated);
    sizes_ = context.sizes(groups_, treated_);
    for (const Treatment& one : treatments_) sums_.push_back(one.sums());
    for (std::size_t i = 0; i < sums_.size(); ++i) {
      if (!counts(i)) continue;
      for (const auto& [key, sum] : sums_[i]) keys_.insert(key);
    }
  }

  Status write() {
    if (auto done = write_durations(); !done) return done;
    if (context_.parameters.unblinded) {
      if (auto done = write_doses(); !done) return done;
      if (auto done = write_levels(); !done) return done;
    }
    return write_listing();
  }

 private:
  const Subject& subject(std::size_t i) const { return context_.data.subjects[i]; }
  bool counts(std::size_t i) const {
    return treated_[i] && subject(i).arm != kNoArm && context_.in_scope(subject(i));
  }

  Status begin(std::string id, std::string title, std::size_t words) {
    TableHead head{std::move(id), std::move(title), {}};
    head.columns.insert(head.columns.end(), words, {.label = "", .words = true});
    for (Column& column : Context::columns(groups_, sizes_)) head.columns.push_back(column);
    return sink_.table(head);
  }

  // Five rows about a number of each subject, NaN where it is not known: n, mean and so on. `first`
  // stands before them.
  Status write_summary(const std::string& first, const std::vector<double>& numbers) {
    std::vector<std::vector<double>> by_group(groups_.size());
    std::vector<Drill> drills(groups_.size());
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (!counts(i) || std::isnan(numbers[i])) continue;
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (!Context::in(groups_[g], subject(i))) continue;
        by_group[g].push_back(numbers[i]);
        drills[g].add_subject(subject(i).id);
      }
    }
    std::vector<Summary> sums;
    Row row;
    row.cells = {Cell::words(first), Cell::words("n")};
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      sums.push_back(summarize(std::move(by_group[g])));
      row.cells.push_back(Cell::of_count(sums.back().n));
      row.cells.back().drill = std::move(drills[g]);
    }
    if (auto done = sink_.row(row); !done) return done;
    const struct {
      const char* label;
      double Summary::*value;
      int decimals;
    } lines[] = {{"Mean", &Summary::mean, kDoseDecimals},
                 {"SD", &Summary::sd, kDoseDecimals + 1},
                 {"Median", &Summary::median, kDoseDecimals},
                 {"Min", &Summary::low, kDoseDecimals},
                 {"Max", &Summary::high, kDoseDecimals}};
    for (const auto& [label, value, decimals] : lines) {
      Row line;
      line.cells = {Cell(), Cell::words(label)};
      for (const Summary& sum : sums) line.cells.push_back(context_.number(sum.*value, decimals));
      if (auto done = sink_.row(line); !done) return done;
    }
    return {};
  }

  template <class Holds>
  Status write_share(std::string first, std::string label, const Holds& holds) {
    if (auto going = context_.check(); !going) return going;
    Row row;
    row.cells = {first.empty() ? Cell() : Cell::words(std::move(first)),
                 Cell::words(std::move(label))};
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      Cell cell = context_.share(0, sizes_[g], kSharesDecimals);
      for (std::size_t i = 0; i < treatments_.size(); ++i) {
        if (!counts(i) || !Context::in(groups_[g], subject(i)) || !holds(i)) continue;
        ++cell.count;
        cell.drill.add_subject(subject(i).id);
      }
      row.cells.push_back(std::move(cell));
    }
    return sink_.row(row);
  }

  // How many are in which category; each subject is in the first that fits.
  Status write_categories(const std::string& title, const std::vector<Level>& levels,
                          const std::vector<double>& numbers, const char* without) {
    const auto level_of = [&](std::size_t i) {
      return std::find_if(levels.begin(), levels.end(),
                          [&](const Level& one) { return one.holds(numbers[i]); }) -
             levels.begin();
    };
    for (std::ptrdiff_t level = 0; level < std::ssize(levels); ++level) {
      const auto in = [&](std::size_t i) {
        return !std::isnan(numbers[i]) && level_of(i) == level;
      };
      auto done =
          write_share(level == 0 ? title : "", levels[static_cast<std::size_t>(level)].label, in);
      if (!done) return done;
    }
    const auto unknown = [&](std::size_t i) { return std::isnan(numbers[i]); };
    return write_share("", without, unknown);
  }

  std::vector<double> durations() const {
    std::vector<double> days;
    for (const Treatment& one : treatments_) {
      const auto period = one.period();
      days.push_back(period ? period->days() : std::numeric_limits<double>::quiet_NaN());
    }
    return days;
  }

  Status write_durations() {
    if (auto done = begin("durations", "Duration of treatment", 2); !done) return done;
    const auto days = durations();
    if (auto done = write_summary("Days", days); !done) return done;
    Row years;
    years.cells = {Cell::words("Subject-years"), Cell::words("Sum")};
    for (const Group& group : groups_) {
      double sum = 0;
      for (std::size_t i = 0; i < days.size(); ++i) {
        if (counts(i) && Context::in(group, subject(i)) && !std::isnan(days[i])) sum += days[i];
      }
      years.cells.push_back(context_.number(sum / kDaysPerYear, kDoseDecimals));
    }
    if (auto done = sink_.row(years); !done) return done;
    const auto& levels = context_.settings().exposure.durations;
    if (auto done = write_categories("Categories", levels, days, "Not known"); !done) return done;
    std::vector<std::string> notes = {
        "Treated subjects (N). Days: from the first dose to the last, both counted, interruptions "
        "included. A dose without an end goes on to the subject's disposition, or, without one, to "
        "the as-of time. Years of 365.25 days."};
    if (!context_.parameters.unblinded) {
      notes.emplace_back("Doses tell the treatment: the unblinded report has them.");
    }
    return sink_.end_table(notes);
  }

  static std::string title_of(const Treatment::Key& key) {
    const std::string unit = key.second.empty() ? "" : " (" + std::string(key.second) + ")";
    return std::string(key.first) + unit;
  }

  // A number of each subject's sum of one treatment.
  template <class Get>
  std::vector<double> of_sums(const Treatment::Key& key, const Get& get) const {
    std::vector<double> all;
    for (const auto& sums : sums_) {
      const auto found = sums.find(key);
      const std::optional<double> number = found == sums.end() ? std::nullopt : get(found->second);
      all.push_back(number.value_or(std::numeric_limits<double>::quiet_NaN()));
    }
    return all;
  }

  Status write_doses() {
    if (auto done = begin("doses", "Cumulative dose and mean daily dose", 2); !done) return done;
    const auto& levels = context_.settings().exposure.daily_doses;
    for (const Treatment::Key& key : keys_) {
      const auto cumulative = of_sums(key, [](const auto& sum) { return sum.cumulative; });
      if (auto done = write_summary("Cumulative: " + title_of(key), cumulative); !done) return done;
      const auto daily = of_sums(key, [](const auto& sum) { return sum.daily(); });
      if (auto done = write_summary("Mean per day: " + title_of(key), daily); !done) return done;
      if (levels.empty()) continue;
      auto done = write_categories("Mean per day, in categories: " + title_of(key), levels, daily,
                                   "Not given, or not known");
      if (!done) return done;
    }
    const std::string notes[] = {
        "Cumulative: the sum of all doses, as recorded: of each record its dose, as often as its "
        "frequency gives it from its start to its end. Mean per day: this by the days from the "
        "first dose of the treatment to the last. n: subjects who were given it, and of whom both "
        "are known; a frequency that is no term of CDISC's is named in the study's reports.toml."};
    return sink_.end_table(notes);
  }

  // How many were ever given a dose, and for how long.
  struct DoseLevel {
    std::map<std::size_t, int> days;  // by subject; what has no period counts 0
    std::vector<std::pair<std::size_t, std::int64_t>> records;
  };

  Status write_levels() {
    std::map<std::tuple<std::string_view, double, std::string_view>, DoseLevel> levels;
    for (std::size_t i = 0; i < treatments_.size(); ++i) {
      if (!counts(i)) continue;
      for (const Dosing& one : treatments_[i].dosings) {
        if (std::isnan(one.dose)) continue;
        DoseLevel& level = levels[{one.treatment, one.dose, one.unit}];
        level.days[i] += one.period ? one.period->days() : 0;
        level.records.emplace_back(i, one.record->record);
      }
    }
    TableHead head{"levels",
                   "Doses",
                   {{.label = "Treatment", .words = true}, {.label = "Dose", .words = true}}};
    for (const Column& column : Context::columns(groups_, sizes_)) {
      head.columns.push_back({.label = "n (%)", .group = column.label});
      head.columns.push_back({.label = "Days", .group = column.label});
    }
    if (auto done = sink_.table(head); !done) return done;
    for (const auto& [key, level] : levels) {
      if (auto going = context_.check(); !going) return going;
      const auto& [treatment, dose, unit] = key;
      Row row;
      row.cells = {Cell::words(std::string(treatment)),
                   Cell::words(format_short(dose) + (unit.empty() ? "" : " ") + std::string(unit))};
      for (std::size_t g = 0; g < groups_.size(); ++g) put_level(row, level, g);
      if (auto done = sink_.row(row); !done) return done;
    }
    const std::string notes[] = {
        "n: subjects who were ever given the dose. Days: on which they "
        "were, of all of them together."};
    return sink_.end_table(notes);
  }

  void put_level(Row& row, const DoseLevel& level, std::size_t g) const {
    Cell cell = context_.share(0, sizes_[g], kSharesDecimals);
    double sum = 0;
    Drill records;
    for (const auto& [i, of_subject] : level.days) {
      if (!Context::in(groups_[g], subject(i))) continue;
      ++cell.count;
      cell.drill.add_subject(subject(i).id);
      sum += of_subject;
    }
    for (const auto& [i, record] : level.records) {
      if (Context::in(groups_[g], subject(i))) records.add_record(record);
    }
    Cell days = Cell::of_number(sum, 0);  // no count: its records are not as many
    days.drill = std::move(records);
    row.cells.push_back(std::move(cell));
    row.cells.push_back(std::move(days));
  }

  Row row_of(std::size_t i) const {
    const Treatment& treatment = treatments_[i];
    Row row;
    row.cells = {Cell::words(subject(i).id), Cell::words(subject(i).site)};
    for (const Dosing& one : treatment.dosings) {
      row.cells.front().drill.add_record(one.record->record);
    }
    if (context_.parameters.unblinded) {
      const auto arm = static_cast<std::size_t>(subject(i).arm);
      row.cells.push_back(Cell::words(context_.settings().arms[arm].name));
    }
    if (const auto period = treatment.period()) {
      row.cells.push_back(Cell::words(to_string(date_of_day(period->first))));
      row.cells.push_back(Cell::words(to_string(date_of_day(period->last))));
      const auto ends = {Dosing::End::recorded, Dosing::End::disposition, Dosing::End::ongoing};
      const auto end = std::find_if(ends.begin(), ends.end(),
                                    [&](Dosing::End one) { return treatment.ends_with(one); });
      row.cells.push_back(Cell::words(words_of(*end)));
      row.cells.push_back(Cell::of_count(period->days()));
    } else {
      row.cells.insert(row.cells.end(), 4, Cell());
    }
    if (!context_.parameters.unblinded) return row;
    for (const Treatment::Key& key : keys_) {
      const auto sum = sums_[i].find(key);
      const bool given = sum != sums_[i].end();
      for (const auto& number : {given ? sum->second.cumulative : std::nullopt,
                                 given ? sum->second.daily() : std::nullopt}) {
        row.cells.push_back(number ? context_.number(*number, kDoseDecimals) : Cell());
      }
    }
    return row;
  }

  Status write_listing() {
    TableHead head{"subjects", "Exposure of each subject", {}};
    std::vector<const char*> labels = {"Subject", "Site"};
    if (context_.parameters.unblinded) labels.push_back("Arm");
    for (const char* label : {"First dose", "Last dose", "End known from"}) labels.push_back(label);
    for (const char* label : labels) head.columns.push_back({.label = label, .words = true});
    head.columns.push_back({.label = "Days"});
    for (const Treatment::Key& key : keys_) {
      if (!context_.parameters.unblinded) break;
      head.columns.push_back({.label = "Cumulative", .group = title_of(key)});
      head.columns.push_back({.label = "Per day", .group = title_of(key)});
    }
    if (auto done = sink_.table(head); !done) return done;
    for (std::size_t i = 0; i < treatments_.size(); ++i) {
      if (!counts(i)) continue;
      if (auto going = context_.check(); !going) return going;
      if (auto done = sink_.row(row_of(i)); !done) return done;
    }
    const std::string notes[] = {
        "End known from: what tells that the last dose ended. recorded: its own record; "
        "disposition: without that, the subject's disposition; ongoing: nothing, at the as-of "
        "time."};
    return sink_.end_table(notes);
  }

  const Context& context_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<Treatment> treatments_;
  std::vector<bool> treated_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::map<Treatment::Key, Treatment::Sum>> sums_;  // of each subject
  std::set<Treatment::Key> keys_;                               // of all of them
};

}  // namespace

Status write_exposure(const Context& context, Sink& sink) {
  return ExposureReport(context, sink).write();
}

}  // namespace trialward::reports
