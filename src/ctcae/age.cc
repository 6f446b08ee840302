#include "ctcae/age.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "model/effective_time.h"

namespace trialward::ctcae {
namespace {

constexpr int kYearsMax = 200;
constexpr int kLastDay = 31;  // no month has more; only the order counts

int number_of(std::string_view digits) {
  int number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

std::optional<Birth::Days> Birth::days_of(std::string_view text) {
  if (!model::check_effective(text)) return std::nullopt;
  Days days;
  days.first.year = days.last.year = number_of(text.substr(0, 4));
  days.last.month = 12;
  days.last.day = kLastDay;
  if (text.size() >= 7) days.first.month = days.last.month = number_of(text.substr(5, 2));
  if (text.size() >= 10) days.first.day = days.last.day = number_of(text.substr(8, 2));
  return days;
}

// Below 0 where `to` is the earlier one: -1 from the day before on.
int Birth::years_between(const Day& from, const Day& to) {
  const bool before_birthday = std::tie(to.month, to.day) < std::tie(from.month, from.day);
  return to.year - from.year - (before_birthday ? 1 : 0);
}

std::optional<Birth> Birth::on(std::string_view date) {
  const auto days = days_of(date);
  if (!days) return std::nullopt;
  Birth birth;
  birth.born_ = *days;
  return birth;
}

// Who is 17 was born 17 years ago at the latest, and less than 18 years ago.
std::optional<Birth> Birth::from_age(int years, std::string_view date) {
  const auto days = days_of(date);
  if (!days || years < 0 || years > kYearsMax) return std::nullopt;
  Birth birth;
  birth.born_ = *days;
  birth.born_.first.year -= years + 1;
  birth.born_.last.year -= years;
  birth.after_ = true;
  return birth;
}

std::optional<Age> Birth::at(std::string_view date) const {
  const auto days = days_of(date);
  if (!days) return std::nullopt;
  const bool birthday = days->last.month == born_.first.month && days->last.day == born_.first.day;
  Age age{years_between(born_.last, days->first), years_between(born_.first, days->last)};
  if (after_ && birthday) --age.most;
  age.most = std::max(age.most, age.least);
  return age;
}

}  // namespace trialward::ctcae
