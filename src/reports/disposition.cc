// Populations and disposition: who was in which population, and how subjects left the study.
#include <map>

#include "reports/catalogue.h"
#include "reports/ending.h"
#include "reports/population.h"

namespace trialward::reports {
namespace {

using base::Status;

// Shares of the subjects of each group.
class Table {
 public:
  Table(const Context& context, Sink& sink)
      : context_(context), sink_(sink), groups_(context.groups()), sizes_(context.sizes(groups_)) {}

  Status begin(std::string id, std::string title) {
    TableHead head{std::move(id), std::move(title), {{.label = "", .words = true}}};
    for (Column& column : Context::columns(groups_, sizes_)) head.columns.push_back(column);
    return sink_.table(head);
  }

  // A row: how many subjects of each group the predicate, asked by index, holds of.
  template <class Holds>
  Status row(std::string label, int level, const Holds& holds) {
    if (auto going = context_.check(); !going) return going;
    Row row;
    row.level = level;
    row.cells.push_back(Cell::words(std::move(label)));
    const auto& subjects = context_.data.subjects;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      Cell cell = context_.share(0, sizes_[g], 0);
      for (std::size_t i = 0; i < subjects.size(); ++i) {
        if (!context_.in_scope(subjects[i]) || !Context::in(groups_[g], subjects[i])) continue;
        if (!holds(i)) continue;
        ++cell.count;
        cell.drill.add_subject(subjects[i].id);
      }
      row.cells.push_back(std::move(cell));
    }
    return sink_.row(row);
  }

 private:
  const Context& context_;
  Sink& sink_;
  const std::vector<Group> groups_;
  const std::vector<std::int64_t> sizes_;
};

Status write_populations(const Context& context, Sink& sink) {
  Table table(context, sink);
  if (auto done = table.begin("populations", "Summary of populations"); !done) return done;
  for (const Members& population : populations_of(context.data)) {
    const auto holds = [&](std::size_t i) { return population.is_member[i]; };
    if (auto done = table.row(population.title, 0, holds); !done) return done;
  }
  const std::string notes[] = {"Percentages are of the subjects to whom the arm was assigned (N)."};
  return sink.end_table(notes);
}

Status write_endings(const Context& context, Sink& sink) {
  const Dataset& data = context.data;
  std::vector<Word> ended;
  for (const Entry* ending : endings_of(data)) ended.push_back(ending ? ending->code : 0);
  std::map<std::string_view, Word> codes;
  for (std::size_t i = 0; i < ended.size(); ++i) {
    const bool counts = data.subjects[i].arm != kNoArm && context.in_scope(data.subjects[i]);
    if (counts && ended[i] != 0) codes.emplace(data.text(ended[i]), ended[i]);
  }
  Table table(context, sink);
  if (auto done = table.begin("disposition", "Disposition"); !done) return done;
  for (const auto& [text, code] : codes) {
    const auto holds = [&ended, code = code](std::size_t i) { return ended[i] == code; };
    if (auto done = table.row(std::string(text), 0, holds); !done) return done;
  }
  const auto none = [&](std::size_t i) { return ended[i] == 0; };
  if (auto done = table.row("No disposition event", 0, none); !done) return done;
  const std::string notes[] = {"The last disposition event of each subject."};
  return sink.end_table(notes);
}

Status write_screening(const Context& context, Sink& sink) {
  std::pair<const char*, Cell> rows[] = {{"Screened", Cell::of_count(0)},
                                         {"Assigned to an arm", Cell::of_count(0)},
                                         {"Screen failures", Cell::of_count(0)}};
  for (const Subject& subject : context.data.subjects) {
    if (!context.in_scope(subject)) continue;
    const bool counts[] = {true, subject.arm != kNoArm, subject.screen_failure};
    for (std::size_t i = 0; i < std::size(rows); ++i) {
      if (!counts[i]) continue;
      ++rows[i].second.count;
      rows[i].second.drill.add_subject(subject.id);
    }
  }
  const TableHead head{"screening", "Screening",
                       {{.label = "", .words = true}, {.label = "Subjects"}}};
  if (auto done = sink.table(head); !done) return done;
  for (const auto& [label, cell] : rows) {
    Row row;
    row.cells = {Cell::words(label), cell};
    if (auto done = sink.row(row); !done) return done;
  }
  return sink.end_table({});
}

}  // namespace

Status write_disposition(const Context& context, Sink& sink) {
  if (auto done = write_screening(context, sink); !done) return done;
  if (auto done = write_populations(context, sink); !done) return done;
  return write_endings(context, sink);
}

}  // namespace trialward::reports
