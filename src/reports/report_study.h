// A study whose reports are made: a definition of it, and what that says of its reports. Each
// definition that a study ever had is in the store, so that a report as of an earlier moment can be
// made by the one that was in force then.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "model/study.h"
#include "reports/positions.h"
#include "reports/readers.h"
#include "reports/settings.h"

namespace trialward::reports {

struct ReportStudy {
  std::shared_ptr<const model::Study> study;
  std::shared_ptr<const Settings> settings;
  std::int64_t row = 0;
};

// The hash of the definition that a place names; of one that names none, the newest that the store
// had at its time, or its first. Errors: invalid (it has none of that name), those of Readers.
base::Result<std::string> definition_of(const Reading& reading, std::int64_t study,
                                        std::int64_t as_of_ms, std::string_view named = {});

// The definition with this hash. Errors: not_found, corrupt, invalid (it has faults, by the rules
// of this program), those of Readers.
base::Result<ReportStudy> read_report_study(const Reading& reading, std::int64_t study,
                                            const std::string& hash);

// Errors: invalid, in words.
base::Result<ReportStudy> report_study(std::shared_ptr<const model::Study> study,
                                       std::int64_t row);

}  // namespace trialward::reports
