// read_schedule: schedule.toml → Schedule, each fault with its line.
#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/milliseconds.h"
#include "model/effective_time.h"
#include "model/escalation.h"
#include "model/schedule.h"
#include "model/table_reader.h"
#include "model/text_fault.h"

namespace trialward::model {
namespace {

constexpr std::array<std::string_view, 2> kAnchorWords = {"first-dose", "enrolment"};
constexpr std::size_t kConditionsMax = 16;

std::string more_than(std::size_t count, std::string_view what) {
  return "more than " + std::to_string(count) + " " + std::string(what);
}

// The most that a duration may come to, in days; for limits.
std::int64_t days_at_most(const IsoDuration& duration) {
  return std::int64_t{duration.months} * 31 + duration.days + duration.exact_ms / base::kDayMs;
}
std::int64_t ms_at_least(const IsoDuration& duration) {
  return std::int64_t{duration.months} * 28 * base::kDayMs + duration.days * base::kDayMs +
         duration.exact_ms;
}

std::optional<IsoDuration> read_duration(TableReader& table, std::string_view key,
                                         Sign sign = Sign::never) {
  if (!table.has(key)) return std::nullopt;
  const std::string text = table.text(key);
  auto duration = parse_iso_duration(text, sign);
  if (duration) return *duration;
  table.fault(key, std::string(key) + ": " + duration.error().message);
  return std::nullopt;
}

std::optional<int> read_time_of_day(TableReader& table) {
  if (!table.has("time")) return std::nullopt;
  const std::string text = table.text("time");
  const auto digit = [&](std::size_t at) { return text[at] - '0'; };
  const auto is_digit = [&](std::size_t at) { return '0' <= text[at] && text[at] <= '9'; };
  if (text.size() == 5 && text[2] == ':' && is_digit(0) && is_digit(1) && is_digit(3) &&
      is_digit(4)) {
    const int hour = digit(0) * 10 + digit(1), minute = digit(3) * 10 + digit(4);
    if (hour < 24 && minute < 60) return hour * 60 + minute;
  }
  table.fault("time", "time must be a time of day such as \"20:00\"");
  return std::nullopt;
}

// Reads one activity after the other: each may be anchored to those before it.
class ScheduleReader {
 public:
  ScheduleReader(TableReader& root, const Study& study) : root_(root), study_(study) {}

  Schedule read() && {
    if (auto ending = root_.table("ending")) {
      schedule_.ending_category = ending->id("category");
      ending->finish();
    }
    if (auto sync = root_.table("sync")) read_sync(*sync);
    tables_ = root_.tables("activities");
    for (TableReader& table : tables_) {
      if (schedule_.activities.size() == kActivitiesMax) {
        table.fault("id", more_than(kActivitiesMax, "activities"));
        break;
      }
      read_activity(table);
    }
    for (std::size_t i = 0; i < schedule_.activities.size(); ++i) check_anchor(i);
    root_.finish();
    return std::move(schedule_);
  }

 private:
  void read_sync(TableReader& table) {
    SchedulePartner sync{.partner = table.id("partner"), .line = table.line("partner")};
    if (const auto most = read_duration(table, "out_of_step_max")) {
      sync.out_of_step_max_ms = days_at_most(*most) * base::kDayMs + most->exact_ms % base::kDayMs;
      if (sync.out_of_step_max_ms < base::kMinuteMs) {
        table.fault("out_of_step_max", "out_of_step_max must be a minute or more");
      }
    }
    table.finish();
    schedule_.sync = std::move(sync);
  }

  void read_activity(TableReader& table) {
    Activity one;
    one.line = table.line("id");
    one.id = table.id("id");
    one.title = table.text("title");
    const auto same = [&](const Activity& other) { return other.id == one.id; };
    if (std::any_of(schedule_.activities.begin(), schedule_.activities.end(), same)) {
      table.fault("id", "activity \"" + one.id + "\" is given twice");
    }
    if (std::find(kAnchorWords.begin(), kAnchorWords.end(), one.id) != kAnchorWords.end()) {
      table.fault("id", "\"" + one.id + "\" is an anchor, not an activity");
    }
    read_what(table, one);
    read_anchor(table, one);
    one.offset = read_duration(table, "offset", Sign::allowed).value_or(IsoDuration{});
    one.minute_of_day = read_time_of_day(table);
    read_window(table, one);
    read_repeat(table, one);
    if (!one.by_events()) planned_ += one.count;
    if (planned_ > kPlannedMax && !one.by_events()) {
      table.fault("repeat", "with it a subject has more than " + std::to_string(kPlannedMax) +
                                " planned activities");
      planned_ = 0;  // said once
    }
    read_whose(table, one);
    read_alerts(table, one);
    table.finish();
    schedule_.activities.push_back(std::move(one));
  }

