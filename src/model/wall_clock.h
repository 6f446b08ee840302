// The wall clock of a time zone: from its times to instants and back, exact where it is set forward
// or back. Times of the wall clock are milliseconds of a calendar without a zone, from
// 1970-01-01T00:00 as 0.
//
// Debian's tzdata lists every transition up to 2037; later ones are not known, and the last rule's
// offset stands. A WallClock is a pointer to a zone that stays for ever: copied freely, any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace date {
class time_zone;
}

namespace trialward::model {

class WallClock {
 public:
  // By the IANA name. Errors: invalid (no such zone, or its file cannot be read).
  static base::Result<WallClock> of(std::string_view time_zone);

  // The first instant at which the wall clock shows this time or a later one. Of a time that the
  // zone skips: the instant of the gap; of one that comes twice: the first.
  std::int64_t first_ms(std::int64_t local_ms) const;
  // The end of the last instant at which the wall clock shows an earlier time.
  std::int64_t end_ms(std::int64_t local_ms) const;
  // What it shows.
  std::int64_t local_ms(std::int64_t utc_ms) const;
  std::int64_t local_day(std::int64_t utc_ms) const { return day_of(local_ms(utc_ms)); }
  // Days since 1970-01-01.
  static std::int64_t day_of(std::int64_t local_ms);

 private:
  explicit WallClock(const date::time_zone& zone) : zone_(&zone) {}
  const date::time_zone* zone_;
};

}  // namespace trialward::model
