#include "model/effective_time.h"

#include <algorithm>
#include <chrono>

#include "base/milliseconds.h"
#include "model/wall_clock.h"

namespace trialward::model {
namespace {

using base::kDayMs;
using base::kMinuteMs;
constexpr int kYearMin = 1800;
constexpr int kYearMax = 2200;
constexpr int kOffsetHoursMax = 14;  // no zone is further from Greenwich

constexpr std::string_view kForms =
    "expected YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDTHH:MM[:SS[.fff]], after a time of day "
    "optionally Z or an offset such as -05:00";

// What a text says, as milliseconds of an unzoned calendar that starts at 1970-01-01T00:00.
struct GivenTime {
  std::int64_t from_ms = 0;
  std::int64_t until_ms = 0;
  bool time_of_day = false;
  std::optional<std::int64_t> offset_ms;  // of the local time from UTC
};

// Reads a text from its start, part by part. The first part that is wrong sets error() and makes
// everything after it a no-op.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool done() const { return rest_.empty() || !error_.empty(); }
  const std::string& error() const { return error_; }

  // Takes the character if it comes next.
  bool accept(char expected) {
    if (done() || rest_.front() != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char expected) {
    if (!accept(expected)) fail(std::string(kForms));
  }
  // Exactly so many digits with a value from low to high.
  int number(const char* what, std::size_t digits, int low, int high) {
    if (!error_.empty()) return low;
    if (rest_.size() < digits || !all_digits(rest_.substr(0, digits))) {
      fail(std::string(kForms));
      return low;
    }
    int value = 0;
    for (char digit : rest_.substr(0, digits)) value = value * 10 + (digit - '0');
    if (value < low || value > high) {
      fail(std::string(what) + " " + std::string(rest_.substr(0, digits)) + " is not from " +
           std::to_string(low) + " to " + std::to_string(high));
      return low;
    }
    rest_.remove_prefix(digits);
    return value;
  }
  // One to nine digits after a decimal point: what they say in milliseconds, and how exactly.
  std::int64_t fraction_ms(std::int64_t& width_ms) {
    std::int64_t value_ms = 0;
    std::size_t digits = 0;
    width_ms = 1000;
    while (!done() && digits < 9 && is_digit(rest_.front())) {
      width_ms /= 10;
      value_ms += (rest_.front() - '0') * width_ms;
      rest_.remove_prefix(1);
      ++digits;
    }
    width_ms = std::max<std::int64_t>(width_ms, 1);
    if (digits == 0) fail(std::string(kForms));
    return value_ms;
  }
  void fail(std::string reason) {
    if (error_.empty()) error_ = std::move(reason);
  }

 private:
  static bool is_digit(char c) { return '0' <= c && c <= '9'; }
  static bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
  }

  std::string_view rest_;
  std::string error_;
};

std::int64_t day_ms(int year, int month, int day) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  return std::chrono::sys_days(date).time_since_epoch().count() * kDayMs;
}