  void read_what(TableReader& table, Activity& one) {
    if (table.has("visit")) one.visit = table.id("visit");
    if (table.is_array("questionnaire")) {
      one.codes = table.texts("questionnaire");
      if (one.codes.empty()) table.fault("questionnaire", "questionnaire must name a code");
    } else if (table.has("questionnaire")) {
      one.codes.push_back(table.id("questionnaire"));
    } else if (one.visit.empty() && !table.has("visit")) {
      table.fault("visit", "an activity needs visit or questionnaire");
    }
    if (one.codes.size() > kActivityCodesMax) {
      table.fault("questionnaire", more_than(kActivityCodesMax, "codes"));
      one.codes.resize(kActivityCodesMax);
    }
    std::set<std::string_view> seen;
    for (const std::string& code : one.codes) {
      if (!seen.insert(code).second) {
        table.fault("questionnaire", "code \"" + code + "\" is given twice");
      }
      if (!study_.open(Kind::questionnaire) && !study_.code(Kind::questionnaire, code) &&
          study_.whole) {
        table.fault("questionnaire", "the study has no questionnaire code \"" + code + "\"");
      }
    }
  }

  void read_anchor(TableReader& table, Activity& one) {
    if (table.is_table("anchor")) {
      if (auto event = table.table("anchor")) read_event(*event, one.anchor);
      return;
    }
    const std::string name = table.id("anchor");
    if (name == "first-dose") {
      one.anchor.type = Anchor::Type::first_dose;
    } else if (name != "enrolment" && !name.empty()) {
      read_activity_anchor(table, name, one.anchor);
    }
  }

  void read_activity_anchor(TableReader& table, const std::string& name, Anchor& anchor) {
    anchor.type = Anchor::Type::activity;
    const auto& all = schedule_.activities;
    const auto other = std::find_if(all.begin(), all.end(),
                                    [&](const Activity& activity) { return activity.id == name; });
    if (other == all.end()) {
      table.fault("anchor",
                  "anchor must be \"first-dose\", \"enrolment\", an event, or the id of an "
                  "activity that stands before; there is no \"" +
                      name + "\"");
      return;
    }
    if (other->count != 1 || other->by_events()) {
      table.fault("anchor", "\"" + name + "\" comes more than once, and is no anchor");
    }
    anchor.activity = static_cast<std::size_t>(other - all.begin());
  }

  // Else it would not be known by itself which of them a record does.
  void check_anchor(std::size_t index) {
    const Anchor& anchor = schedule_.activities[index].anchor;
    if (anchor.type != Anchor::Type::activity) return;
    const Activity& one = schedule_.activities[anchor.activity];
    const auto same = [&](const Activity& other) {
      return &other != &one && other.visit == one.visit && other.codes == one.codes;
    };
    const auto& all = schedule_.activities;
    if (std::none_of(all.begin(), all.end(), same)) return;
    tables_[index].fault("anchor", "\"" + one.id +
                                       "\" is no anchor: other activities are done by "
                                       "the same records");
  }

  void read_event(TableReader& table, Anchor& anchor) {
    anchor.type = Anchor::Type::event;
    const std::string kind = table.id("kind");
    if (const auto known = parse_kind(kind)) {
      anchor.kind = *known;
    } else if (!kind.empty()) {
      table.fault("kind", "there is no kind of records \"" + kind + "\"");
    }
    // What was given when would tell the treatment; and the first dose is an anchor by itself.
    if (anchor.kind == Kind::exposure)
      table.fault("kind", "an exposure is no event: first-dose is");
    if (table.has("code")) anchor.code = table.id("code");
    anchor.serious = table.flag("serious");
    table.finish();
  }

  void read_window(TableReader& table, Activity& one) {
    if (auto window = table.table("window")) {
      one.window = Window{read_duration(*window, "before").value_or(IsoDuration{}),
                          read_duration(*window, "after").value_or(IsoDuration{})};
      window->finish();
    }
    one.late_after = read_duration(table, "late_after");
    one.missed_after = read_duration(table, "missed_after");
    if (one.late_after && !one.window && !one.missed_after) {
      table.fault("late_after", "late_after needs window or missed_after: else nothing ends it");
    }
  }

