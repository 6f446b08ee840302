// What writing one report uses, and what most reports do first: who is in it, in which columns.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/coverage.h"
#include "reports/dataset.h"
#include "reports/document.h"
#include "reports/report.h"
#include "runtime/cancel.h"

namespace trialward::reports {

// A column of subjects. Blinded reports have the one of all subjects only.
struct Group {
  std::string label;
  int arm = kNoArm;  // kNoArm: all arms together
  bool control = false;
};

struct Context {
  const Dataset& data;
  const Parameters& parameters;
  const runtime::Cancel& cancel;
  const TellCoverage* coverage = nullptr;  // null, or empty: there is none

  const model::Study& study() const { return *data.study; }
  const Settings& settings() const { return *data.settings; }
  bool in_scope(const Subject& subject) const {
    return parameters.site.empty() || subject.site == parameters.site;
  }
  // The arms, if the report is unblinded, and then the total.
  std::vector<Group> groups() const;
  // Whether a subject belongs to a group; those without a treatment's arm belong to none.
  static bool in(const Group& group, const Subject& subject) {
    return subject.arm != kNoArm && (group.arm == kNoArm || group.arm == subject.arm);
  }
  // How many subjects in scope each group has: N.
  std::vector<std::int64_t> sizes(const std::vector<Group>& groups) const;
  // The same of a population: one flag for each of Dataset::subjects.
  std::vector<std::int64_t> sizes(const std::vector<Group>& groups,
                                  const std::vector<bool>& members) const;
  // A column for each group, "Placebo (N=86)".
  static std::vector<Column> columns(const std::vector<Group>& groups,
                                     const std::vector<std::int64_t>& sizes);
  // Cells that are rounded as the study has it.
  Cell share(std::int64_t count, std::int64_t of, int decimals) const;
  Cell number(double number, int decimals) const;

  std::string_view parameter(std::string_view name) const;
  base::Status check() const;  // cancelled, if it is
};

}  // namespace trialward::reports
