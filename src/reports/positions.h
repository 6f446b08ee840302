// The recorded positions that a report reads as of. Everything in a store is appended, so what
// stands at or before them never changes: a report that is run again as of the same positions, with
// the same definition and program, gives the same bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "reports/readers.h"

namespace trialward::reports {

struct Positions {
  std::int64_t as_of_ms = 0;  // when they were taken, or the time that was asked for
  std::int64_t record = 0;    // the newest record
  std::int64_t alert_event = 0;  // the newest alert event's number in the study
  std::int64_t audit = 0;        // the newest audit entry
  std::string audit_heads;       // digest over the ends of all audit chains there, hexadecimal
  std::string definition;        // the study definition's hash
  std::string program;           // the program's version
  bool operator==(const Positions&) const = default;
};

// What stands now. `study` is its row id. One short transaction.
base::Result<Positions> positions_now(const Reading& reading, std::int64_t study,
                                      std::int64_t now_ms);

// What stood at an earlier instant: the audit trail is read in pages until its first entry that is
// later. What had been received by then but not committed may be among it.
base::Result<Positions> positions_at(const Reading& reading, std::int64_t study,
                                     std::int64_t as_of_ms);

// The positions of an earlier result, from its statement "positions": the time and the newest audit
// entry say all the others, and the beginning of the definition's hash says by which it was made.
// The definition and the program are left empty here and above: see report_study.h.
struct Place {
  std::int64_t as_of_ms = 0;
  std::int64_t audit = 0;
  std::string definition;  // empty: not said, as in results of earlier programs
};
// "2026-11-26T08:40:00.000Z@227170@0123456789abcdef"; the last part may be missing.
std::string to_text(const Place& place);
Place place_of(const Positions& positions);
std::optional<Place> parse_place(std::string_view text);
// Errors: invalid: the audit trail has no such entry.
base::Result<Positions> positions_of(const Reading& reading, std::int64_t study,
                                     const Place& place);

}  // namespace trialward::reports
