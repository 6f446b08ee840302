// Reads the files of a formulary as the CMS defines them for issuers of qualified health plans
// (github.com/CMSgov/QHP-provider-formulary-APIs): an index, which names the others; plans; and
// drugs with the plans that cover them. A file of plans or drugs is one array, read element by
// element: memory does not grow with it.
//
// What departs from the schema but can only mean one thing is taken and noted: a plan's formulary
// that is an object where an array is due, a code that is a number. Everything else that the list
// needs and is not as the schema has it is a fault, with its place. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/input_file.h"
#include "formulary/list_builder.h"
#include "runtime/cancel.h"

namespace trialward::formulary {

inline constexpr std::size_t kElementBytesMax = 16 << 20;  // of one drug or plan, with its plans
inline constexpr std::size_t kIndexBytesMax = 4 << 20;
inline constexpr std::size_t kIndexFilesMax = 1000;
inline constexpr std::size_t kTroublesMax = 64;  // told of each kind; the others are counted

enum class FileKind : std::uint8_t { any, plans, drugs };

// Where something is not as it should be: "drugs.json: /3/plans/0/drug_tier: must be a text".
struct Trouble {
  std::string file;  // its name or URL
  std::string path;  // a JSON Pointer into it; "": the file as a whole
  std::string reason;
};
std::string to_string(const Trouble& trouble);

struct Troubles {
  std::vector<Trouble> told;
  std::uint64_t count = 0;
  void add(Trouble trouble);
};

struct Index {
  std::vector<std::string> plans, drugs;  // as written: URLs, or paths in a file of our own
};

struct FileContents {
  std::vector<Index> index;  // one, or none: the file is something else
  std::uint64_t plans = 0, drugs = 0;
};

class FileReader {
 public:
  FileReader(ListBuilder& list, Troubles& faults, Troubles& notes);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;

  // `name` is what troubles call it. It gives up after kTroublesMax faults. Errors: invalid (it is
  // not JSON, or has faults: those are with the others), refused (a limit of the list), cancelled.
  base::Result<FileContents> read(base::InputFile file, const std::string& name, FileKind kind,
                                  const runtime::Cancel& cancel);

 private:
  class Elements;
  const std::unique_ptr<Elements> elements_;
};

}  // namespace trialward::formulary
