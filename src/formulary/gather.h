// gather(): makes one list of the files that a formulary is in, or finds that nothing has changed
// since. The files are fetched and read one after the other, so that one at a time is spooled; at
// the end those that came by HTTP are asked for once more, so that a list is never half of one
// version and half of the next.
//
// For one thread, which gives way to the others.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formulary/fetch.h"
#include "formulary/refusal.h"

namespace trialward::formulary {

struct GatherOptions {
  std::vector<std::string> places;  // indexes and files, as URLs and paths
  std::uint64_t unpacked_bytes_max = std::uint64_t{16} << 30;  // of one file
  std::size_t list_bytes_max = std::size_t{1} << 30;           // of memory, with its NameIndex
};

struct Gathered {
  std::optional<DrugList> list;  // none: it is as it was
  std::vector<SourceFile> sources;
  Troubles notes;
};

// `known`: the files of the list that is there, in order; empty: there is none.
base::Result<Gathered, Refusal> gather(const GatherOptions& options, Fetcher& fetcher,
                                       const std::vector<SourceFile>& known,
                                       const runtime::Cancel& cancel);

}  // namespace trialward::formulary
