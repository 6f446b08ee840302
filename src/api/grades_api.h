// GET …/subjects/{subject}/grades: the CTCAE grades of a subject's laboratory values, by the
// version that the study's definition names (ctcae/). They are worked out when they are asked for,
// from the current versions of the records, and so always fit the definition in force.
//
// A page has a number of values, the newest first as they came; the whole of the subject's records
// is looked through for each page, for a baseline may be any of them, but only the page's numbers
// are held. All pages are read as of the record that was the newest when the first one was: else a
// correction that comes meanwhile would hide its value from those that follow. Of a subject with
// more records than are looked through, the answer says so, the pages go on all the same, and a
// value has the grade that it has whatever its baseline and the patient's age are.
//
// Borrows the readers, which must live longer; any thread may call it.
#pragma once

#include "api/read_pool.h"
#include "api/route.h"

namespace trialward::api {

inline constexpr std::size_t kGradedValuesMax = 1'000;     // of a page
inline constexpr std::size_t kSearchedRecordsMax = 20'000;  // of a subject, for its baselines

class GradesApi {
 public:
  explicit GradesApi(ReadPool& reads) : reads_(reads) {}

  http::Decision subject_grades(const Call& call);

 private:
  ReadPool& reads_;
};

}  // namespace trialward::api
