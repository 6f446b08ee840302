// Questionnaires by visit: how many were expected and answered, the scores and their change from
// the baseline, and the mean scores over time.
#include <algorithm>
#include <cmath>

#include "reports/catalogue.h"
#include "reports/decimal.h"
#include "reports/questionnaire.h"
#include "reports/sum_lines.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr int kPercentDecimals = 1;
constexpr int kScoreDecimalsMax = 1;
constexpr double kPadding = 0.1;  // of the plots' span, above and below
constexpr double kTicksApart = 0.04;  // of the weeks' span, at least

// The scores of one group at one visit, and whose they are.
struct Scores {
  std::vector<double> values, changes;
  Drill of_values, of_changes;
};

class ComplianceReport {
 public:
  ComplianceReport(const Context& context, Sink& sink)
      : context_(context),
        sink_(sink),
        groups_(context.groups()),
        sizes_(context.sizes(groups_)),
        all_(answers_of(context.data)) {}

  Status write() {
    if (auto going = context_.check(); !going) return going;
    if (auto done = write_compliance(); !done) return done;
    if (auto done = write_scores(); !done) return done;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      if (!all_[i].scored) continue;
      if (auto going = context_.check(); !going) return going;
      const Plot plot = plot_of(all_[i], "scores-" + std::to_string(i + 1));
      if (plot.series.empty()) continue;
      if (auto done = sink_.plot(plot); !done) return done;
    }
    return {};
  }

 private:
  std::vector<Column> columns_by_group(std::initializer_list<const char*> labels) const {
    std::vector<Column> columns;
    for (const Column& group : Context::columns(groups_, sizes_)) {
      for (const char* label : labels) columns.push_back({.label = label, .group = group.label});
    }
    return columns;
  }

  bool counts(std::size_t subject, std::size_t group) const {
    const Subject& one = context_.data.subjects[subject];
    return context_.in_scope(one) && Context::in(groups_[group], one);
  }

  Status write_compliance() {
    TableHead head{"compliance", "Questionnaires expected and answered by visit",
                   {{.label = "Questionnaire", .words = true},
                    {.label = "Visit", .words = true}}};
    for (Column& column : columns_by_group({"Expected", "Answered", "Missing"})) {
      head.columns.push_back(std::move(column));
    }
    if (auto done = sink_.table(head); !done) return done;
    for (const QuestionnaireAnswers& one : all_) {
      for (std::size_t visit = 0; visit < one.visits.size(); ++visit) {
        if (auto going = context_.check(); !going) return going;
        if (auto done = sink_.row(compliance_row(one, visit)); !done) return done;
      }
    }
    const std::string notes[] = {
        "Expected: who belongs to the questionnaire's population and, after the baseline, came to "
        "the visit, or answered, or had not left the study by the day when the visit was due. N: "
        "all to whom the arm was assigned."};
    return sink_.end_table(notes);
  }

  Row compliance_row(const QuestionnaireAnswers& one, std::size_t visit) const {
    Row row;
    row.cells = {Cell::words(visit == 0 ? one.title : ""), Cell::words(one.visits[visit].label)};
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      Cell expected = Cell::of_count(0), answered = context_.share(0, 0, kPercentDecimals),
           missing = Cell::of_count(0);
      for (std::size_t i = 0; i < context_.data.subjects.size(); ++i) {
        const Answer& answer = one.at(i, visit);
        if (!answer.expected || !counts(i, g)) continue;
        const std::string& id = context_.data.subjects[i].id;
        ++expected.count;
        expected.drill.add_subject(id);
        Cell& cell = answer.answered ? answered : missing;
        ++cell.count;
        cell.drill.add_subject(id);
      }
      answered.of = expected.count;
      for (Cell* cell : {&expected, &answered, &missing}) row.cells.push_back(std::move(*cell));
    }
    return row;
  }

  // Of those who were expected: of the population.
  std::vector<Scores> scores_of(const QuestionnaireAnswers& one, std::size_t visit) const {
    std::vector<Scores> all(groups_.size());
    const bool at_baseline = one.has_baseline && visit == 0;
    for (std::size_t i = 0; i < context_.data.subjects.size(); ++i) {
      const Answer& answer = one.at(i, visit);
      if (!answer.expected || std::isnan(answer.score)) continue;
      const double baseline = one.has_baseline && !at_baseline ? one.at(i, 0).score : NAN;
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        if (!counts(i, g)) continue;
        const std::string& id = context_.data.subjects[i].id;
        all[g].values.push_back(answer.score);
        all[g].of_values.add_subject(id);
        all[g].of_values.add_record(answer.record);
        if (std::isnan(baseline)) continue;
        all[g].changes.push_back(answer.score - baseline);
        all[g].of_changes.add_subject(id);
        all[g].of_changes.add_record(answer.record);
      }
    }
    return all;
  }

  Status write_scores() {
    TableHead head{"scores", "Scores and change from the baseline by visit",
                   {{.label = "Questionnaire", .words = true},
                    {.label = "Visit", .words = true},
                    {.label = "", .words = true}}};
    for (Column& column : columns_by_group({"Value", "Change"})) {
      head.columns.push_back(std::move(column));
    }
    if (auto done = sink_.table(head); !done) return done;
    for (const QuestionnaireAnswers& one : all_) {
      if (!one.scored) continue;
      int decimals = 0;
      for (const Answer& answer : one.answers) {
        if (std::isnan(answer.score)) continue;
        decimals = std::max(decimals, decimals_of(answer.score, kScoreDecimalsMax));
      }
      std::string title = one.title;
      for (std::size_t visit = 0; visit < one.visits.size(); ++visit) {
        if (auto going = context_.check(); !going) return going;
        auto scores = scores_of(one, visit);
        const auto has_some = [](const Scores& of_group) { return !of_group.values.empty(); };
        const bool any = std::any_of(scores.begin(), scores.end(), has_some);
        if (!any) continue;
        if (auto done = write_sums(title, one.visits[visit].label, decimals, scores); !done) {
          return done;
        }
        title.clear();
      }
    }
    const std::string notes[] = {"Change: of subjects with a score at the baseline."};
    return sink_.end_table(notes);
  }

  Status write_sums(const std::string& title, const std::string& visit, int decimals,
                    std::vector<Scores>& scores) {
    Row row;
    row.cells = {Cell::words(title), Cell::words(visit), Cell::words("n")};
    std::vector<Summary> sums;
    for (Scores& of_group : scores) {
      const auto add = [&](std::vector<double>& numbers, Drill& drill) {
        sums.push_back(summarize(std::move(numbers)));
        row.cells.push_back(Cell::of_count(sums.back().n));
        row.cells.back().drill = std::move(drill);
      };
      add(of_group.values, of_group.of_values);
      add(of_group.changes, of_group.of_changes);
    }
    if (auto done = sink_.row(row); !done) return done;
    return write_sum_lines(context_, sums, decimals, sink_);
  }

  // The weeks of the visits that are shown; of those too near to each other, the first.
  static std::vector<double> weeks_of(const QuestionnaireAnswers& one, const Axis& axis) {
    std::vector<double> weeks;
    for (const QuestionnaireVisit& visit : one.visits) {
      if (axis.low <= visit.week && visit.week <= axis.high)
        weeks.push_back(rounded(visit.week, 1));
    }
    std::sort(weeks.begin(), weeks.end());
    const double least = (axis.high - axis.low) * kTicksApart;
    std::vector<double> kept;
    for (const double week : weeks) {
      if (kept.empty() || week - kept.back() >= least) kept.push_back(week);
    }
    return kept;
  }

  // Without series where there are no two visits with scores. By weeks, if they are known of all.
  Plot plot_of(const QuestionnaireAnswers& one, std::string id) const {
    const bool by_week = std::all_of(one.visits.begin(), one.visits.end(),
                                     [](auto& visit) { return !std::isnan(visit.week); });
    Plot plot{std::move(id), one.title + ": mean score", {}, {}, {}, {}};
    plot.x.label = by_week ? "Weeks from the first dose" : "Visit, as listed above";
    plot.y.label = "Mean score";
    plot.y.low = plot.x.low = std::numeric_limits<double>::infinity();
    plot.y.high = plot.x.high = -std::numeric_limits<double>::infinity();
    for (const Group& group : groups_) {
      plot.series.push_back({.name = group.label, .line = true, .points = {}});
    }
    for (std::size_t visit = 0; visit < one.visits.size(); ++visit) {
      const double x = by_week ? one.visits[visit].week : static_cast<double>(visit + 1);
      auto scores = scores_of(one, visit);
      for (std::size_t g = 0; g < groups_.size(); ++g) {
        const Summary sum = summarize(std::move(scores[g].values));
        if (sum.n == 0) continue;
        plot.series[g].points.push_back(
            {x, sum.mean, groups_[g].label + ", " + one.visits[visit].label + ": " +
                              format_fixed(sum.mean, 2) + " (n=" + std::to_string(sum.n) + ")"});
        plot.x.low = std::min(plot.x.low, x);
        plot.x.high = std::max(plot.x.high, x);
        plot.y.low = std::min(plot.y.low, sum.mean);
        plot.y.high = std::max(plot.y.high, sum.mean);
      }
    }
    if (!(plot.x.low < plot.x.high)) {
      plot.series.clear();
      return plot;
    }
    if (by_week) plot.x.ticks = weeks_of(one, plot.x);
    const double span = plot.y.high - plot.y.low;
    const double padding = span > 0 ? span * kPadding : 1;
    plot.y.low -= padding;
    plot.y.high += padding;
    return plot;
  }

  const Context& context_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<std::int64_t> sizes_;
  const std::vector<QuestionnaireAnswers> all_;
};

}  // namespace

Status write_questionnaire_compliance(const Context& context, Sink& sink) {
  return ComplianceReport(context, sink).write();
}

}  // namespace trialward::reports
