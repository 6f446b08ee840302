// Native JSON → Record, and the check of a record against its study's definition.
// Both are pure, list every fault with its path, and may run on any thread; a RecordDecoder keeps
// buffers and belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "model/fault.h"
#include "model/record.h"
#include "model/study.h"

namespace trialward::model {

// Limits that hold before memory is taken for what they bound.
inline constexpr std::size_t kRecordBytesMax = 64 << 10;
inline constexpr std::size_t kRecordDepthMax = 8;
inline constexpr std::size_t kIdCharsMax = 128;      // source, source_id, subject, site, code, unit
inline constexpr std::size_t kTextCharsMax = 20000;  // value and text
inline constexpr std::size_t kAttributesMax = 64;

class RecordDecoder {
 public:
  RecordDecoder();
  ~RecordDecoder();

  // Strict: unknown and repeated members, wrong types, bad UTF-8 and anything after the record
  // are faults, and so is what check_form finds. Only `value` may be null.
  base::Result<Record, Faults> decode(std::string_view json);

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
};

// What holds for every record whatever the study: the ids that it needs, the limits above, no
// control characters, and members that exclude or need each other. For ways in other than JSON
// check_record does it, too.
Faults check_form(const Record& record);

// Everything that can be said without knowing the subject: check_form, id pattern, site, kind,
// code, unit, value type and bounds, range, effective time (not later than now_ms plus a day),
// reason of a correction. Sets nothing; `flags` receives the Flag bits when there is no fault. A
// range that bounds nothing is a flag, not a fault: the value beside it must not be lost for it.
Faults check_record(const Study& study, const Record& record, std::int64_t now_ms,
                    std::uint16_t& flags);

}  // namespace trialward::model
