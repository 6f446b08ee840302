// eDISH, evaluation of drug-induced serious hepatotoxicity: each subject's highest ALT (or, if
// asked for, ALT or AST) against the highest total bilirubin, how many lie in which quadrant, and
// who may be a case of Hy's law, by ALT or AST in either case.
#include <algorithm>
#include <array>
#include <cmath>

#include "reports/catalogue.h"
#include "reports/decimal.h"
#include "reports/liver.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr int kTimesDecimals = 2;
constexpr int kQuadrantDecimals = 1;
constexpr double kAxisLow = 0.1, kAxisHigh = 10;  // at least

constexpr std::array<LiverQuadrant, kLiverQuadrants> kQuadrants = {
    LiverQuadrant::hys_law, LiverQuadrant::temple, LiverQuadrant::cholestasis,
    LiverQuadrant::normal};

const char* name_of(LiverTest test) {
  switch (test) {
    case LiverTest::alt:
      return "ALT";
    case LiverTest::ast:
      return "AST";
    case LiverTest::bilirubin:
      return "bilirubin";
    case LiverTest::alp:
      return "ALP";
  }
  return "";
}

class Edish {
 public:
  Edish(const Context& context, LiverAxis axis, int window_days, Sink& sink)
      : context_(context),
        axis_(axis),
        window_days_(window_days),
        sink_(sink),
        groups_(context.groups()),
        courses_(liver_courses(context)) {
    std::vector<bool> treated;
    for (const Subject& subject : context.data.subjects) treated.push_back(subject.treated);
    sizes_ = context.sizes(groups_, treated);
    for (const LiverCourse& course : courses_) quadrants_.push_back(course.quadrant(axis_));
  }

  Status write() {
    if (auto going = context_.check(); !going) return going;
    if (auto done = sink_.plot(plot()); !done) return done;
    if (auto done = write_counts(); !done) return done;
    return write_listing();
  }

 private:
  bool candidate(const LiverCourse& course) const {
    const auto pair = course.closest_pair();
    return pair && std::abs(pair->days) <= window_days_;
  }
  const Subject& subject(std::size_t i) const { return context_.data.subjects[i]; }
  std::string transaminase() const { return axis_ == LiverAxis::alt ? "ALT" : "ALT or AST"; }

  std::string point_label(std::size_t i) const {
    std::string label = subject(i).id;
    const LiverValue* const peaks[] = {courses_[i].transaminase_peak(axis_),
                                       courses_[i].peak(LiverTest::bilirubin)};
    for (const LiverValue* peak : peaks) {
      label += std::string(label.size() == subject(i).id.size() ? ": " : ", ") +
               name_of(peak->test) + " " + format_fixed(peak->times_uln, kTimesDecimals) +
               " x ULN on " + to_string(peak->measured->date);
    }
    return label;
  }

  // A series of each arm, or of all subjects; then the limits.
  Plot plot() const {
    Plot plot{.id = "edish",
              .title = "Highest " + transaminase() + " against highest total bilirubin",
              .x = {.label = "Highest " + transaminase() + " (x ULN)",
                    .low = kAxisLow,
                    .high = kAxisHigh,
                    .log10 = true,
                    .ticks = {}},
              .y = {.label = "Highest total bilirubin (x ULN)",
                    .low = kAxisLow,
                    .high = kAxisHigh,
                    .log10 = true,
                    .ticks = {}},
              .series = {},
              .notes = {notes().front()},
              .labels = {}};
    for (const Group& group : groups_) {
      if (groups_.size() > 1 && group.arm == kNoArm) continue;
      Series series{.name = groups_.size() > 1 ? group.label : "Subjects"};
      for (std::size_t i = 0; i < courses_.size(); ++i) {
        if (!quadrants_[i] || !Context::in(group, subject(i))) continue;
        const double x = courses_[i].transaminase_peak(axis_)->times_uln;
        const double y = courses_[i].peak(LiverTest::bilirubin)->times_uln;
        series.points.push_back({x, y, point_label(i)});
        widen(plot.x, x);
        widen(plot.y, y);
      }
      plot.series.push_back(std::move(series));
    }
    add_limits(plot);
    return plot;
  }

