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

// Of the lanes of a sheet, so that it fits a printed page; the first one stands below the summary.
constexpr double kFirstSheetMax = 770, kSheetMax = 1300;

class ProfilePage {
 public:
  ProfilePage(const Profile& profile, Sink& sink) : profile_(profile), sink_(sink) {}

  Status write() {
    if (auto done = summary(); !done) return done;
    if (auto done = sink_.section("Time line"); !done) return done;
    using model::Kind;
    domain("Visits", visit_lanes(profile_));
    domain("Exposure", exposure_lanes(profile_));
    domain("Adverse events", adverse_event_lanes(profile_));
    domain("Alerts, at what caused them", alert_lanes(profile_));
    measured(Kind::lab, "Laboratory values");
    measured(Kind::vital, "Vital signs");
    measured(Kind::questionnaire, "Questionnaires");
    domain("Concomitant medication", medication_lanes(profile_));
    domain("Medical history", history_lanes(profile_));
    if (auto done = write_sheets(); !done) return done;
    if (auto done = sink_.section("Records"); !done) return done;
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

  // Its lanes below a heading; nothing where there are none.
  void domain(const std::string& title, std::vector<Lane> lanes) {
    if (lanes.empty()) return;
    lanes_.push_back({.label = title, .note = {}, .bars = {}, .points = {}, .heading = true});
    for (Lane& lane : lanes) lanes_.push_back(std::move(lane));
  }

  void measured(model::Kind kind, const std::string& title) {
    for (LanesOfCategory& of : measured_lanes(profile_, kind)) {
      domain(title + (of.category.empty() ? "" : ": " + of.category), std::move(of.lanes));
    }
  }

  // All domains over one axis, on as many sheets as they need: a page each.
  Status write_sheets() {
    std::vector<Lane> of_sheet;
    std::string domain_title;
    double height = 0;
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      Lane& lane = lanes_[i];
      if (lane.heading) domain_title = lane.label;
      // A heading does not stand alone at the end of a page.
      const double needed = height_of(lane) + (lane.heading ? height_of(lanes_[i + 1]) : 0);
      if (!of_sheet.empty() && height + needed > (sheets_ == 0 ? kFirstSheetMax : kSheetMax)) {
        if (auto done = write_sheet(std::exchange(of_sheet, {})); !done) return done;
        height = 0;
        if (!lane.heading) {
          Lane again{.label = domain_title + " (continued)",
                     .note = {},
                     .bars = {},
                     .points = {},
                     .heading = true};
          height += height_of(again);
          of_sheet.push_back(std::move(again));
        }
      }
      height += height_of(lane);
      of_sheet.push_back(std::move(lane));
    }
    return of_sheet.empty() ? Status() : write_sheet(std::move(of_sheet));
  }

  Status write_sheet(std::vector<Lane> lanes) {
    if (auto going = profile_.context().check(); !going) return going;
    ++sheets_;
    Timeline sheet = profile_.axis("time-" + std::to_string(sheets_),
                                   sheets_ == 1 ? "All domains, by day of study" : "(continued)");
    sheet.lanes = std::move(lanes);
    return sink_.timeline(sheet);
  }

  const Profile& profile_;
  Sink& sink_;
  std::vector<Lane> lanes_;  // of all domains
  int sheets_ = 0;
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
