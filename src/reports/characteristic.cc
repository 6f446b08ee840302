// What subjects' characteristics are, by the records: see characteristic.h.
#include "reports/characteristic.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "reports/dataset.h"

namespace trialward::reports {
namespace {

using From = Characteristic::From;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kDaysOfMonth = 365.25 / 12;
constexpr double kCmOfMetre = 100;

double number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : kNaN;
}

class Evaluation {
 public:
  Evaluation(const Dataset& data, const Characteristic& what,
             const std::vector<CharacteristicValues>& before)
      : data_(data), what_(what), before_(before), count_(data.subjects.size()) {}

  CharacteristicValues evaluate() {
    CharacteristicValues values;
    if (what_.numeric()) {
      values.numbers = numbers();
      for (double& number : values.numbers) {
        if (what_.round) number = rounded(number, *what_.round);
      }
    }
    if (what_.from == From::category && what_.levels.empty()) {
      place_by_words(values);
    } else if (!what_.levels.empty()) {
      place_by_levels(values);
    }
    return values;
  }

 private:
  std::vector<double> numbers() const {
    switch (what_.from) {
      case From::attribute: return of_attribute();
      case From::demographics: return of_demographics();
      case From::measured: return of_measured();
      case From::sum: return of_sum();
      case From::months: return of_months();
      case From::bmi: return of_bmi();
      case From::levels:
      case From::category: break;
    }
    return {};
  }

  std::vector<double> of_attribute() const {
    std::vector<double> all;
    all.reserve(count_);
    for (const Subject& subject : data_.subjects) {
      all.push_back(number_of(data_.attribute(subject, what_.name)));
    }
    return all;
  }

  // The last in time counts, of one time the last that came.
  template <class Row>
  static bool later(const Row& one, const Row* than) {
    return than == nullptr ||
           std::pair(than->at_ms, than->record) < std::pair(one.at_ms, one.record);
  }

  std::vector<double> of_demographics() const {
    std::vector<const Entry*> last(count_);
    const Word code = data_.words.find(what_.name);
    for (const Entry& one : data_.demographics) {
      if (one.code == code && later(one, last[one.subject])) last[one.subject] = &one;
    }
    std::vector<double> all(count_, kNaN);
    for (std::size_t i = 0; i < count_; ++i) {
      if (last[i]) all[i] = last[i]->number;
    }
    return all;
  }

  bool at_the_start(const Measurement& one) const {
    return what_.visit.empty() ? one.baseline : data_.text(one.visit) == what_.visit;
  }
  double value_of(const Measurement& one) const {
    return what_.standard ? one.standard : one.value;
  }

  std::vector<double> of_measured() const {
    std::vector<double> all(count_, kNaN);
    if (what_.codes.empty()) return all;
    std::vector<const Measurement*> last(count_);
    const Word code = data_.words.find(what_.codes.front().code);
    for (const Measurement& one : data_.measurements(what_.codes.front().kind)) {
      if (one.code != code || !at_the_start(one) || std::isnan(value_of(one))) continue;
      if (later(one, last[one.subject])) last[one.subject] = &one;
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (last[i]) all[i] = value_of(*last[i]);
    }
    return all;
  }

  std::vector<double> of_sum() const {
    std::vector<double> all(count_, kNaN);
    if (what_.codes.empty()) return all;
    std::set<Word> codes;
    for (const CodeName& name : what_.codes) codes.insert(data_.words.find(name.code));
    for (const Measurement& one : data_.measurements(what_.codes.front().kind)) {
      if (!codes.contains(one.code) || std::isnan(value_of(one))) continue;
      if (!what_.visit.empty() && data_.text(one.visit) != what_.visit) continue;
      double& sum = all[one.subject];
      sum = (std::isnan(sum) ? 0 : sum) + value_of(one);
    }
    return all;
  }

  std::vector<double> of_months() const {
    std::vector<std::optional<std::int32_t>> start(count_), end(count_);
    for (const Entry& one : data_.histories) {
      if (data_.attribute(one, "mhcat") != what_.name) continue;
      const auto day = day_number(one.date);
      if (day && (!start[one.subject] || *day < *start[one.subject])) start[one.subject] = day;
    }
    for (const Entry& one : data_.visits) {
      if (data_.text(one.code) != what_.visit) continue;
      const auto day = day_number(one.date);
      if (day && (!end[one.subject] || *day < *end[one.subject])) end[one.subject] = day;
    }
    std::vector<double> all(count_, kNaN);
    for (std::size_t i = 0; i < count_; ++i) {
      if (start[i] && end[i]) all[i] = (*end[i] - *start[i] + 1) / kDaysOfMonth;
    }
    return all;
  }

  std::vector<double> of_bmi() const {
    const auto& weight = before_[what_.parts[0]].numbers;
    const auto& height = before_[what_.parts[1]].numbers;
    std::vector<double> all(count_, kNaN);
    for (std::size_t i = 0; i < count_; ++i) {
      const double metres = height[i] / kCmOfMetre;
      if (metres > 0) all[i] = weight[i] / (metres * metres);
    }
    return all;
  }

  void place_by_words(CharacteristicValues& values) const {
    std::map<std::string_view, int> places;
    for (const Subject& subject : data_.subjects) {
      const std::string_view text = data_.attribute(subject, what_.name);
      if (!text.empty() && subject.arm != kNoArm) places.emplace(text, 0);
    }
    for (auto& [text, place] : places) {
      place = static_cast<int>(values.labels.size());
      values.labels.emplace_back(text);
    }
    for (const Subject& subject : data_.subjects) {
      const auto found = places.find(data_.attribute(subject, what_.name));
      values.levels.push_back(found == places.end() ? -1 : found->second);
    }
  }

  void place_by_levels(CharacteristicValues& values) const {
    for (const Level& level : what_.levels) values.labels.push_back(level.label);
    for (std::size_t i = 0; i < count_; ++i) {
      const auto found =
          std::find_if(what_.levels.begin(), what_.levels.end(), [&](const Level& level) {
            return fits(level, i, values.numbers.empty() ? kNaN : values.numbers[i]);
          });
      values.levels.push_back(found == what_.levels.end()
                                  ? -1
                                  : static_cast<int>(found - what_.levels.begin()));
    }
  }

  bool fits(const Level& level, std::size_t subject, double number) const {
    if (!level.holds(number)) return false;
    const auto has = [&](const auto& pair) {
      return data_.attribute(data_.subjects[subject], pair.first) == pair.second;
    };
    return std::all_of(level.when.begin(), level.when.end(), has) &&
           std::none_of(level.unless.begin(), level.unless.end(), has);
  }

  const Dataset& data_;
  const Characteristic& what_;
  const std::vector<CharacteristicValues>& before_;
  const std::size_t count_;
};

}  // namespace

std::vector<CharacteristicValues> evaluate_characteristics(const Dataset& data) {
  std::vector<CharacteristicValues> all;
  for (const Characteristic& one : data.settings->characteristics) {
    all.push_back(Evaluation(data, one, all).evaluate());
  }
  return all;
}

}  // namespace trialward::reports
