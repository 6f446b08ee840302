// What is wrong with data that came in, and with a study definition. Both list every fault found,
// not the first one only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trialward::model {

// A fault of one record. `path` is a JSON Pointer (RFC 6901) into the record as it was sent,
// "" for the record as a whole; `reason` says what was found and what was expected.
struct Fault {
  std::string path;
  std::string reason;
};
using Faults = std::vector<Fault>;

// Further ones are not listed.
inline constexpr std::size_t kFaultsMax = 64;

// Adds a fault, unless its path has one already or the list is full.
void add_fault(Faults& faults, std::string path, std::string reason);

// The JSON Pointer of a member of what `path` points to.
std::string pointer(std::string_view path, std::string_view member);

// {"faults":[{"path":…,"reason":…}]}, the body of every refusal.
std::string to_json(const Faults& faults);

// A fault of a study definition. `file` is its path within the study's folder, empty for the folder
// itself; `line` counts from 1, 0 when the file as a whole is meant.
struct DefinitionFault {
  std::string file;
  int line = 0;
  std::string reason;
};
using DefinitionFaults = std::vector<DefinitionFault>;

// "study.toml:12: reason".
std::string to_string(const DefinitionFault& fault);

}  // namespace trialward::model
