// Laboratory shift tables: where values lay at the baseline, and where at each visit.
#include <algorithm>
#include <array>

#include "reports/catalogue.h"
#include "reports/decimal.h"
#include "reports/visit_series.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr std::array<Side, 3> kSides = {Side::low, Side::normal, Side::high};

const char* label_of(Side side) {
  switch (side) {
    case Side::low: return "Low";
    case Side::normal: return "Normal";
    case Side::high: return "High";
    case Side::unknown: break;
  }
  return "";
}

std::size_t index_of(Side side) {
  return static_cast<std::size_t>(std::find(kSides.begin(), kSides.end(), side) - kSides.begin());
}

class ShiftTable {
 public:
  ShiftTable(const Context& context, Sink& sink)
      : context_(context),
        sink_(sink),
        groups_(context.groups()),
        sizes_(context.sizes(groups_)),
        visits_(scheduled_visits(context.data, model::Kind::lab)) {}

  Status write() {
    std::string category;
    bool open = false;
    for (const Measured& what : measured_codes(context_.data, model::Kind::lab)) {
      if (auto going = context_.check(); !going) return going;
      const std::string of_code(context_.data.text(what.code->category));
      if (!open || of_code != category) {
        if (open) {
          if (auto done = sink_.end_table(notes()); !done) return done;
        }
        category = of_code;
        if (auto done = sink_.table(head(category)); !done) return done;
        open = true;
      }
      if (auto done = write_code(what); !done) return done;
    }
    return open ? sink_.end_table(notes()) : Status();
  }

 private:
  TableHead head(const std::string& category) const {
    TableHead head;
    head.id = "shifts-" + std::to_string(++tables_);
    head.title = "Shifts of laboratory values by visit" +
                 (category.empty() ? "" : ": " + category);
    const Settings& settings = context_.settings();
    const bool range_alone = settings.shift_low == 1 && settings.shift_high == 1;
    head.subtitle = range_alone ? "Normal: within the reference range."
                                : "Normal: from " + format_short(settings.shift_low) +
                                      " times the lower end of the reference range to " +
                                      format_short(settings.shift_high) + " times its upper end.";
    head.columns = {{.label = "Test", .words = true},
                    {.label = "Visit", .words = true},
                    {.label = "Shift to", .words = true}};
    for (const Column& column : Context::columns(groups_, sizes_)) {
      for (const Side side : kSides) {
        head.columns.push_back({.label = std::string(label_of(side)) + " at baseline",
                                .group = column.label});
      }
    }
    return head;
  }

  std::vector<std::string> notes() const {
    const Settings& settings = context_.settings();
    return {"Low: below " + format_short(settings.shift_low) +
                " times the lower end of the reference range; high: above " +
                format_short(settings.shift_high) + " times its upper end.",
            "N: all to whom the arm was assigned, treated or not.",
            "n: subjects with a baseline value and one at the visit, the last where there are "
            "several; percentages are of n. A result given as a limit (\"<0.2\") counts as it."};
  }

  // How many went from each side to each, of one group at one visit.
  struct Shifts {
    std::array<std::array<Cell, 3>, 3> cells;  // [to][from]
    std::array<Cell, 3> n;                     // by from
  };

  Side side(const Measurement* one) const {
    if (!one) return Side::unknown;
    return side_of(*one, context_.settings().shift_low, context_.settings().shift_high);
  }

  Status write_code(const Measured& what) {
    const auto series = series_of(context_.data, what, visits_);
    // What has no reference range, or no baseline, has no shifts.
    const auto is_placed = [&](const Measurement* one) { return side(one) != Side::unknown; };
    const bool any = std::any_of(series.begin(), series.end(), [&](const SubjectSeries& one) {
      return is_placed(one.baseline) && std::any_of(one.at.begin(), one.at.end(), is_placed);
    });
    if (!any) return {};
    for (std::size_t visit = 0; visit < visits_.size(); ++visit) {
      std::vector<Shifts> shifts(groups_.size());
      for (std::size_t i = 0; i < series.size(); ++i) {
        if (series[i].at[visit]) count(series[i], visit, context_.data.subjects[i], shifts);
      }
      const bool first = visit == 0;
      if (auto done = write_visit(first ? what.title : "", visits_[visit].label, shifts); !done) {
        return done;
      }
    }
    return {};
  }

  void count(const SubjectSeries& series, std::size_t visit, const Subject& subject,
             std::vector<Shifts>& shifts) const {
    const Side from = side(series.baseline), to = side(series.at[visit]);
    if (from == Side::unknown || to == Side::unknown || !context_.in_scope(subject)) return;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (!Context::in(groups_[g], subject)) continue;
      Cell& cell = shifts[g].cells[index_of(to)][index_of(from)];
      ++cell.count;
      cell.drill.add_subject(subject.id);
      cell.drill.add_record(series.at[visit]->record);
      Cell& n = shifts[g].n[index_of(from)];
      ++n.count;
      n.drill.add_subject(subject.id);
    }
  }

  Status write_visit(const std::string& test, const std::string& visit,
                     std::vector<Shifts>& shifts) {
    Row row;
    row.cells = {Cell::words(test), Cell::words(visit), Cell::words("n")};
    for (const Shifts& one : shifts) {
      for (const Cell& n : one.n) {
        row.cells.push_back(Cell::of_count(n.count));
        row.cells.back().drill = n.drill;
      }
    }
    if (auto done = sink_.row(row); !done) return done;
    for (const Side to : kSides) {
      Row of_side;
      of_side.cells = {Cell(), Cell(), Cell::words(label_of(to))};
      for (Shifts& one : shifts) {
        for (std::size_t from = 0; from < kSides.size(); ++from) {
          Cell& counted = one.cells[index_of(to)][from];
          Cell cell = context_.share(counted.count, one.n[from].count, 0);
          cell.drill = std::move(counted.drill);
          of_side.cells.push_back(std::move(cell));
        }
      }
      if (auto done = sink_.row(of_side); !done) return done;
    }
    return {};
  }

  const Context& context_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<std::int64_t> sizes_;
  const std::vector<ScheduledVisit> visits_;
  mutable int tables_ = 0;
};

}  // namespace

Status write_lab_shifts(const Context& context, Sink& sink) {
  return ShiftTable(context, sink).write();
}

}  // namespace trialward::reports