int days_in_month(int year, int month) {
  const std::chrono::year_month_day_last last{
      std::chrono::year(year), std::chrono::month_day_last(std::chrono::month(month))};
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

void read_offset(Reader& reader, GivenTime& given) {
  if (reader.accept('Z')) {
    given.offset_ms = 0;
    return;
  }
  const bool west = reader.accept('-');
  if (!west) reader.expect('+');
  const int hours = reader.number("offset hour", 2, 0, kOffsetHoursMax);
  reader.expect(':');
  const int minutes = reader.number("offset minute", 2, 0, hours == kOffsetHoursMax ? 0 : 59);
  const std::int64_t size = (hours * 60 + minutes) * kMinuteMs;
  given.offset_ms = west ? -size : size;
}

void read_time_of_day(Reader& reader, GivenTime& given) {
  given.time_of_day = true;
  const int hour = reader.number("hour", 2, 0, 23);
  reader.expect(':');
  const int minute = reader.number("minute", 2, 0, 59);
  given.from_ms += (hour * 60 + minute) * kMinuteMs;
  std::int64_t width_ms = kMinuteMs;
  if (reader.accept(':')) {
    given.from_ms += reader.number("second", 2, 0, 59) * 1000;
    width_ms = 1000;
    if (reader.accept('.')) given.from_ms += reader.fraction_ms(width_ms);
  }
  given.until_ms = given.from_ms + width_ms;
  if (!reader.done()) read_offset(reader, given);
}

base::Result<GivenTime> read(std::string_view text) {
  Reader reader(text);
  GivenTime given;
  const int year = reader.number("year", 4, kYearMin, kYearMax);
  if (reader.done()) {
    given.from_ms = day_ms(year, 1, 1);
    given.until_ms = day_ms(year + 1, 1, 1);
  } else {
    reader.expect('-');
    const int month = reader.number("month", 2, 1, 12);
    if (reader.done()) {
      given.from_ms = day_ms(year, month, 1);
      given.until_ms = given.from_ms + days_in_month(year, month) * kDayMs;
    } else {
      reader.expect('-');
      const int day = reader.number("day", 2, 1, days_in_month(year, month));
      given.from_ms = day_ms(year, month, day);
      given.until_ms = given.from_ms + kDayMs;
      if (!reader.done()) {
        reader.expect('T');
        read_time_of_day(reader, given);
      }
    }
  }
  if (!reader.error().empty()) return base::invalid(reader.error());
  if (!reader.done()) return base::invalid(std::string(kForms));
  return given;
}

}  // namespace

base::Status check_effective(std::string_view given) {
  const auto time = read(given);
  if (!time) return time.error();
  return {};
}

base::Result<Interval> resolve_effective(std::string_view given, std::string_view time_zone) {
  const auto time = read(given);
  if (!time) return time.error();
  if (time->offset_ms) {
    return Interval{time->from_ms - *time->offset_ms, time->until_ms - *time->offset_ms};
  }
  // A look-up is a binary search among names, so nothing is cached here.
  const auto clock = WallClock::of(time_zone);
  if (!clock) return clock.error();
  Interval interval;
  interval.from_ms = clock->first_ms(time->from_ms);
  interval.until_ms = clock->end_ms(time->until_ms);
  // A time that the zone skips whole ends where it begins.
  interval.until_ms = std::max(interval.until_ms, interval.from_ms + 1);
  return interval;
}

std::string format_utc(std::int64_t utc_ms) {
  // Nothing stored lies outside four-digit years; what would is shown as their end.
  static const std::int64_t first_ms = day_ms(0, 1, 1);
  static const std::int64_t last_ms = day_ms(10000, 1, 1) - 1;
  utc_ms = std::clamp(utc_ms, first_ms, last_ms);
  using std::chrono::floor, std::chrono::days, std::chrono::milliseconds;
  const std::chrono::sys_time<milliseconds> instant{milliseconds(utc_ms)};
  const std::chrono::sys_days day = floor<days>(instant);
  const std::chrono::year_month_day date(day);
  const auto rest = (instant - day).count();

  std::string text = "0000-00-00T00:00:00.000Z";
  const auto put = [&](std::size_t begin, std::size_t digits, std::int64_t value) {
    for (std::size_t i = begin + digits; i > begin; value /= 10) {
      text[--i] = static_cast<char>('0' + value % 10);
    }
  };
  put(0, 4, static_cast<int>(date.year()));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, rest / 3'600'000);
  put(14, 2, rest / kMinuteMs % 60);
  put(17, 2, rest / 1000 % 60);
  put(20, 3, rest % 1000);
  return text;
}

std::optional<std::int64_t> parse_instant(std::string_view text) {
  const auto time = read(text);
  if (!time || !time->offset_ms) return std::nullopt;
  return time->from_ms - *time->offset_ms;
}

bool known_time_zone(std::string_view name) { return WallClock::of(name).ok(); }

}  // namespace trialward::model
