// The rows of a file that `import` reads: native NDJSON or CDISC Dataset-JSON, plain or compressed.
// One thread uses a source.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/input_file.h"
#include "model/fault.h"
#include "model/record.h"

namespace trialward::cli {

struct ImportRow {
  std::uint64_t number = 0;             // of the line or row, from 1
  std::optional<model::Record> record;  // none: `faults` say why
  model::Faults faults;
  std::string original;
};

class ImportSource {
 public:
  // Tells the form by the file's beginning. Errors: not_found, invalid; they name the file.
  static base::Result<std::unique_ptr<ImportSource>> open(const std::string& path);
  virtual ~ImportSource() = default;

  const std::string& path() const { return path_; }
  // False at the end.
  virtual base::Result<bool> next(ImportRow& row) = 0;
  virtual const base::InputFile& file() const = 0;
  // Whether an original is a record in the native form, as the API takes it.
  virtual bool native() const { return false; }
  // Whether its records enrol subjects, so that it should come before the others.
  virtual bool enrols() const { return false; }
  // Faults of a record in the words of the file it came from.
  virtual model::Faults in_its_words(const model::Faults& faults) const { return faults; }

 private:
  std::string path_;
};

}  // namespace trialward::cli
