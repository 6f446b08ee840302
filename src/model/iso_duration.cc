#include "model/iso_duration.h"

#include <array>
#include <chrono>
#include <cstdlib>

#include "base/milliseconds.h"
#include "model/effective_time.h"

namespace trialward::model {
namespace {

constexpr std::size_t kDigitsMax = 5;
constexpr int kLongestMonth = 31;

struct Part {
  char letter;
  int months, days;
  std::int64_t exact_ms;
};
constexpr std::array<Part, 4> kDateParts = {
    {{'Y', 12, 0, 0}, {'M', 1, 0, 0}, {'W', 0, 7, 0}, {'D', 0, 1, 0}}};
constexpr std::array<Part, 3> kTimeParts = {
    {{'H', 0, 0, base::kHourMs}, {'M', 0, 0, base::kMinuteMs}, {'S', 0, 0, base::kSecondMs}}};

base::Error wrong(std::string_view text, std::string_view reason) {
  return base::invalid("\"" + std::string(text.substr(0, 40)) +
                       "\" is no ISO 8601 duration: " + std::string(reason));
}

// About how many days it may take, for limits.
std::int64_t most_days(const IsoDuration& duration) {
  return std::abs(std::int64_t{duration.months}) * kLongestMonth +
         std::abs(std::int64_t{duration.days}) + std::abs(duration.exact_ms) / base::kDayMs;
}

// The parts before the T, or after it, each at most once and in their order.
class PartReader {
 public:
  PartReader(std::string_view text, std::string_view rest) : text_(text), rest_(rest) {}

  template <std::size_t N>
  base::Status read(const std::array<Part, N>& parts) {
    std::size_t next = 0;
    while (!rest_.empty() && rest_.front() != 'T') {
      const auto count = number();
      if (!count) return count.error();
      if (rest_.empty()) return wrong(text_, "a number has no letter behind it");
      while (next < N && parts[next].letter != rest_.front()) ++next;
      if (next == N) return wrong(text_, "expected such as P2W, P1Y2M3D or P1DT4H30M");
      const Part& part = parts[next++];
      weeks_ |= part.letter == 'W';
      ++count_;
      sum_.months += *count * part.months;
      sum_.days += *count * part.days;
      sum_.exact_ms += *count * part.exact_ms;
      rest_.remove_prefix(1);
    }
    return {};
  }
  bool accept_time() {
    if (!rest_.starts_with('T')) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view rest() const { return rest_; }
  const IsoDuration& sum() const { return sum_; }
  int count() const { return count_; }
  bool weeks() const { return weeks_; }

 private:
  base::Result<int> number() {
    std::size_t digits = 0;
    int value = 0;
    while (digits < rest_.size() && '0' <= rest_[digits] && rest_[digits] <= '9') {
      if (digits == kDigitsMax) return wrong(text_, "a number has more than five digits");
      value = value * 10 + (rest_[digits++] - '0');
    }
    if (digits == 0) return wrong(text_, "expected such as P2W, P1Y2M3D or P1DT4H30M");
    rest_.remove_prefix(digits);
    if (rest_.starts_with('.') || rest_.starts_with(',')) {
      return wrong(text_, "fractions are not taken");
    }
    return value;
  }

  std::string_view text_, rest_;
  IsoDuration sum_;
  int count_ = 0;
  bool weeks_ = false;
};

}  // namespace

base::Result<IsoDuration> parse_iso_duration(std::string_view text, Sign sign) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative && sign == Sign::never) return wrong(text, "it must not be negative");
  if (negative) rest.remove_prefix(1);
  if (!rest.starts_with('P')) return wrong(text, "it must begin with P");
  PartReader reader(text, rest.substr(1));
  if (auto read = reader.read(kDateParts); !read) return read.error();
  const int of_date = reader.count();
  if (reader.accept_time()) {
    if (auto read = reader.read(kTimeParts); !read) return read.error();
    if (reader.count() == of_date)
      return wrong(text, "after T hours, minutes or seconds must come");
  }
  if (!reader.rest().empty()) return wrong(text, "it has more than one T");
  if (reader.count() == 0) return wrong(text, "it says nothing");
  if (reader.weeks() && reader.count() > 1) return wrong(text, "weeks stand alone: P2W, or P14D");
  if (most_days(reader.sum()) > kDurationDaysMax) return wrong(text, "it is longer than 20 years");
  return negative ? times(reader.sum(), -1) : reader.sum();
}

std::string to_string(const IsoDuration& duration) {
  const bool negative = duration.months < 0 || duration.days < 0 || duration.exact_ms < 0;
  std::string text = negative ? "-P" : "P";
  const auto put = [&](std::int64_t count, char letter) {
    if (count != 0) text += std::to_string(std::abs(count)) + letter;
  };
  put(duration.months, 'M');
  put(duration.days, 'D');
  if (duration.exact_ms != 0) {
    text += 'T';
    put(duration.exact_ms / base::kHourMs, 'H');
    put(duration.exact_ms % base::kHourMs / base::kMinuteMs, 'M');
    put(duration.exact_ms % base::kMinuteMs / base::kSecondMs, 'S');
  }
  return duration.zero() ? "P0D" : text;
}

IsoDuration times(const IsoDuration& duration, int count) {
  return {.months = duration.months * count,
          .days = duration.days * count,
          .exact_ms = duration.exact_ms * count};
}

std::int64_t day_after(std::int64_t day, const IsoDuration& duration) {
  using namespace std::chrono;
  sys_days date{days(day)};
  if (duration.months != 0) {
    const year_month_day from(date);
    const year_month month = from.year() / from.month() + months(duration.months);
    const year_month_day last(month / std::chrono::last);
    date = sys_days(month / std::min(from.day(), last.day()));
  }
  return date.time_since_epoch().count() + duration.days;
}

std::string day_text(std::int64_t day) { return format_utc(day * base::kDayMs).substr(0, 10); }

}  // namespace trialward::model
