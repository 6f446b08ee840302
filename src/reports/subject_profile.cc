// The profile of one subject: all domains on one time line, and below it every record.
#include <algorithm>
#include <utility>

#include "reports/catalogue.h"
#include "reports/ending.h"
#include "reports/profile_lanes.h"
#include "reports/profile_lists.h"

namespace trialward::reports {
namespace {

using base::Errc;
using base::Error;
using base::Status;

constexpr double kPanelHeightMax = 620;  // of its lanes: it fits a printed page

class ProfilePage {
 public:
  ProfilePage(const Profile& profile, Sink& sink) : profile_(profile), sink_(sink) {}

  Status write() {
    if (auto done = summary(); !done) return done;
    if (auto done = sink_.section("Time line"); !done) return done;
    using model::Kind;
    if (auto done = panel("time-visits", "Visits", visit_lanes(profile_)); !done) return done;
    if (auto done = panel("time-exposure", "Exposure", exposure_lanes(profile_)); !done) {
      return done;
    }
    auto done = panel("time-adverse-events", "Adverse events", adverse_event_lanes(profile_));
    if (!done) return done;
    if (done = panel("time-alerts", "Alerts, at what caused them", alert_lanes(profile_)); !done) {
      return done;
    }
    if (done = measured(Kind::lab, "time-labs", "Laboratory values"); !done) return done;
    if (done = measured(Kind::vital, "time-vitals", "Vital signs"); !done) return done;
    if (done = measured(Kind::questionnaire, "time-questionnaires", "Questionnaires"); !done) {
      return done;
    }
    if (done = panel("time-medications", "Concomitant medication", medication_lanes(profile_));
        !done) {
      return done;
    }
    if (done = panel("time-history", "Medical history", history_lanes(profile_)); !done) {
      return done;
    }
    if (done = sink_.section("Records"); !done) return done;
    return write_profile_lists(profile_, sink_);
  }

 private:
  Status summary() {
    const Subject& subject = profile_.subject();
    const auto& arms = profile_.context().settings().arms;
    const auto attribute = [&](const char* name) {
      return std::string(profile_.data().attribute(subject, name));
    };
    std::vector<std::pair<const char*, std::string>> facts = {
        {"Subject", subject.id}, {"Site", subject.site}, {"Sex", attribute("sex")},
        {"Age", attribute("age")}};
    if (profile_.unblinded()) {
      facts.emplace_back("Arm", subject.arm == kNoArm
                                    ? std::string()
                                    : arms[static_cast<std::size_t>(subject.arm)].name);
    }
    facts.emplace_back("First dose", to_string(subject.first_dose));
    facts.emplace_back("Last dose", to_string(subject.last_dose));
    const auto days = profile_.treatment().period();
    facts.emplace_back("Days of treatment", days ? std::to_string(days->days()) : "");
    const auto index = static_cast<std::size_t>(&subject - profile_.data().subjects.data());
    const Entry* left = endings_of(profile_.data())[index];
    facts.emplace_back("Disposition", left ? std::string(profile_.text(left->code)) + " " +
                                                 to_string(left->date)
                                           : std::string());
    TableHead head{"subject", "Subject " + subject.id, {}};
    Row row;
    for (auto& [label, text] : facts) {
      head.columns.push_back({.label = label, .words = true});
      row.cells.push_back(Cell::words(std::move(text)));
    }
    row.cells.front().drill.add_record(subject.record);
    if (left) row.cells.back().drill.add_record(left->record);
    if (auto done = sink_.table(head); !done) return done;
    if (auto done = sink_.row(row); !done) return done;
    const std::string note =
        !profile_.origin() ? "No record has a whole date: there is no time line."
        : profile_.from_first_dose()
            ? "Day 1 is the day of the first dose, -1 the day before."
            : "Without a whole date of a first dose, day 1 is that of the study's reference, or "
              "the earliest that there is.";
    const std::string notes[] = {
        note, "A partial date is drawn from the first day that it can mean to the last; an arrow "
              "says that a bar goes on, or that nothing says when it began or ended. What has no "
              "date is in the lists only. Green: the reference range of the value that is marked."};
    return sink_.end_table(notes);
  }

  // The lanes in as many parts as fit a page each.
  Status panel(const std::string& id, const std::string& title, std::vector<Lane> lanes) {
    double height = 0;
    int parts = 0;
    std::vector<Lane> of_part;
    const auto write_part = [&]() -> Status {
      if (auto going = profile_.context().check(); !going) return going;
      ++parts;
      Timeline part = profile_.axis(parts == 1 ? id : id + "-" + std::to_string(parts),
                                    parts == 1 ? title : title + " (continued)");
      part.lanes = std::exchange(of_part, {});
      height = 0;
      return sink_.timeline(part);
    };
    for (Lane& lane : lanes) {
      if (!of_part.empty() && height + height_of(lane) > kPanelHeightMax) {
        if (auto done = write_part(); !done) return done;
      }
      height += height_of(lane);
      of_part.push_back(std::move(lane));
    }
    return of_part.empty() ? Status() : write_part();
  }

  Status measured(model::Kind kind, const std::string& id, const std::string& title) {
    int number = 0;
    for (LanesOfCategory& of : measured_lanes(profile_, kind)) {
      const std::string of_category =
          title + (of.category.empty() ? "" : ": " + of.category);
      auto done = panel(id + "-c" + std::to_string(++number), of_category, std::move(of.lanes));
      if (!done) return done;
    }
    return {};
  }

  const Profile& profile_;
  Sink& sink_;
};

}  // namespace

Status write_subject_profile(const Context& context, Sink& sink) {
  const std::string_view id = context.parameter("subject");
  const auto& subjects = context.data.subjects;
  const auto found = std::lower_bound(subjects.begin(), subjects.end(), id,
                                      [](const Subject& one, auto name) { return one.id < name; });
  // Of another site's subject no more is told than of one that is not there.
  if (found == subjects.end() || found->id != id || !context.in_scope(*found)) {
    const std::string& site = context.parameters.site;
    return Error{Errc::invalid, "parameters/subject: " +
                                    (site.empty() ? "the study" : "site " + site) +
                                    " has no subject '" + std::string(id) + "'"};
  }
  const Profile profile(context, static_cast<std::uint32_t>(found - subjects.begin()));
  return ProfilePage(profile, sink).write();
}

}  // namespace trialward::reports
