// Any order in which a subject's records arrive ends in one state, alerts included: random
// subjects, each in many orders. ARRIVALS in the environment says how many (`make arrivals`).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

#include "base/milliseconds.h"
#include "tests/monitor/harness.h"

namespace trialward::monitor {
namespace {

using base::kHourMs;
constexpr std::size_t kOrders = 200;  // of one subject
constexpr std::size_t kArrivals = 20'000;

constexpr const char* kRules = R"(
[[rules]]
id = "hy"
title = "t"
within = "3 d"
then = [
  { kind = "lab", codes = ["ALT", "AST"], at_least = 3, of = "ULN" },
  { kind = "lab", codes = ["BILI"], at_least = 2, of = "ULN" },
]
without = [{ kind = "lab", codes = ["ALP"], at_least = 2, of = "ULN", around = "1 d" }]
[[rules]]
id = "hepatocellular"
title = "t"
kind = "lab"
codes = ["ALT"]
at_least = 5
of = "ULN"
ratio_to = "ALP"
apart = "12 h"
[[rules]]
id = "slope"
title = "t"
kind = "lab"
codes = ["ALT"]
slope_at_least = 40
unit = "U/L"
per = "d"
over = "2 d"
points = 3
[[rules]]
id = "ends"
title = "t"
one_alert_per = "code"
kind = "lab"
codes = ["ALT", "AST"]
slope_below = 0
unit = "U/L"
per = "d"
over = "1 d"
points = 2
fit = "ends"
[[rules]]
id = "mixed"
title = "t"
any = [
  { kind = "lab", codes = ["ALT"], at_least = 200, unit = "U/L" },
  { kind = "lab", codes = ["ALT"], rise_percent = 50, from = "last" },
  { kind = "lab", codes = ["ALT"], at_least = 2, of = "baseline" },
]
[[rules]]
id = "graded"
title = "t"
kind = "lab"
codes = ["ALT", "AST"]
ctcae_grade_at_least = 2
[[rules]]
id = "compared-twice"
title = "t"
kind = "lab"
codes = ["ALT", "BILI"]
rise_percent = 20
from = "last"
count = 2
within = "2 d"
without = [{ kind = "lab", codes = ["AST"], fall_percent = 10, from = "baseline", around = "12 h" }]
[[rules]]
id = "code"
title = "t"
one_alert_per = "code"
kind = "lab"
codes = ["ALT", "AST", "BILI"]
at_least = 3
of = "ULN"
[[rules]]
id = "record"
title = "t"
one_alert_per = "record"
kind = "adverse_event"
serious = true
[[rules]]
id = "often"
title = "t"
count = 3
within = "1 d"
any = [
  { kind = "vital", codes = ["HR"], above = 100, unit = "/min" },
  { kind = "adverse_event" },
]
[[rules]]
id = "nested"
title = "t"
within = "1 d"
all = [
  { kind = "vital", codes = ["HR"], above = 100, unit = "/min", count = 2, within = "6 h" },
  { kind = "lab", codes = ["ALT"], at_least = 2, of = "ULN" },
]
without = [{ kind = "adverse_event", serious = true, around = "3 h" }]
[[rules]]
id = "no-bili"
title = "t"
within = "2 d"
missing = { kind = "lab", codes = ["BILI"] }
after_each = { kind = "lab", codes = ["ALT"], at_least = 3, of = "ULN" }
until = { kind = "disposition" }
[[rules]]
id = "no-alt"
title = "t"
within = "1 d"
missing = { kind = "lab", codes = ["ALT"] }
after = { kind = "lab", codes = ["BILI"] }
)";

// What one subject sends; a record names the one that it corrects by its place.
class Subject {
 public:
  explicit Subject(std::uint32_t seed) : random_(seed) {
    const std::size_t count = 6 + below(10);
    for (std::size_t i = 0; i < count; ++i) {
      amends_.push_back(none());
      if (i > 0 && below(4) == 0) correct(below(i));
      records_.push_back(record(i));
    }
  }

