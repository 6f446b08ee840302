// Measurements of one code as tables by visit see them: each subject's baseline and its values at
// the scheduled visits. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reports/context.h"
#include "reports/dataset.h"

namespace trialward::reports {

struct ScheduledVisit {
  Word name = 0;
  std::string label;
};
// Those of the settings; without any, those that records of the kind name, by their number, but for
// the baseline's own and the unscheduled ones (SDTM's "UNSCHEDULED …").
std::vector<ScheduledVisit> scheduled_visits(const Dataset& data, model::Kind kind);

// What a table is about: a code, and where the records tell them apart a time point (VSTPT).
struct Measured {
  const CodeInfo* code = nullptr;
  Word timepoint = 0;
  std::string title;  // "Body weight (kg)", "Pulse rate (BEATS/MIN), AFTER LYING DOWN …"
};
std::string measured_title(const Dataset& data, const CodeInfo& code, Word timepoint);
// Those of the categories that the settings list, in that order; of one category by title.
std::vector<Measured> measured_codes(const Dataset& data, model::Kind kind);

// Of one subject. Null where there is none; the last in time where there are several.
struct SubjectSeries {
  const Measurement* baseline = nullptr;
  std::vector<const Measurement*> at;  // for each scheduled visit
};
// For each of Dataset::subjects. What was not done, and texts that are no limit, do not count.
std::vector<SubjectSeries> series_of(const Dataset& data, const Measured& what,
                                     const std::vector<ScheduledVisit>& visits);

// The number that a measurement stands for: the value, else the limit ("<0.2"), as sent.
double sent_or_limit(const Measurement& one);

// Where a value lies by thresholds in multiples of the ends of its reference range; unknown without
// a value or a range. What noise of conversions adds puts nothing outside.
Side side_of(const Measurement& one, double times_low, double times_high);

}  // namespace trialward::reports
