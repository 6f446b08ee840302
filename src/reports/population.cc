#include "reports/population.h"

#include <algorithm>
#include <cmath>

namespace trialward::reports {
namespace {

// Takes away whoever has no such value after the baseline.
void require_after_baseline(const Dataset& data, const CodeName& name, std::vector<bool>& is_in) {
  const Word code = data.words.find(name.code);
  std::vector<bool> found(is_in.size());
  for (const Measurement& one : data.measurements(name.kind)) {
    if (one.code == code && !one.baseline && one.has_value()) found[one.subject] = true;
  }
  for (std::size_t i = 0; i < is_in.size(); ++i) is_in[i] = is_in[i] && found[i];
}

void require_visit(const Dataset& data, std::string_view visit, std::vector<bool>& is_in) {
  std::vector<bool> found(is_in.size());
  for (const Entry& one : data.visits) {
    if (data.text(one.code) == visit && !one.not_done) found[one.subject] = true;
  }
  for (std::size_t i = 0; i < is_in.size(); ++i) is_in[i] = is_in[i] && found[i];
}

void require_disposition(const Dataset& data, const std::vector<std::string>& codes,
                         std::vector<bool>& is_in) {
  std::vector<bool> found(is_in.size());
  for (const Entry& one : data.dispositions) {
    if (std::find(codes.begin(), codes.end(), data.text(one.code)) != codes.end()) {
      found[one.subject] = true;
    }
  }
  for (std::size_t i = 0; i < is_in.size(); ++i) is_in[i] = is_in[i] && found[i];
}

}  // namespace

std::vector<Members> populations_of(const Dataset& data) {
  const std::size_t count = data.subjects.size();
  std::vector<bool> itt(count), safety(count);
  for (std::size_t i = 0; i < count; ++i) {
    itt[i] = data.subjects[i].arm != kNoArm;
    safety[i] = itt[i] && data.subjects[i].treated;
  }
  std::vector<Members> all;
  all.push_back({"itt", "Intent-To-Treat (ITT)", itt});
  all.push_back({"safety", "Safety", safety});
  for (const Population& population : data.settings->populations) {
    Members members{population.id, population.title.empty() ? population.id : population.title,
                    safety};
    for (const CodeName& name : population.after_baseline) {
      require_after_baseline(data, name, members.is_member);
    }
    if (!population.visit.empty()) require_visit(data, population.visit, members.is_member);
    if (!population.dispositions.empty()) {
      require_disposition(data, population.dispositions, members.is_member);
    }
    all.push_back(std::move(members));
  }
  return all;
}

}  // namespace trialward::reports