  std::size_t size() const { return records_.size(); }
  // The places of its records, a corrected one before its correction.
  std::vector<std::size_t> order() {
    std::vector<std::size_t> places(size());
    for (std::size_t i = 0; i < size(); ++i) places[i] = i;
    std::shuffle(places.begin(), places.end(), random_);
    // Of each chain the places stay, taken in turn.
    std::map<std::size_t, std::vector<std::size_t>> chains;
    for (const std::size_t place : places) chains[first(place)].push_back(place);
    for (auto& [first_place, chain] : chains) std::sort(chain.rbegin(), chain.rend());
    for (std::size_t& place : places) {
      auto& chain = chains[first(place)];
      place = chain.back();
      chain.pop_back();
    }
    return places;
  }
  std::size_t first(std::size_t place) const {
    while (amends_[place] != none()) place = amends_[place];
    return place;
  }
  std::size_t amended(std::size_t place) const { return amends_[place]; }
  const model::StoredRecord& at(std::size_t place) const { return records_[place]; }
  std::size_t below(std::size_t bound) { return random_() % bound; }
  static std::size_t none() { return SIZE_MAX; }

 private:
  void correct(std::size_t place) {
    if (std::find(amends_.begin(), amends_.end(), place) == amends_.end()) amends_.back() = place;
  }

  model::StoredRecord record(std::size_t place) {
    model::StoredRecord stored;
    model::Record& record = stored.record;
    record.subject = "S1";
    record.source = below(2) == 0 ? "site" : "device";
    record.source_id = std::to_string(below(1000)) + "-" + std::to_string(place);
    // Few instants, so that many are the same.
    const std::int64_t from_ms = 6 * kHourMs * static_cast<std::int64_t>(below(20));
    if (below(12) != 0) stored.interval = model::Interval{from_ms, from_ms + 1};
    record.baseline = below(6) == 0;
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return with(stored, model::Kind::lab, "ALT", "U/L", {15, 30, 80, 90, 120, 160, 240, 400});
      case 3:
        return with(stored, model::Kind::lab, "AST", "U/L", {30, 90, 120, 300});
      case 4:
      case 5:
        return with(stored, model::Kind::lab, "BILI", "mg/dL", {0.5, 1.2, 2.4, 3.6, 4.8});
      case 6:
        return with(stored, model::Kind::lab, "ALP", "U/L", {20, 60, 200, 400});
      case 7:
        record.serious = below(3) == 0;
        return with(stored, model::Kind::adverse_event, "RASH", "", {});
      case 8:
        if (below(3) == 0) return with(stored, model::Kind::disposition, "LEFT", "", {});
        [[fallthrough]];
      default:
        return with(stored, model::Kind::vital, "HR", "/min", {80, 101, 130});
    }
  }

  model::StoredRecord with(model::StoredRecord stored, model::Kind kind, const char* code,
                           const char* unit, const std::vector<double>& numbers) {
    model::Record& record = stored.record;
    record.kind = kind;
    record.code = code;
    record.unit = unit;
    if (!numbers.empty() && below(15) != 0) record.value.number = numbers[below(numbers.size())];
    if (record.code == "AST") record.range.high = 40;
    return stored;
  }

  std::mt19937 random_;
  std::vector<std::size_t> amends_;
  std::vector<model::StoredRecord> records_;
};

// What alerts would name at the end, were they never acknowledged: by rule and group, the places of
// the records that are causes.
using Alerts = std::map<std::string, std::set<std::size_t>>;

// One order of arrival. Ids follow it, as in a store.
class Arrival {
 public:
  Arrival(const model::Monitor& monitor, Subject& subject)
      : monitor_(monitor), subject_(subject), watch_(open_watch(monitor)) {}

  Alerts run() {
    const std::vector<std::size_t> order = subject_.order();
    // Time passes somewhere in between, twice; at the end as much as in any other order.
    const std::size_t early = subject_.below(order.size() + 1);
    const std::size_t late = early + subject_.below(order.size() + 1 - early);
    for (std::size_t i = 0; i <= order.size(); ++i) {
      if (i == early) take(watch_->pass(40 * kHourMs));
      if (i == late) take(watch_->pass(90 * kHourMs));
      if (i < order.size()) arrive(order[i]);
    }
    std::erase_if(alerts_, [](const auto& alert) { return alert.second.empty(); });
    check_holding();
    return std::move(alerts_);
  }