  // To the next 1, 2 or 5 times a power of ten, so that a point does not stand on the edge.
  static void widen(Axis& axis, double value) {
    if (!(value > 0)) return;  // drawn at the lower end
    const auto outside = [&] { return value < axis.low || axis.high < value; };
    for (int i = 0; outside() && i < 12; ++i) {
      (value < axis.low ? axis.low : axis.high) *= value < axis.low ? 0.1 : 10;
    }
  }

  static void add_limits(Plot& plot) {
    const auto limit = [&](double x1, double y1, double x2, double y2) {
      plot.series.push_back({.name = "",
                             .line = true,
                             .dashed = true,
                             .marks = false,
                             .strong = false,
                             .points = {{x1, y1, ""}, {x2, y2, ""}}});
    };
    limit(kTransaminaseLimit, plot.y.low, kTransaminaseLimit, plot.y.high);
    limit(plot.x.low, kBilirubinLimit, plot.x.high, kBilirubinLimit);
    plot.labels = {{plot.x.high, plot.y.high, title_of(LiverQuadrant::hys_law)},
                   {plot.x.high, plot.y.low, title_of(LiverQuadrant::temple)},
                   {plot.x.low, plot.y.high, title_of(LiverQuadrant::cholestasis)},
                   {plot.x.low, plot.y.low, title_of(LiverQuadrant::normal)}};
  }

