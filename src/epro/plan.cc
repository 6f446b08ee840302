#include "epro/plan.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/milliseconds.h"
#include "epro/anchor_history.h"
#include "epro/deeds.h"
#include "epro/series.h"

namespace trialward::epro {
namespace {

using model::Activity;
using model::Anchor;
using model::Kind;

constexpr std::array<std::string_view, kOccurrenceStates> kStateNames = {
    "planned", "open", "done", "late", "missed", "not-applicable"};

constexpr std::string_view kOtherSite = "not for this site's subjects";
constexpr std::string_view kOtherSubjects = "not for this subject";
constexpr std::string_view kLeft = "the subject left the study";
constexpr std::string_view kNoAnchor = "its anchor is not known yet";
constexpr std::string_view kNotDone = "recorded as not done";
constexpr std::string_view kNotInSchedule = "not in the schedule";
constexpr std::string_view kNoPlace = "no occurrence was due then, or it was done already";
constexpr std::string_view kIncomplete = "not all of its answers are there for that day";

class Planner {
 public:
  Planner(const model::Schedule& schedule, const model::WallClock& clock,
          const PlanRequest& request)
      : schedule_(schedule), clock_(clock), request_(request), claims_(claims_of(schedule)) {}

  Plan make(const SubjectFacts& given) && {
    take(given);
    find_ending();
    for (Claim& claim : claims_) find_deeds(schedule_, facts_, claim);
    for (std::size_t i = 0; i < schedule_.activities.size(); ++i) lay_out(i);
    for (const Claim& claim : claims_) assign(claim);
    list_others();
    for (Occurrence& one : plan_.occurrences) judge(one);
    return std::move(plan_);
  }

 private:
  void take(const SubjectFacts& given) {
    for (const Fact& fact : given.facts) {
      if (fact.when && fact.when->from_ms > request_.known_ms) continue;
      facts_.push_back(fact);
    }
    std::vector<AnchorHistory::Said> enrolments, first_doses, doses;
    for (const Fact& fact : facts_) {
      if (fact.kind == Kind::exposure && !fact.not_done) {
        doses.push_back({fact.record, fact.amended_by, fact.when});
      }
      if (!fact.own) continue;
      enrolments.push_back({fact.record, fact.amended_by, fact.when});
      first_doses.push_back(
          {fact.record, fact.amended_by, when_given(fact.attribute("rfxstdtc"), clock_)});
      if (fact.current() && (!own_ || later(fact, *own_))) own_ = &fact;
    }
    for (auto* said : {&first_doses, &doses}) {
      for (auto& one : *said) {
        if (one.when && one.when->from_ms > request_.known_ms) one.when.reset();
      }
    }
    enrolment_ = AnchorHistory(enrolments, AnchorHistory::Pick::latest);
    told_first_dose_ = AnchorHistory(first_doses, AnchorHistory::Pick::latest);
    first_exposure_ = AnchorHistory(doses, AnchorHistory::Pick::earliest);
    first_record_ = given.first_record;
  }

  static bool later(const Fact& a, const Fact& b) {
    const auto order = [](const Fact& one) {
      return std::pair(one.when ? one.when->from_ms : std::int64_t{0}, one.record);
    };
    return order(a) > order(b);
  }

  void find_ending() {
    const Fact* last = nullptr;
    for (const Fact& fact : facts_) {
      if (fact.kind != Kind::disposition || !fact.current() || fact.not_done) continue;
      if (!fact.when || fact.when->from_ms > request_.now_ms) continue;
      if (!schedule_.ends(fact.attribute("dscat"))) continue;
      if (!last || later(fact, *last)) last = &fact;
    }
    if (last) plan_.left = last->when;
  }

  // The occurrences of an activity, and the series that they are of.
  void lay_out(std::size_t index) {
    const Activity& activity = schedule_.activities[index];
    anchors_.emplace_back();
    if (const std::string_view reason = not_for(activity); !reason.empty()) {
      plan_.occurrences.push_back(
          {.activity = index, .state = OccurrenceState::not_applicable, .reason = reason});
      return;
    }
    if (activity.by_events()) return lay_out_events(index);
    Series series(activity, index, clock_);
    switch (activity.anchor.type) {
      case Anchor::Type::first_dose:
        series.histories = {told_first_dose_, first_exposure_};
        break;
      case Anchor::Type::enrolment:
        series.histories = {enrolment_};
        if (!enrolment_.now()) series.otherwise = first_record_;
        break;
      default:
        series.histories = {history_of(activity.anchor.activity)};
        series.otherwise = anchors_[activity.anchor.activity];
    }
    add(std::move(series));
  }

