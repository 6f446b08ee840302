#include "model/issue.h"

#include <algorithm>
#include <utility>

namespace trialward::model {

void add_issue(Issues& issues, Issue issue) {
  if (issues.size() < kIssuesMax) {
    issues.push_back(std::move(issue));
    return;
  }
  if (issues.size() == kIssuesMax) {
    // Its place is that of the first which is not listed.
    issues.push_back({issue.severity, "tooMany", std::move(issue.path),
                      "there are more than " + std::to_string(kIssuesMax) +
                          " issues; those from here on are not listed"});
    return;
  }
  issues.back().severity = std::max(issues.back().severity, issue.severity);
}

void add_issues(Issues& issues, Issues more) {
  for (Issue& issue : more) add_issue(issues, std::move(issue));
}

Issues one_error(std::string code, std::string path, std::string words) {
  return {{IssueSeverity::error, std::move(code), std::move(path), std::move(words)}};
}

bool has_fault(const Issues& issues) {
  return std::any_of(issues.begin(), issues.end(), [](const Issue& issue) {
    return issue.severity >= IssueSeverity::error;
  });
}

std::string_view name_of(IssueSeverity severity) {
  switch (severity) {
    case IssueSeverity::information: return "information";
    case IssueSeverity::warning: return "warning";
    case IssueSeverity::error: return "error";
    case IssueSeverity::fatal: return "fatal";
  }
  return "error";
}

}  // namespace trialward::model
