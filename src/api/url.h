// Paths and queries of requests, percent-decoded (RFC 3986; '+' in a query is a space).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trialward::api {

// "/v1/studies/a%2Fb" → {"v1", "studies", "a/b"}. Nothing when an escape is not two hexadecimal
// digits, or a segment is empty (a trailing '/' as well), "." or "..". "/" has no segments.
std::optional<std::vector<std::string>> split_path(std::string_view path);

class QueryMembers {
 public:
  // Nothing when an escape is malformed.
  static std::optional<QueryMembers> parse(std::string_view query);
  // Whether a name occurs twice, which only FHIR gives a meaning.
  bool repeats() const;
  // The first of the name; empty when it is not there.
  std::string_view get(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& all() const { return members_; }
  // A name that is not among those listed; empty when there is none.
  std::string_view unknown(const std::vector<std::string_view>& known) const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

std::string percent_encode(std::string_view text);

}  // namespace trialward::api
