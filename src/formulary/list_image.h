// The image of a DrugList: the file in which the last good one is kept beside the store, so that it
// is there at once after a restart, whatever has become of its source.
//
//   "TWFORM2\n"                        8 bytes
//   confirmed, and its complement      8 + 8: milliseconds since 1970, written anew in its place
//   size of what follows               8
//   meta                               sources as texts, with what makes a request conditional
//   content                            counts and arrays, in the order of list_image.cc
//   SHA-256 of meta and content        32
//
// Numbers are of the machine that wrote it, which is the one that reads it. A new image replaces an
// old one at once and whole. Errors: unavailable (the disk), not_found, corrupt, cancelled.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "formulary/drug_list.h"
#include "runtime/cancel.h"

namespace trialward::formulary {

inline constexpr std::size_t kPlaceBytesMax = TextPool::kTextBytesMax;
inline constexpr std::size_t kValidatorBytesMax = 1024;  // of what is told of a file's version

// A file that the list was made of, as it was then.
struct SourceFile {
  std::string place;                // a URL or a path, up to kPlaceBytesMax
  std::string etag, last_modified;  // each up to kValidatorBytesMax
};

struct ListMeta {
  std::string version;              // of the content: the same list has the same everywhere
  std::int64_t fetched_ms = 0;      // when it was taken over
  std::int64_t confirmed_ms = 0;    // when it was last known to be what the source has
  std::vector<std::string> places;  // what the operator named, as given
  std::vector<SourceFile> sources;  // in the order in which they were read
};

// What ListMeta::version is to be.
std::string version_of(const DrugList& list);

inline constexpr std::string_view kImageMark = ".new";  // follows its path while it is written
base::Status write_image(const std::string& path, const DrugList& list, const ListMeta& meta,
                         const runtime::Cancel& cancel = {});
base::Status write_confirmed(const std::string& path, std::int64_t confirmed_ms);

struct Image {
  DrugList list;
  ListMeta meta;
};
base::Result<Image> read_image(const std::string& path);

}  // namespace trialward::formulary
