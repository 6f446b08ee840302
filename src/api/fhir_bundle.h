// A Bundle that is to be carried out, taken apart: each entry with its resource's text and what its
// request says. Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "fhir/resource.h"
#include "model/issue.h"

namespace trialward::api {

inline constexpr std::size_t kFhirBytesMax = 256 << 10;  // of one resource
inline constexpr std::size_t kBundleEntriesMax = 1000;
inline constexpr std::size_t kBundleBytesMax = 4 << 20;
// Of a transaction, which is one submission: so that what is urgent does not wait long for it.
inline constexpr std::size_t kTransactionRecordsMax = 5000;

struct BundleEntry {
  std::string place;  // "Bundle.entry[2]"
  std::string full_url;
  std::string resource;  // its text, at most kFhirBytesMax
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

// What the fullUrl of an entry stands for: "Patient/S1"; or an entry that gets its id when it is
// stored, whose text is found when it is referred to. Neither: that is not known at all.
struct BundleTarget {
  std::string text;
  const BundleEntry* entry = nullptr;
  std::size_t index = 0;   // of the entry
  bool ambiguous = false;  // more than one entry has it
};
using References = std::map<std::string, BundleTarget, std::less<>>;

// The resource's text with each `reference` that is one of those replaced, in one pass; where it
// refers to new resources, in order: there stands a text that stays when it is sent again, made of
// the resource's identifier, else its fullUrl. And an issue, at its place, for each that leads
// nowhere: to no entry ("urn:uuid:…" and "urn:oid:…" can mean nothing else), or to one that is not
// known.
struct Resolved {
  struct Place {
    std::size_t at = 0, size = 0;  // in the text, without the quotes
    std::size_t entry = 0;
  };
  std::string text;
  std::vector<Place> places;
  model::Issues issues;
};
Resolved resolve_references(const BundleEntry& entry, References& references);

}  // namespace trialward::api
