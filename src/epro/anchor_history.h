// What an anchor's time was known to be, record after record: so that what was done keeps the place
// that it had when it came in. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "epro/subject_facts.h"

namespace trialward::epro {

class AnchorHistory {
 public:
  enum class Pick : std::uint8_t { earliest, latest };
  // One version of a record that says a time, or none; with those that amend each other.
  struct Said {
    std::int64_t record = 0;
    std::int64_t amended_by = 0;
    std::optional<When> when;  // only whole dates count
  };
  AnchorHistory() = default;
  AnchorHistory(const std::vector<Said>& said, Pick pick);

  std::optional<When> now() const;
  // As known when a record had come in.
  std::optional<When> as_of(std::int64_t record) const;

 private:
  struct Known {
    std::int64_t from = 0;  // this record on
    std::optional<When> when;
  };
  std::vector<Known> known_;
};

}  // namespace trialward::epro
