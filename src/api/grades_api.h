// GET …/subjects/{subject}/grades: the CTCAE grades of a subject's laboratory values, by the
// version that the study's definition names (ctcae/). They are worked out when they are asked for,
// from the current versions of the records, and so always fit the definition in force. Borrows the
// readers, which must live longer; any thread may call it.
#pragma once

#include "api/read_pool.h"
#include "api/route.h"

namespace trialward::api {

// Of a subject with more records the latest are graded; the answer then says so.
inline constexpr std::size_t kGradedRecordsMax = 10'000;

class GradesApi {
 public:
  explicit GradesApi(ReadPool& reads) : reads_(reads) {}

  http::Decision subject_grades(const Call& call);

 private:
  ReadPool& reads_;
};

}  // namespace trialward::api
