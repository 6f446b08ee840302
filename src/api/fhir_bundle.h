// A Bundle that is to be carried out, taken apart: each entry with its resource's text and what its
// request says. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/resource.h"
#include "model/issue.h"

namespace trialward::api {

inline constexpr std::size_t kBundleEntriesMax = 1000;
inline constexpr std::size_t kBundleBytesMax = 4 << 20;

struct BundleEntry {
  std::string place;  // "Bundle.entry[2]"
  std::string full_url;
  std::string resource;  // its text
  fhir::ResourceType type = fhir::ResourceType::observation;
  bool is_put = false;
  std::string id;  // of what a PUT is about
  std::string if_none_exist, if_match;
  model::Issues issues;  // why it cannot be carried out
};

struct BundleRequest {
  bool transaction = false;  // otherwise a batch, whose entries stand by themselves
  std::vector<BundleEntry> entries;
};

// The issues: it is no such Bundle at all.
base::Result<BundleRequest, model::Issues> read_bundle(std::string_view json);

// Replaces each JSON string of `text` that is `from` by `to`: references between entries name each
// other by their fullUrl.
std::string with_reference(std::string text, std::string_view from, std::string_view to);

}  // namespace trialward::api
