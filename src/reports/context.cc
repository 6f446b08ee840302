#include "reports/context.h"

namespace trialward::reports {

std::vector<Group> Context::groups() const {
  std::vector<Group> all;
  const auto& arms = settings().arms;
  for (std::size_t i = 0; parameters.unblinded && i < arms.size(); ++i) {
    all.push_back({.label = arms[i].name.empty() ? arms[i].id : arms[i].name,
                   .arm = static_cast<int>(i),
                   .control = arms[i].id == settings().control});
  }
  all.push_back({.label = "Total"});
  return all;
}

std::vector<std::int64_t> Context::sizes(const std::vector<Group>& groups) const {
  return sizes(groups, std::vector<bool>(data.subjects.size(), true));
}

std::vector<std::int64_t> Context::sizes(const std::vector<Group>& groups,
                                         const std::vector<bool>& members) const {
  std::vector<std::int64_t> all(groups.size());
  for (std::size_t i = 0; i < data.subjects.size(); ++i) {
    if (!members[i] || !in_scope(data.subjects[i])) continue;
    for (std::size_t g = 0; g < groups.size(); ++g) all[g] += in(groups[g], data.subjects[i]);
  }
  return all;
}

std::vector<Column> Context::columns(const std::vector<Group>& groups,
                                     const std::vector<std::int64_t>& sizes) {
  std::vector<Column> all;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    all.push_back({.label = groups[g].label + " (N=" + std::to_string(sizes[g]) + ")"});
  }
  return all;
}

Cell Context::share(std::int64_t count, std::int64_t of, int decimals) const {
  Cell cell = Cell::of_share(count, of, decimals);
  cell.rounding = settings().rounding;
  return cell;
}

Cell Context::number(double number, int decimals) const {
  Cell cell = Cell::of_number(number, decimals);
  cell.rounding = settings().rounding;
  return cell;
}

std::string_view Context::parameter(std::string_view name) const {
  const auto found = parameters.others.find(std::string(name));
  return found == parameters.others.end() ? std::string_view() : std::string_view(found->second);
}

base::Status Context::check() const {
  if (!cancel.fired()) return {};
  return base::Error{base::Errc::cancelled,
                     "the report was stopped: " + std::string(to_string(cancel.reason()))};
}

}  // namespace trialward::reports