  std::string_view not_for(const Activity& activity) const {
    const auto& sites = activity.sites;
    if (!sites.empty() && std::find(sites.begin(), sites.end(), request_.site) == sites.end()) {
      return kOtherSite;
    }
    for (const auto& [name, value] : activity.only_if) {
      if (!own_ || own_->attribute(name) != value) return kOtherSubjects;
    }
    return {};
  }

  void lay_out_events(std::size_t index) {
    const Activity& activity = schedule_.activities[index];
    const Anchor& anchor = activity.anchor;
    std::map<std::int64_t, std::vector<AnchorHistory::Said>> events;  // by their first versions
    for (const Fact& fact : facts_) {
      if (fact.kind != anchor.kind || fact.not_done) continue;
      if (!anchor.code.empty() && fact.code != anchor.code) continue;
      if (anchor.serious && fact.serious != *anchor.serious) continue;
      events[fact.first].push_back({fact.record, fact.amended_by, fact.when});
    }
    std::size_t followed = 0;
    for (const auto& [first, said] : events) {
      const bool current =
          std::any_of(said.begin(), said.end(), [](const auto& one) { return !one.amended_by; });
      if (!current) continue;
      if (++followed > model::kAnchorEventsMax) {
        plan_.cut = true;
        return;
      }
      Series series(activity, index, clock_);
      series.event = first;
      series.histories = {AnchorHistory(said, AnchorHistory::Pick::latest)};
      add(std::move(series));
    }
  }

  // When the activity was done, as it was known. It has a claim of its own: it is an anchor.
  AnchorHistory history_of(std::size_t index) const {
    const Activity& activity = schedule_.activities[index];
    std::vector<AnchorHistory::Said> said;
    if (activity.codes.size() <= 1) {
      for (const Fact& fact : facts_) {
        if (fact.not_done || !does(activity, fact)) continue;
        said.push_back({fact.record, fact.amended_by, fact.when});
      }
      return {said, AnchorHistory::Pick::earliest};
    }
    for (const Claim& claim : claims_) {
      if (claim.activities.front() != index) continue;
      for (const Deed& deed : claim.deeds) {
        if (deed.done) said.push_back({deed.known, 0, deed.fact->when});
      }
    }
    return {said, AnchorHistory::Pick::earliest};
  }

  void add(Series series) {
    const auto count = static_cast<std::size_t>(series.activity().count);
    if (plan_.occurrences.size() + count > kOccurrencesMax) {
      plan_.cut = true;
      return;
    }
    series.first = plan_.occurrences.size();
    const std::vector<PlannedTimes>& times = series.now();
    for (std::size_t i = 0; i < count; ++i) {
      Occurrence& one = plan_.occurrences.emplace_back();
      one.activity = series.index();
      one.number = static_cast<int>(i) + 1;
      one.event = series.event;
      if (!times.empty()) one.times = times[i];
    }
    // Until it is done, what is anchored to it goes by its target.
    if (!times.empty() && count == 1 && series.event == 0) anchors_.back() = target(times.front());
    series_.push_back(std::move(series));
  }

  When target(const PlannedTimes& times) const {
    if (times.by_clock) return when_at(times.target_ms, clock_);
    return {.from_ms = times.target_ms,
            .until_ms = clock_.first_ms((times.target_day + 1) * base::kDayMs),
            .first_day = times.target_day,
            .last_day = times.target_day};
  }

  void assign(const Claim& claim) {
    std::vector<Series*> own;
    for (Series& series : series_) {
      const auto& activities = claim.activities;
      if (std::find(activities.begin(), activities.end(), series.index()) != activities.end()) {
        own.push_back(&series);
      }
    }
    const Activity& activity = schedule_.activities[claim.activities.front()];
    const bool alone = claim.activities.size() == 1 && activity.count == 1 && !activity.by_events();
    for (const bool done : {true, false}) {  // what was done goes before what says that it was not
      for (const Deed& deed : claim.deeds) {
        if (deed.done != done) continue;
        Occurrence* place = nullptr;
        if (alone && !own.empty() && free(own.front()->first)) {
          place = &plan_.occurrences[own.front()->first];
        } else if (!alone) {
          place = find_place(own, deed);
        }
        if (place) {
          take_place(*place, deed);
        } else {
          list(*deed.fact, own.empty() ? kNotInSchedule : kNoPlace);
        }
      }
    }
    for (const Fact* fact : claim.incomplete) list(*fact, kIncomplete);
  }