  template <class Holds>
  Status count_row(std::string label, const std::vector<std::int64_t>& of, bool strong,
                   const Holds& holds) {
    Row row;
    row.strong = strong;
    row.cells.push_back(Cell::words(std::move(label)));
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      Cell cell = context_.share(0, of[g], kQuadrantDecimals);
      for (std::size_t i = 0; i < courses_.size(); ++i) {
        const Subject& one = subject(i);
        if (!one.treated || !context_.in_scope(one) || !Context::in(groups_[g], one)) continue;
        if (!holds(i)) continue;
        ++cell.count;
        cell.drill.add_subject(one.id);
      }
      row.cells.push_back(std::move(cell));
    }
    return sink_.row(row);
  }

  Status write_counts() {
    TableHead head{"quadrants", "Subjects by quadrant", {{.label = "", .words = true}}};
    for (Column& column : Context::columns(groups_, sizes_)) {
      head.columns.push_back({.label = "n (%)", .group = column.label});
    }
    if (auto done = sink_.table(head); !done) return done;
    std::vector<bool> placed;
    for (const auto& quadrant : quadrants_) placed.push_back(quadrant.has_value());
    const auto of = context_.sizes(groups_, placed);
    const auto is_placed = [&](std::size_t i) { return placed[i]; };
    if (auto done = count_row("With both peaks", sizes_, true, is_placed); !done) return done;
    for (const LiverQuadrant quadrant : kQuadrants) {
      const auto in = [&](std::size_t i) { return quadrants_[i] == quadrant; };
      if (auto done = count_row(title_of(quadrant), of, false, in); !done) return done;
    }
    std::vector<bool> measured;  // by ALT or AST, whatever the axis is
    for (const LiverCourse& course : courses_) {
      measured.push_back(course.quadrant(LiverAxis::alt_or_ast).has_value());
    }
    const auto is_candidate = [&](std::size_t i) { return candidate(courses_[i]); };
    if (auto done = count_row("Candidates for Hy's law", context_.sizes(groups_, measured), true,
                              is_candidate);
        !done) {
      return done;
    }
    return sink_.end_table(notes());
  }

  void put_value(Row& row, const LiverValue* value) const {
    if (!value) {
      row.cells.insert(row.cells.end(), 2, Cell());
      return;
    }
    Cell times = context_.number(value->times_uln, kTimesDecimals);
    times.drill.add_record(value->measured->record);
    row.cells.push_back(std::move(times));
    row.cells.push_back(Cell::words(to_string(value->measured->date)));
  }

  Row row_of(std::size_t i) const {
    const LiverCourse& course = courses_[i];
    const auto pair = course.closest_pair();
    const LiverValue* bilirubin = course.peak(LiverTest::bilirubin);
    Row row;
    row.cells.push_back(Cell::words(subject(i).id));
    row.cells.back().drill.add_subject(subject(i).id);
    row.cells.push_back(Cell::words(subject(i).site));
    if (context_.parameters.unblinded) {
      const auto arm = static_cast<std::size_t>(subject(i).arm);
      row.cells.push_back(Cell::words(context_.settings().arms[arm].name));
    }
    row.cells.push_back(Cell::words(candidate(course) ? "yes" : "no"));
    put_value(row, course.peak(LiverTest::alt));
    put_value(row, course.peak(LiverTest::ast));
    put_value(row, bilirubin);
    put_value(row, course.nearest(LiverTest::alp, *bilirubin));
    put_value(row, pair->transaminase);
    put_value(row, pair->bilirubin);
    row.cells.push_back(Cell::of_number(pair->days, 0));
    return row;
  }

  Status write_listing() {
    TableHead head{"hys-law", "Subjects in the quadrant of Hy's law, and other candidates", {}};
    for (const char* label : {"Subject", "Site"}) {
      head.columns.push_back({.label = label, .words = true});
    }
    if (context_.parameters.unblinded) head.columns.push_back({.label = "Arm", .words = true});
    head.columns.push_back({.label = "Candidate", .words = true});
    for (const char* group :
         {"Highest ALT", "Highest AST", "Highest bilirubin", "ALP nearest to that bilirubin",
          "Closest pair: ALT or AST", "Closest pair: bilirubin"}) {
      head.columns.push_back({.label = "x ULN", .group = group});
      head.columns.push_back({.label = "Date", .group = group, .words = true});
    }
    head.columns.push_back({.label = "Days between", .group = "Closest pair: days"});
    if (auto done = sink_.table(head); !done) return done;
    for (std::size_t i = 0; i < courses_.size(); ++i) {
      if (quadrants_[i] != LiverQuadrant::hys_law && !candidate(courses_[i])) continue;
      if (auto going = context_.check(); !going) return going;
      if (auto done = sink_.row(row_of(i)); !done) return done;
    }
    const std::string notes[] = {
        "Closest pair: of all values at the limits or above, the transaminase and the bilirubin "
        "with the fewest days between them; negative when the bilirubin came first.",
        "Initial cholestasis (ALP at 2 x ULN or more), viral hepatitis, liver disease from before "
        "and other drugs speak against Hy's law: this is for a clinician to judge."};
    return sink_.end_table(notes);
  }

  std::vector<std::string> notes() const {
    return {
        "Treated subjects; the highest values after the day of the first dose, in multiples of "
        "the upper limit of normal (ULN) of each value's own range. Limits: " +
            transaminase() + " " + format_short(kTransaminaseLimit) + " x ULN, total bilirubin " +
            format_short(kBilirubinLimit) + " x ULN; what is at a limit lies beyond it.",
        "A candidate for Hy's law has an ALT or AST of " + format_short(kTransaminaseLimit) +
            " x ULN or above, as the FDA's guidance has it, and, at most " +
            std::to_string(window_days_) +
            " days before or after it, a total bilirubin at its limit or above. The quadrant "
            "alone asks for no window" +
            (axis_ == LiverAxis::alt ? " and does not look at AST (axis=alt-or-ast does)" : "") +
            ". Sources: FDA, Guidance for Industry, Drug-Induced Liver "
            "Injury: Premarketing Clinical Evaluation, July 2009; Watkins et al., Drug Safety "
            "2011, 34:243-252; the guidance has bilirubin above, not at, 2 x ULN. The window "
            "is this report's, to be set by days=N.",
        "Percentages are of the subjects with both peaks; of \"With both peaks\", of all (N); of "
        "the candidates, of those with a bilirubin and an ALT or AST. "
        "A result given as a limit (\"<0.2\") counts as it."};
  }

  const Context& context_;
  const LiverAxis axis_;
  const int window_days_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<LiverCourse> courses_;
  std::vector<std::int64_t> sizes_;
  std::vector<std::optional<LiverQuadrant>> quadrants_;
};

}  // namespace

Status write_edish(const Context& context, Sink& sink) {
  const std::string_view given = context.parameter("days");
  const int days = given.empty() ? kHysLawDays : whole_number(given, kWindowDaysMax).value();
  const bool either = context.parameter("axis") == kAltOrAst;
  return Edish(context, either ? LiverAxis::alt_or_ast : LiverAxis::alt, days, sink).write();
}

}  // namespace trialward::reports