  void read_repeat(TableReader& table, Activity& one) {
    auto repeat = table.table("repeat");
    if (!repeat) return;
    const auto every = read_duration(*repeat, "every");
    if (!repeat->has("every")) repeat->fault("every", "repeat needs every");
    if (every && ms_at_least(*every) < base::kMinuteMs) {
      repeat->fault("every", "every must be a minute or more");
    }
    if (repeat->has("times") == repeat->has("until")) {
      repeat->fault("times", "repeat needs times or until, one of them");
    }
    one.every = every.value_or(IsoDuration{});
    if (repeat->has("times")) read_times(*repeat, one);
    if (const auto until = read_duration(*repeat, "until"); until && every) {
      count_until(*repeat, *until, one);
    }
    if (days_at_most(one.every) * one.count > kDurationDaysMax) {
      repeat->fault("every", "it goes on for more than 20 years");
      one.count = 1;
    }
    repeat->finish();
  }

  void read_times(TableReader& repeat, Activity& one) {
    const double given = repeat.number("times").value_or(0);
    if (given != std::floor(given) || given < 1 || given > kRepeatsMax) {
      repeat.fault("times",
                   "times must be a whole number from 1 to " + std::to_string(kRepeatsMax));
      return;
    }
    one.count = static_cast<int>(given);
  }

  // As many as have their day no later than `until` after the first's, counted from one day of a
  // year that is no leap year and a month that is not short: the same for every subject.
  void count_until(TableReader& repeat, const IsoDuration& until, Activity& one) {
    constexpr std::int64_t kJanuary1 = 0;                  // of 1970
    if (ms_at_least(one.every) < base::kMinuteMs) return;  // told already
    const auto end = day_after(kJanuary1, until) * base::kDayMs + until.exact_ms;
    one.count = 0;
    while (one.count <= kRepeatsMax) {
      const IsoDuration since = times(one.every, one.count);
      if (day_after(kJanuary1, since) * base::kDayMs + since.exact_ms > end) return;
      ++one.count;
    }
    repeat.fault("until", more_than(kRepeatsMax, "times until then"));
    one.count = 1;
  }

  void read_whose(TableReader& table, Activity& one) {
    one.sites = table.texts("sites");
    if (table.has("sites") && one.sites.empty())
      table.fault("sites", "sites must name one or more");
    for (const std::string& site : one.sites) {
      if (study_.whole && !study_.site(site)) {
        table.fault("sites", "the study has no site \"" + site + "\"");
      }
    }
    auto conditions = table.table("only_if");
    if (!conditions) return;
    const auto keys = conditions->keys();
    if (keys.empty() || keys.size() > kConditionsMax) {
      table.fault("only_if",
                  "only_if must have from 1 to " + std::to_string(kConditionsMax) + " attributes");
    }
    for (const std::string& key : keys) {
      if (std::find(kBlindedAttributes.begin(), kBlindedAttributes.end(), key) !=
          kBlindedAttributes.end()) {
        conditions->fault(key, "only_if must not ask for " + key + ": it would tell the treatment");
      }
      one.only_if.emplace_back(key, conditions->text(key));
    }
  }

  void read_alerts(TableReader& table, Activity& one) {
    for (TableReader& given : table.tables("alerts")) {
      ActivityAlert alert;
      const std::string when = given.text("when");
      if (when == to_string(ActivityAlert::When::late)) {
        alert.when = ActivityAlert::When::late;
        if (!one.late_after && !(one.window && one.missed_after)) {
          given.fault("when",
                      "it is never late: that needs late_after, or window and missed_after");
        }
      } else if (when != to_string(ActivityAlert::When::missed)) {
        given.fault("when", "when must be \"late\" or \"missed\"");
      }
      const auto same = [&](const ActivityAlert& other) { return other.when == alert.when; };
      if (std::any_of(one.alerts.begin(), one.alerts.end(), same)) {
        given.fault("when", "there is an alert already for when it is " + when);
      }
      if (given.has("severity")) {
        const auto severity = parse_severity(given.text("severity"));
        if (!severity) {
          given.fault("severity", "severity must be \"info\", \"warning\" or \"critical\"");
        }
        alert.severity = severity.value_or(AlertSeverity::warning);
      }
      alert.title = given.id("title");
      given.finish();
      one.alerts.push_back(std::move(alert));
    }
  }

  TableReader& root_;
  const Study& study_;
  std::vector<TableReader> tables_;  // by activity
  Schedule schedule_;
  int planned_ = 0;
};

}  // namespace

Schedule read_schedule(TableReader& root, const Study& study) {
  return ScheduleReader(root, study).read();
}

}  // namespace trialward::model
