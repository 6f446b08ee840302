// Demographics and baseline characteristics: of the subjects to whom an arm was assigned.
#include <cmath>

#include "reports/catalogue.h"
#include "reports/group_tests.h"
#include "reports/summary.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr int kDecimals = 1;   // of means and values; standard deviations have one more
constexpr int kPDecimals = 4;

class DemographicTable {
 public:
  DemographicTable(const Context& context, Sink& sink)
      : context_(context), sink_(sink), groups_(context.groups()), sizes_(context.sizes(groups_)) {}

  Status write() {
    TableHead head{"characteristics", "Demographic and baseline characteristics",
                   {{.label = "Characteristic", .words = true}, {.label = "", .words = true}}};
    for (Column& column : Context::columns(groups_, sizes_)) head.columns.push_back(column);
    if (tested()) head.columns.push_back({.label = "p-value"});
    if (auto done = sink_.table(head); !done) return done;
    const auto values = evaluate_characteristics(context_.data);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (auto going = context_.check(); !going) return going;
      title_ = context_.settings().characteristics[i].title;
      if (auto done = write_one(values[i]); !done) return done;
    }
    std::vector<std::string> notes = {
        "n: subjects of whom it is known. Percentages are of all subjects of the arm (N)."};
    if (tested()) {
      notes.emplace_back("p-values: one-way analysis of variance for numbers, Pearson's "
                         "chi-square for categories, between the arms.");
    }
    return sink_.end_table(notes);
  }

 private:
  bool tested() const { return groups_.size() > 2; }

  Status write_one(const CharacteristicValues& values) {
    if (auto done = write_n(values); !done) return done;
    if (!values.numbers.empty()) {
      if (auto done = write_numbers(values.numbers); !done) return done;
    }
    return values.levels.empty() ? Status() : write_levels(values);
  }

  // The subjects of a group, by index.
  template <class Use>
  void each(const Group& group, const Use& use) const {
    const auto& subjects = context_.data.subjects;
    for (std::size_t i = 0; i < subjects.size(); ++i) {
      if (context_.in_scope(subjects[i]) && Context::in(group, subjects[i])) use(i);
    }
  }

  static bool known(const CharacteristicValues& values, std::size_t i) {
    return values.numbers.empty() ? values.levels[i] >= 0 : !std::isnan(values.numbers[i]);
  }

  // The first row of a characteristic bears its title.
  Row begin_row(std::string label) {
    Row row;
    row.cells.push_back(Cell::words(std::move(title_)));
    row.cells.push_back(Cell::words(std::move(label)));
    title_.clear();
    return row;
  }

  Status end_row(Row row, std::optional<double> p) {
    if (tested()) row.cells.push_back(p ? Cell::of_p(*p, kPDecimals) : Cell());
    return sink_.row(row);
  }

  Status write_n(const CharacteristicValues& values) {
    Row row = begin_row("n");
    for (const Group& group : groups_) {
      Cell n = Cell::of_count(0);
      each(group, [&](std::size_t i) {
        if (!known(values, i)) return;
        ++n.count;
        n.drill.add_subject(context_.data.subjects[i].id);
      });
      row.cells.push_back(std::move(n));
    }
    return end_row(std::move(row), values.numbers.empty() ? p_of_levels(values)
                                                          : p_of_numbers(values.numbers));
  }

  std::vector<std::vector<double>> by_group(const std::vector<double>& numbers) const {
    std::vector<std::vector<double>> all;
    for (const Group& group : groups_) {
      auto& of_group = all.emplace_back();
      each(group, [&](std::size_t i) {
        if (!std::isnan(numbers[i])) of_group.push_back(numbers[i]);
      });
    }
    return all;
  }

  // The last group is the total.
  std::optional<double> p_of_numbers(const std::vector<double>& numbers) const {
    auto groups = by_group(numbers);
    groups.pop_back();
    return anova_p(groups);
  }

  std::optional<double> p_of_levels(const CharacteristicValues& values) const {
    std::vector<std::vector<std::int64_t>> counts;
    for (std::size_t g = 0; g + 1 < groups_.size(); ++g) {
      auto& of_group = counts.emplace_back(values.labels.size());
      each(groups_[g], [&](std::size_t i) {
        if (values.levels[i] >= 0) ++of_group[static_cast<std::size_t>(values.levels[i])];
      });
    }
    return chi_square_p(counts);
  }

  Status write_numbers(const std::vector<double>& numbers) {
    std::vector<Summary> sums;
    for (auto& of_group : by_group(numbers)) sums.push_back(summarize(std::move(of_group)));
    const struct {
      const char* label;
      double Summary::*value;
      int decimals;
    } rows[] = {{"Mean", &Summary::mean, kDecimals},     {"SD", &Summary::sd, kDecimals + 1},
                {"Median", &Summary::median, kDecimals}, {"Min", &Summary::low, kDecimals},
                {"Max", &Summary::high, kDecimals}};
    for (const auto& [label, value, decimals] : rows) {
      Row row = begin_row(label);
      for (const Summary& sum : sums) row.cells.push_back(context_.number(sum.*value, decimals));
      if (auto done = end_row(std::move(row), std::nullopt); !done) return done;
    }
    return {};
  }

  Status write_levels(const CharacteristicValues& values) {
    const bool below_numbers = !values.numbers.empty();
    for (std::size_t level = 0; level < values.labels.size(); ++level) {
      Row row = begin_row(values.labels[level]);
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        Cell cell = context_.share(0, sizes_[g], 0);
        each(groups_[g], [&](std::size_t i) {
          if (values.levels[i] != static_cast<int>(level)) return;
          ++cell.count;
          cell.drill.add_subject(context_.data.subjects[i].id);
        });
        row.cells.push_back(std::move(cell));
      }
      const bool bears_p = below_numbers && level == 0;
      if (auto done = end_row(std::move(row), bears_p ? p_of_levels(values) : std::nullopt);
          !done) {
        return done;
      }
    }
    return {};
  }

  const Context& context_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<std::int64_t> sizes_;
  std::string title_;
};

}  // namespace

Status write_demographics(const Context& context, Sink& sink) {
  return DemographicTable(context, sink).write();
}

}  // namespace trialward::reports
