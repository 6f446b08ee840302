// Key risk indicators: of each site a count, and of how much. Pure.
//
//   adverse-events   treatment-emergent adverse events, by years of the treated subjects: from the
//                    first dose to the day when they left the study, else to the positions' day
//   missing-data     laboratory values, vital signs and answers that were not done, have no value,
//                    were implausible when they were accepted or had a reference range of no use;
//                    of all that there are. The store has no queries, and what is in no record is
//                    not counted
//   missing-questionnaires  questionnaires that were expected and not answered, of those expected
//                    (questionnaire.h)
//   late-entries     records that were received more than `late_days` days after the day of their
//                    effective date; of those whose date is whole. Left out: what came with the
//                    data of the past, of which nothing tells when it was entered, and what may
//                    have begun long before (demographics, medical history, medication, exposure)
//   lab-abnormality  laboratory values outside their reference range, of those that have one
//   screen-failure   screen failures, of the subjects whose screening has ended: they failed or
//                    have an arm
//   dropout          subjects who left otherwise than the settings call completed, of those who
//                    have an arm
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reports/chance.h"
#include "reports/context.h"

namespace trialward::reports {

struct SiteCount {
  std::string site;  // its id
  std::int64_t count = 0;
  std::int64_t of = 0;  // of shares
  double years = 0;     // of rates
  Drill drill;          // whom or what is counted
};

struct Indicator {
  std::string id, title, note;
  std::string counted, amount;  // the headings of the two: "Events", "Subject-years"
  std::string per;              // what a share is of: "laboratory values with a range"
  bool by_time = false;         // a rate by time, else a share
  std::vector<SiteCount> sites;  // that have subjects, in the study's order

  double amount_of(const SiteCount& site) const {
    return by_time ? site.years : static_cast<double>(site.of);
  }
  // All sites together; without a drill-down.
  SiteCount total() const;
  // Of a site with so much, if it were as all are; `of` is whole.
  Chance chance(const SiteCount& total, double size) const;
};

// Errors: cancelled.
base::Result<std::vector<Indicator>> indicators_of(const Context& context);

}  // namespace trialward::reports
