// What is wrong with a resource that came in, or is to be known of it. Faults of one resource are
// listed all, up to kIssuesMax. Pure values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::model {

enum class IssueSeverity : std::uint8_t { information, warning, error, fatal };

// `code` is stable, programs may rely on it ("required", "invalidCoding"); `path` is a FHIRPath
// location ("QuestionnaireResponse.item[0].answer[1]"); `words` are for people.
struct Issue {
  IssueSeverity severity = IssueSeverity::error;
  std::string code;
  std::string path;
  std::string words;
};
using Issues = std::vector<Issue>;

// Further ones are counted by one last issue, "tooMany", of the gravest severity among them.
inline constexpr std::size_t kIssuesMax = 200;

void add_issue(Issues& issues, Issue issue);
void add_issues(Issues& issues, Issues more);

// One error, by itself.
Issues one_error(std::string code, std::string path, std::string words);

// Whether one of them is an error, or worse.
bool has_fault(const Issues& issues);

std::string_view name_of(IssueSeverity severity);

}  // namespace trialward::model