 private:
  void arrive(std::size_t place) {
    model::StoredRecord stored = subject_.at(place);
    stored.id = static_cast<std::int64_t>(ids_.size()) + 1;
    ids_[place] = stored.id;
    places_.push_back(place);
    if (const std::size_t amended = subject_.amended(place); amended != Subject::none()) {
      stored.record.amends = ids_.at(amended);
      stored.first = ids_.at(subject_.first(place));
      for (auto& [name, causes] : alerts_) causes.erase(amended);
    }
    take(watch_->observe(stored));
  }

  void take(const model::Observation& found) {
    for (const model::Match& match : found.matches) {
      for (const std::int64_t id : match.causes) alerts_[name_of(match)].insert(place_of(id));
    }
    for (const model::Match& match : found.ended) {
      for (const std::int64_t id : match.causes) {
        EXPECT_EQ(alerts_[name_of(match)].erase(place_of(id)) +
                      (subject_.amended(places_.back()) == place_of(id) ? 1 : 0),
                  1u);
      }
    }
  }

  std::size_t place_of(std::int64_t id) const {
    return places_.at(static_cast<std::size_t>(id) - 1);
  }
  std::string name_of(const model::Match& match) {
    const std::string& rule = monitor_.rules()[match.rule].id;
    const std::string group =
        rule == "record" ? std::to_string(place_of(std::stoll(match.group))) : match.group;
    const std::string name = rule + "[" + group + "]";
    match_of_[name] = match;
    return name;
  }

  // What is left of the causes is enough for the rule to hold.
  void check_holding() {
    for (const auto& [name, causes] : alerts_) {
      std::vector<std::int64_t> ids;
      for (const std::size_t place : causes) ids.push_back(ids_.at(place));
      std::sort(ids.begin(), ids.end());
      const model::Match& match = match_of_.at(name);
      EXPECT_TRUE(watch_->holds(match.rule, match.group, ids)) << name;
    }
  }

  const model::Monitor& monitor_;
  Subject& subject_;
  std::unique_ptr<model::Watch> watch_;
  std::map<std::size_t, std::int64_t> ids_;  // by place
  std::vector<std::size_t> places_;          // by id, from 1
  std::map<std::string, model::Match> match_of_;
  Alerts alerts_;
};

std::string to_text(const Alerts& alerts) {
  std::string text;
  for (const auto& [name, causes] : alerts) {
    text += name + ":";
    for (const std::size_t place : causes) text += " " + std::to_string(place);
    text += "\n";
  }
  return text;
}

std::size_t arrivals_wanted() {
  const char* given = std::getenv("ARRIVALS");
  return given == nullptr ? kArrivals : std::stoul(given);
}

TEST(Arrivals, EndInOneStateWhateverTheOrder) {
  const auto monitor = monitor_with(kRules, "\n[ctcae]\nversion = \"5\"\n");
  ASSERT_TRUE(monitor);
  std::map<std::string, std::size_t> seen;  // subjects for whom it holds, by rule and group
  std::size_t arrivals = 0;
  const std::size_t wanted = arrivals_wanted();
  for (std::uint32_t seed = 1; arrivals < wanted; ++seed) {
    Subject subject(seed);
    const Alerts first = Arrival(*monitor, subject).run();
    for (const auto& [name, causes] : first) ++seen[name.substr(0, name.find('['))];
    for (std::size_t i = 1; i < kOrders; ++i) {
      const Alerts again = Arrival(*monitor, subject).run();
      ASSERT_EQ(to_text(again), to_text(first)) << "seed " << seed << ", order " << i;
    }
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
    arrivals += kOrders;
  }
  RecordProperty("arrivals", std::to_string(arrivals));
  // The subjects are such that each rule holds for some.
  EXPECT_EQ(seen.size(), monitor->rules().size());
}

}  // namespace
}  // namespace trialward::monitor
