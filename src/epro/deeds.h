// What a subject did, as far as a schedule asks: a visit, an answer, or a questionnaire whose
// answers of one day are together. Deeds are found for each *claim*: for what activities are done
// by. Several activities may have the same claim (a questionnaire at the baseline, and then every
// week). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "epro/subject_facts.h"
#include "model/schedule.h"

namespace trialward::epro {

struct Deed {
  const Fact* fact = nullptr;  // of a questionnaire of many codes the last answer
  std::int64_t known = 0;      // the record by which it was first known
  bool done = true;            // false: it says that it was not done
};

struct Claim {
  std::vector<std::size_t>
      activities;           // in the schedule's order; all have the same visit and codes
  std::vector<Deed> deeds;  // by time
  std::vector<const Fact*> incomplete;  // answers of a day that has not all of them
};

// In the order of their first activities.
std::vector<Claim> claims_of(const model::Schedule& schedule);
// Fills in what the facts (by record; current ones count) say of a claim. Borrows them.
void find_deeds(const model::Schedule& schedule, const std::vector<Fact>& facts, Claim& claim);

// Whether a version of a record is one of the activity's.
bool does(const model::Activity& activity, const Fact& fact);

}  // namespace trialward::epro
