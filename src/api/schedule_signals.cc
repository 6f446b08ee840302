#include "api/schedule_signals.h"

#include <algorithm>
#include <array>
#include <mutex>

#include "base/log.h"
#include "base/milliseconds.h"
#include "intake/signal_commands.h"
#include "model/effective_time.h"
#include "store/record_rows.h"
#include "store/signal_rows.h"
#include "store/stopped_by.h"
#include "store/study_rows.h"

namespace trialward::api {

using base::Errc;
using base::Result;
using base::Status;
using epro::Occurrence;
using epro::OccurrenceState;
using intake::SignalSchedule;
using model::ActivityAlert;

namespace {

constexpr const char* kSignalActor = "schedule";
constexpr std::size_t kSignalBytes = 512;  // about

std::string rule_of(const model::Activity& activity, const ActivityAlert& alert) {
  return std::string(intake::kSignalRules) + std::string(to_string(alert.when)) + "-" + activity.id;
}

std::string group_of(const model::Activity& activity, const Occurrence& occurrence) {
  std::string group = activity.id;
  if (occurrence.event != 0) group += "@" + std::to_string(occurrence.event);
  return group + "#" + std::to_string(occurrence.number);
}

std::string note_of(const model::Activity& activity, const Occurrence& occurrence) {
  std::string note = activity.title.empty() ? activity.id : activity.title;
  if (activity.count > 1) note += ", number " + std::to_string(occurrence.number);
  if (occurrence.event != 0) note += ", after record " + std::to_string(occurrence.event);
  if (!occurrence.times) return note;
  const epro::PlannedTimes& times = *occurrence.times;
  note += ": due " +
          (times.by_clock ? model::format_utc(times.target_ms) : model::day_text(times.target_day));
  if (!times.windowed) return note;
  return note + ", until " +
         (times.by_clock ? model::format_utc(times.end_ms()) : model::day_text(times.last_day));
}

// What an occurrence's state makes of one of its activity's alerts. What is missed has been late:
// its alert stays as it is.
enum class Telling : std::uint8_t { raised, kept, ended };
Telling telling_of(const ActivityAlert& alert, OccurrenceState state) {
  const bool late = alert.when == ActivityAlert::When::late;
  if (state == OccurrenceState::missed) return late ? Telling::kept : Telling::raised;
  return late && state == OccurrenceState::late ? Telling::raised : Telling::ended;
}

std::string why_ended(OccurrenceState state) {
  if (state == OccurrenceState::done) return "it was done after all";
  if (state == OccurrenceState::not_applicable) return "it is not applicable any more";
  return "it has time again";
}

// Since when it is what it is: since its time was over, since a record says so, or since the
// subject left.
std::int64_t due_of(const ActivityAlert& alert, const Occurrence& occurrence,
                    const epro::SubjectPlan& plan) {
  std::int64_t due_ms = plan.now_ms;
  if (occurrence.times) {
    const bool late = alert.when == ActivityAlert::When::late;
    due_ms = std::min(due_ms, late ? occurrence.times->late_ms : occurrence.times->missed_ms);
  }
  if (occurrence.record != 0) return std::min(due_ms, occurrence.effective_ms);
  return plan.plan.left ? std::min(due_ms, plan.plan.left->from_ms) : due_ms;
}

// When an occurrence may be late or missed next; a day on, when none is before.
std::int64_t next_look(const model::Schedule& schedule, const epro::SubjectPlan& plan) {
  std::int64_t next = plan.now_ms + base::kDayMs;
  for (const Occurrence& one : plan.plan.occurrences) {
    if (schedule.activities[one.activity].alerts.empty() || !one.times) continue;
    for (const std::int64_t at : {one.times->late_ms, one.times->missed_ms}) {
      if (at > plan.now_ms) next = std::min(next, at);
    }
  }
  return next;
}

// Records of other kinds change nobody's plan.
std::array<bool, model::kKinds> kinds_of(const model::Schedule& schedule) {
  std::array<bool, model::kKinds> kinds{};
  for (const model::Kind kind :
       {model::Kind::demographics, model::Kind::visit, model::Kind::questionnaire,
        model::Kind::exposure, model::Kind::disposition}) {
    kinds[static_cast<std::size_t>(kind)] = true;
  }
  for (const model::Activity& one : schedule.activities) {
    if (one.by_events()) kinds[static_cast<std::size_t>(one.anchor.kind)] = true;
  }
  return kinds;
}

runtime::PeriodicOptions signals_task() {
  return {
      .name = "schedule-alerts",
      .interval = ScheduleSignals::kInterval,
      .deadline = std::chrono::seconds(30),
      .backoff = {.initial = ScheduleSignals::kInterval, .max = 10 * ScheduleSignals::kInterval}};
}

}  // namespace

struct ScheduleSignals::Watched {
  StudyPointer study;
  bool retired = false;  // it has no such alerts any more
  std::array<bool, model::kKinds> kinds{};
  // Since when the study has each alert; by activity, and in the activity's order.
  std::vector<std::vector<std::int64_t>> since_ms;
  bool begun = false, all_found = false;
  std::int64_t found = 0;  // subjects up to this row are to be looked at
};

struct ScheduleSignals::UnderWay {
  std::mutex mutex;
  std::set<Key> subjects;
};

ScheduleSignals::ScheduleSignals(Parts parts)
    : intake_(parts.intake),
      clock_(parts.tasks.clock()),
      utc_(clock_),
      reader_(std::move(parts.reader)),
      on_duty_(std::move(parts.on_duty)),
      under_way_(std::make_shared<UnderWay>()),
      task_(
          signals_task(), [this](const runtime::Cancel& cancel) { return run(cancel); },
          parts.random, parts.tasks) {
  for (const auto& [id, study] : parts.studies) {
    const auto& schedule = study->study->schedule;
    if (schedule != nullptr && schedule->has_alerts()) {
      studies_.push_back({.study = study, .kinds = kinds_of(*schedule)});
    } else if (holds_some(study->row)) {
      studies_.push_back({.study = study, .retired = true});
    }
  }
}

ScheduleSignals::~ScheduleSignals() = default;

// Also when that cannot be read now.
bool ScheduleSignals::holds_some(std::int64_t study) const {
  const auto found = store::subjects_with_alerts(*reader_, study, intake::kSignalRules, 0, 1);
  return !found || !found->empty();
}

void ScheduleSignals::start() {
  if (!studies_.empty()) task_.start();
}

Status ScheduleSignals::run(const runtime::Cancel& cancel) {
  const base::TimePoint started = clock_.now();
  if (!on_duty_() || intake_.failed()) return {};
  if (busy() && started < rests_until_) return {};
  const store::StoppedBy stopping(cancel, *reader_);
  if (auto done = find_changed(); !done) return done;
  for (std::size_t i = 0; i < studies_.size(); ++i) {
    if (auto begun = begin(studies_[i]); !begun) return begun;
    if (auto found = find_subjects(i); !found) return found;
  }
  const std::int64_t now_ms = utc_.now_ms();
  const base::TimePoint begun = clock_.now();
  for (std::size_t looked = 0; looked < kPlansMax && has_place(); ++looked) {
    if (cancel.fired() || clock_.now() - begun > (busy() ? kBusyRunTime : kRunTime)) break;
    // What is due goes first; but of four looks one is for the others.
    const bool others = looked % 4 == 3;
    const Key* key = (others ? found_subjects_ : due_).ready(now_ms);
    if (key == nullptr) key = (others ? due_ : found_subjects_).ready(now_ms);
    if (key == nullptr) break;
    if (auto done = look(Key(*key), now_ms); !done) return done;
  }
  const base::TimePoint ended = clock_.now();
  rests_until_ = ended + std::min<base::Duration>(kBusyRests * (ended - started), kBusyRestMax);
  return {};
}

void ScheduleSignals::Looks::put(const Key& key, std::int64_t at_ms) {
  const auto known = at_.find(key);
  if (known != at_.end()) {
    if (known->second <= at_ms) return;
    order_.erase({known->second, key});
  }
  at_[key] = at_ms;
  order_.emplace(at_ms, key);
}

void ScheduleSignals::Looks::erase(const Key& key) {
  const auto known = at_.find(key);
  if (known == at_.end()) return;
  order_.erase({known->second, key});
  at_.erase(known);
}

const ScheduleSignals::Key* ScheduleSignals::Looks::ready(std::int64_t now_ms) const {
  return order_.empty() || order_.begin()->first > now_ms ? nullptr : &order_.begin()->second;
}

// An alert is the study's since the first of its definitions, up to that in force, that has it.
Status ScheduleSignals::begin(Watched& watched) {
  if (watched.begun || watched.retired) return {};
  constexpr std::int64_t kOpen = -1;
  constexpr std::size_t kRowsMax = 10'000;
  const intake::ActiveStudy& study = *watched.study;
  auto definitions = store::definitions_of(*reader_, study.row, kRowsMax);
  if (!definitions) return definitions.error();
  const auto& activities = study.study->schedule->activities;
  watched.since_ms.clear();
  for (const auto& one : activities) watched.since_ms.emplace_back(one.alerts.size(), kOpen);
  std::size_t loaded = 0;
  for (const store::LoadedDefinition& row : *definitions) {
    const bool last = row.id == study.definition;
    if (!last && loaded++ >= kDefinitionsMax) continue;
    std::shared_ptr<const model::Schedule> schedule = study.study->schedule;
    if (!last) {
      auto files = store::read_definition(*reader_, row.id);
      // One that cannot be read says nothing; the others do.
      if (!files && files.error().code != Errc::corrupt) return files.error();
      schedule = nullptr;
      if (files) {
        const auto older = model::load_study(std::move(*files));
        if (older) schedule = older->schedule;
      }
    }
    if (schedule == nullptr) continue;
    for (std::size_t i = 0; i < activities.size(); ++i) {
      for (std::size_t j = 0; j < activities[i].alerts.size(); ++j) {
        std::int64_t& since_ms = watched.since_ms[i][j];
        const bool has = schedule->has_alert(activities[i].id, activities[i].alerts[j].when);
        if (since_ms == kOpen && has) since_ms = row.loaded_ms;
      }
    }
    if (last) break;
  }
  watched.begun = true;
  return {};
}

Status ScheduleSignals::find_subjects(std::size_t study) {
  Watched& watched = studies_[study];
  if (watched.all_found) return {};
  if (watched.retired) {
    auto subjects = store::subjects_with_alerts(*reader_, watched.study->row,
                                                intake::kSignalRules, watched.found, kSubjectsMax);
    if (!subjects) return subjects.error();
    for (const std::int64_t subject : *subjects) {
      found_subjects_.put({study, subject}, 0);
      watched.found = subject;
    }
    watched.all_found = subjects->size() < kSubjectsMax;
    return {};
  }
  auto places =
      store::read_subjects_after(*reader_, watched.study->row, watched.found, "", kSubjectsMax);
  if (!places) return places.error();
  for (const store::SubjectPlace& place : *places) {
    found_subjects_.put({study, place.id}, 0);
    watched.found = place.id;
  }
  watched.all_found = places->size() < kSubjectsMax;
  return {};
}

// Records wait for their commit: they go first.
bool ScheduleSignals::busy() const {
  return intake_.backlog(intake::Lane::live) > base::Duration::zero();
}

Status ScheduleSignals::find_changed() {
  auto last = store::last_record(*reader_);
  if (!last) return last.error();
  if (last_record_ < 0) last_record_ = *last;  // the subjects up to here are found by themselves
  const std::int64_t until =
      std::min(*last, last_record_ + (busy() ? kBusyRecordsMax : kRecordsMax));
  if (until == last_record_) return {};
  auto subjects = store::changed_subjects(*reader_, last_record_, until);
  if (!subjects) return subjects.error();
  for (const store::ChangedSubject& one : *subjects) {
    const auto watched = std::find_if(
        studies_.begin(), studies_.end(),
        [&one](const Watched& candidate) { return candidate.study->row == one.study; });
    if (watched == studies_.end() || watched->retired) continue;
    const Key key{static_cast<std::size_t>(watched - studies_.begin()), one.subject};
    const auto not_before = not_before_.find(key);
    if (not_before == not_before_.end()) {
      found_subjects_.put(key, 0);
    } else if (watched->kinds[static_cast<std::size_t>(one.kind)]) {
      found_subjects_.put(key, not_before->second);
    }
  }
  last_record_ = until;
  return {};
}

Status ScheduleSignals::look(const Key& key, std::int64_t now_ms) {
  const Watched& watched = studies_[key.first];
  due_.erase(key);
  found_subjects_.erase(key);
  // Whatever goes wrong with one subject, the others are looked at meanwhile.
  const auto again = [&](std::int64_t pause_ms) {
    due_.put(key, now_ms + pause_ms);
    not_before_[key] = now_ms + pause_ms;
  };
  auto places = store::read_subjects_after(*reader_, watched.study->row, key.second - 1, "", 1);
  if (!places || places->empty()) again(kTroublePauseMs);
  if (!places) return places.error();
  if (places->empty()) return base::Error{Errc::corrupt, "a subject is gone"};
  using Plan = Result<epro::SubjectPlan, epro::PlanError>;
  auto plan = watched.retired ? Plan(epro::SubjectPlan{.now_ms = now_ms})
                              : epro::plan_subject(*reader_, *watched.study->study,
                                                   places->front(), {.now_ms = now_ms});
  if (!plan && !plan.error().of_subject) {
    again(kTroublePauseMs);
    return plan.error();
  }
  if (!plan) {
    ++faults_;
    again(kFaultPauseMs);
    base::log_warning("what is late or missed was not looked for: " + plan.error().message);
    return {};
  }
  auto signals = compare(watched, places->front(), *plan);
  if (!signals) {
    again(kTroublePauseMs);
    return signals.error();
  }
  not_before_[key] = now_ms + kAgainMs;
  if (!watched.retired) due_.put(key, next_look(*watched.study->study->schedule, *plan));
  if (signals->signals.empty()) return {};
  // Whether it was stored is seen by looking again; and so is what had no place.
  due_.put(key, now_ms + kAgainMs);
  submit(key, std::move(*signals));
  return {};
}

Result<SignalSchedule> ScheduleSignals::compare(const Watched& watched,
                                                const store::SubjectPlace& place,
                                                const epro::SubjectPlan& plan) {
  SignalSchedule all{.id = place.id,
                     .subject = place.subject,
                     .site = place.site,
                     .last_record = place.last_record,
                     .kinds = watched.kinds};
  auto raised = store::alerts_of_subject(*reader_, place.id, intake::kSignalRules);
  if (!raised) return raised.error();
  std::map<std::pair<std::string, std::string>, bool> holds;  // by rule and group
  for (store::SubjectAlert& one : *raised) holds[{one.rule, one.group}] = one.holds;
  for (const Occurrence& one : plan.plan.occurrences) {
    const model::Activity& activity = watched.study->study->schedule->activities[one.activity];
    for (std::size_t i = 0; i < activity.alerts.size(); ++i) {
      const ActivityAlert& alert = activity.alerts[i];
      SignalSchedule::Signal said{.rule = {.id = rule_of(activity, alert),
                                           .title = alert.title,
                                           .severity = alert.severity},
                                  .group = group_of(activity, one)};
      const auto there = holds.extract({said.rule.id, said.group});
      const Telling telling = telling_of(alert, one.state);
      if (telling == Telling::kept) continue;
      said.holds = telling == Telling::raised;
      if (there.empty()) {
        said.due_ms = due_of(alert, one, plan);
        if (!said.holds || said.due_ms < watched.since_ms[one.activity][i]) continue;
      } else if (there.mapped() == said.holds) {
        continue;
      }
      said.note = said.holds ? note_of(activity, one) : why_ended(one.state);
      all.signals.push_back(std::move(said));
    }
  }
  // What calls for it was taken back.
  for (const auto& [name, still] : holds) {
    if (!still || plan.plan.cut) continue;
    all.signals.push_back({.rule = {.id = name.first},
                           .group = name.second,
                           .note = "the schedule asks for it no more",
                           .holds = false});
  }
  if (all.signals.size() > kSignalsMax) all.signals.resize(kSignalsMax);
  return all;
}

bool ScheduleSignals::has_place() const {
  const std::lock_guard lock(under_way_->mutex);
  return under_way_->subjects.size() < kUnderWayMax;
}

// Not when it is under way already, or Intake is full.
void ScheduleSignals::submit(const Key& key, SignalSchedule signals) {
  {
    const std::lock_guard lock(under_way_->mutex);
    if (!under_way_->subjects.insert(key).second) return;
  }
  const auto end = [under_way = under_way_, key] {
    const std::lock_guard lock(under_way->mutex);
    under_way->subjects.erase(key);
  };
  auto ticket = intake_.admit(intake::Lane::safety, (1 + signals.signals.size()) * kSignalBytes);
  if (!ticket) return end();
  const std::string subject = signals.subject;
  intake::Submission submission{.study = studies_[key.first].study,
                                .actor = kSignalActor,
                                .received_ms = clock_.utc_ms(),
                                .received = clock_.now()};
  submission.commands.emplace_back(std::move(signals));
  intake_.submit(std::move(*ticket), std::move(submission), runtime::kForever,
                 [end, subject](const intake::SubmissionResult& result) {
                   if (result.verdict != intake::Verdict::stored) {
                     base::log_warning("what is late or missed of " + subject +
                                       " was not told: " + std::string(to_string(result.verdict)));
                   }
                   end();
                 });
}

}  // namespace trialward::api