  bool free(std::size_t occurrence) const { return plan_.occurrences[occurrence].record == 0; }

  Occurrence* find_place(const std::vector<Series*>& series, const Deed& deed) {
    if (!deed.fact->when) return nullptr;
    const std::int64_t known = deed.fact->historical ? kNever : deed.known;
    for (const bool inside : {true, false}) {
      for (Series* one : series) {
        const auto is_free = [&](std::size_t number) { return free(one->first + number); };
        const auto number = inside ? one->within(*deed.fact->when, known, is_free)
                                   : one->begun(*deed.fact->when, known, is_free);
        if (number) return &plan_.occurrences[one->first + *number];
      }
    }
    return nullptr;
  }

  static void take_place(Occurrence& place, const Deed& deed) {
    place.record = deed.fact->record;
    place.effective = deed.fact->effective;
    if (deed.fact->when) place.effective_ms = deed.fact->when->from_ms;
    if (!deed.done) {
      place.state = OccurrenceState::missed;
      place.reason = kNotDone;
      return;
    }
    place.state = OccurrenceState::done;
    if (place.times && deed.fact->when) place.in_window = in_window(*place.times, *deed.fact->when);
  }

  void list(const Fact& fact, std::string_view reason) {
    plan_.unscheduled.push_back({fact.record, fact.kind, fact.code, fact.effective, reason});
  }

  // Visits that no activity is done by; all of them in the order of their records.
  void list_others() {
    for (const Fact& fact : facts_) {
      if (fact.kind != Kind::visit || !fact.current()) continue;
      const auto& all = schedule_.activities;
      if (std::none_of(all.begin(), all.end(),
                       [&](const Activity& activity) { return does(activity, fact); })) {
        list(fact, kNotInSchedule);
      }
    }
    std::sort(plan_.unscheduled.begin(), plan_.unscheduled.end(),
              [](const auto& a, const auto& b) { return a.record < b.record; });
  }

  // Whether its time was over when the subject left. What has no window was due at its target.
  static bool over_before(const PlannedTimes& times, const When& left) {
    const std::int64_t end_ms = std::min(times.until_ms, times.missed_ms);
    if (end_ms != kNever) return end_ms <= left.from_ms;
    return times.by_clock ? times.target_ms < left.from_ms : times.target_day < left.first_day;
  }

  void judge(Occurrence& one) const {
    if (one.record != 0 || one.state == OccurrenceState::not_applicable) return;
    if (!one.times) {
      one.reason = plan_.left ? kLeft : kNoAnchor;
      if (plan_.left) one.state = OccurrenceState::not_applicable;
      return;
    }
    const PlannedTimes& times = *one.times;
    const std::int64_t now = request_.now_ms;
    if (plan_.left) {
      const bool closed = over_before(times, *plan_.left);
      one.state = closed ? OccurrenceState::missed : OccurrenceState::not_applicable;
      if (!closed) one.reason = kLeft;
    } else if (now < times.from_ms) {
      one.state = OccurrenceState::planned;
    } else if (now >= times.missed_ms) {
      one.state = OccurrenceState::missed;
    } else {
      one.state = now < times.late_ms ? OccurrenceState::open : OccurrenceState::late;
    }
  }

  const model::Schedule& schedule_;
  const model::WallClock clock_;
  const PlanRequest& request_;
  std::vector<Fact> facts_;
  const Fact* own_ = nullptr;  // the subject's demographics
  AnchorHistory enrolment_, told_first_dose_, first_exposure_;
  std::optional<When> first_record_;
  std::vector<Claim> claims_;
  std::vector<std::optional<When>> anchors_;  // by activity: its target, if it comes once
  std::vector<Series> series_;
  Plan plan_;
};

}  // namespace

std::string_view to_string(OccurrenceState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

std::optional<OccurrenceState> parse_occurrence_state(std::string_view text) {
  const auto found = std::find(kStateNames.begin(), kStateNames.end(), text);
  if (found == kStateNames.end()) return std::nullopt;
  return static_cast<OccurrenceState>(found - kStateNames.begin());
}

Plan make_plan(const model::Schedule& schedule, const SubjectFacts& facts,
               const model::WallClock& clock, const PlanRequest& request) {
  return Planner(schedule, clock, request).make(facts);
}

}  // namespace trialward::epro
