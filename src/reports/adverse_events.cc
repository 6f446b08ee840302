// Treatment-emergent adverse events by body system and preferred term: subjects and events of each
// arm, and Fisher's exact test of each against the control.
#include <algorithm>
#include <map>
#include <tuple>

#include "reports/catalogue.h"
#include "reports/emergent.h"
#include "reports/event_table.h"
#include "reports/fisher.h"

namespace trialward::reports {
namespace {

using base::Status;

constexpr int kPercentDecimals = 1;
constexpr int kFisherDecimals = 3;

// What one row counts, of each group.
struct Incidence {
  struct OfGroup {
    std::int64_t subjects = 0, events = 0;
    std::uint32_t last_subject = 0;  // by whom it was counted last: events are sorted by subject
    Drill of_subjects, of_events;
  };
  std::vector<OfGroup> groups;
};

class EventTable {
 public:
  EventTable(const Context& context, const EventTableOptions& options, Sink& sink)
      : context_(context), options_(options), sink_(sink), groups_(context.groups()) {
    std::vector<bool> treated;
    for (const Subject& subject : context.data.subjects) treated.push_back(subject.treated);
    sizes_ = context.sizes(groups_, treated);
  }

  Status write() {
    count();
    if (auto done = sink_.table(head()); !done) return done;
    if (auto done = row(options_.any_label, 0, any_); !done) return done;
    for (const auto& [system, terms] : sorted()) {
      if (auto going = context_.check(); !going) return going;
      if (auto done = row(system, 0, systems_.at(system)); !done) return done;
      for (const auto& [term, incidence] : terms) {
        if (auto done = row(term, 1, *incidence); !done) return done;
      }
    }
    return sink_.end_table(notes());
  }

 private:
  using Terms = std::vector<std::pair<std::string_view, const Incidence*>>;

  void count() {
    const Dataset& data = context_.data;
    std::vector<const Entry*> events;
    for (const Entry& one : data.adverse_events) {
      if (options_.serious_only && !one.serious) continue;
      if (in_safety(context_, one) && treatment_emergent(data, one)) events.push_back(&one);
    }
    std::stable_sort(events.begin(), events.end(),
                     [](const Entry* a, const Entry* b) { return a->subject < b->subject; });
    any_.groups.resize(groups_.size());
    for (const Entry* one : events) {
      const std::string_view system = body_system(data, *one);
      add(any_, *one);
      add(systems_[system], *one);
      add(terms_[{system, data.text(one->code)}], *one);
    }
  }

  void add(Incidence& incidence, const Entry& event) {
    incidence.groups.resize(groups_.size());
    const Subject& subject = context_.data.subjects[event.subject];
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (!Context::in(groups_[g], subject)) continue;
      Incidence::OfGroup& of = incidence.groups[g];
      ++of.events;
      of.of_events.add_record(event.record);
      if (of.subjects > 0 && of.last_subject == event.subject) continue;
      of.last_subject = event.subject;
      ++of.subjects;
      of.of_subjects.add_subject(subject.id);
    }
  }

  // Body systems by name; their terms by how many subjects of all arms have them: an order by one
  // arm would tell something of it.
  std::vector<std::pair<std::string_view, Terms>> sorted() const {
    std::map<std::string_view, Terms> by_system;
    for (const auto& [key, incidence] : terms_) {
      by_system[key.first].emplace_back(key.second, &incidence);
    }
    std::vector<std::pair<std::string_view, Terms>> all;
    for (auto& [system, terms] : by_system) {
      std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) {
        return std::tuple(-a.second->groups.back().subjects, a.first) <
               std::tuple(-b.second->groups.back().subjects, b.first);
      });
      all.emplace_back(system, std::move(terms));
    }
    return all;
  }

  TableHead head() const {
    TableHead head{
        options_.id, options_.title, {{.label = "Body system / preferred term", .words = true}}};
    const auto columns = Context::columns(groups_, sizes_);
    for (const Column& column : columns) {
      head.columns.push_back({.label = "n (%)", .group = column.label});
      head.columns.push_back({.label = "[events]", .group = column.label});
    }
    for (const Group& group : compared()) {
      head.columns.push_back(
          {.label = control()->label + " vs. " + group.label, .group = "Fisher's exact p-values"});
    }
    return head;
  }

  const Group* control() const {
    const auto found = std::find_if(groups_.begin(), groups_.end(),
                                    [](const Group& group) { return group.control; });
    return found == groups_.end() ? nullptr : &*found;
  }
  // The arms that are compared with the control.
  std::vector<Group> compared() const {
    std::vector<Group> all;
    for (const Group& group : groups_) {
      if (control() && group.arm != kNoArm && !group.control) all.push_back(group);
    }
    return all;
  }

  std::size_t place(const Group& group) const {
    return static_cast<std::size_t>(
        std::find_if(groups_.begin(), groups_.end(),
                     [&](const Group& one) { return one.arm == group.arm; }) -
        groups_.begin());
  }

  Cell p_of(const Incidence& incidence, const Group& group) const {
    const std::size_t a = place(*control()), b = place(group);
    const auto p = fisher_p(
        {incidence.groups[a].subjects, sizes_[a], incidence.groups[b].subjects, sizes_[b]});
    return p ? Cell::of_p(*p, kFisherDecimals) : Cell();
  }

  Status row(std::string_view label, int level, const Incidence& incidence) {
    Row row;
    row.level = level;
    row.strong = level == 0;
    row.cells.push_back(Cell::words(std::string(label)));
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const Incidence::OfGroup& of = incidence.groups[g];
      Cell subjects = context_.share(of.subjects, sizes_[g], kPercentDecimals);
      subjects.drill = of.of_subjects;
      Cell events = Cell::of_count(of.events);
      events.drill = of.of_events;
      row.cells.push_back(std::move(subjects));
      row.cells.push_back(std::move(events));
    }
    for (const Group& group : compared()) row.cells.push_back(p_of(incidence, group));
    return sink_.row(row);
  }

  std::vector<std::string> notes() const {
    std::vector<std::string> notes = {
        "Subjects who were treated. An event is treatment-emergent when it began on or after the "
        "day of the first dose; partial dates are compared at the precision that both have.",
        "n: subjects with at least one such event; each counts once in a row. [events]: all of "
        "them."};
    if (control()) notes.emplace_back("p-values: Fisher's exact test, two-sided, of subjects.");
    return notes;
  }

  const Context& context_;
  const EventTableOptions& options_;
  Sink& sink_;
  const std::vector<Group> groups_;
  std::vector<std::int64_t> sizes_;
  Incidence any_;
  std::map<std::string_view, Incidence> systems_;
  std::map<std::pair<std::string_view, std::string_view>, Incidence> terms_;
};

}  // namespace

Status write_event_table(const Context& context, const EventTableOptions& options, Sink& sink) {
  return EventTable(context, options, sink).write();
}

Status write_adverse_events(const Context& context, Sink& sink) {
  return write_event_table(context,
                           {.id = "adverse-events",
                            .title = "Incidence of treatment-emergent adverse events",
                            .any_label = "ANY BODY SYSTEM"},
                           sink);
}

}  // namespace trialward::reports
