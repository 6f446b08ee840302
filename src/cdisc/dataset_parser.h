// The parts of a Dataset-JSON file, each a whole JSON text in memory, → structs: for
// dataset_json.cc. It keeps buffers and belongs to one thread. Errors say what is wrong, without
// the file and the row; invalid, all of them.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cdisc/dataset_json.h"

namespace trialward::cdisc {

class DatasetParser {
 public:
  DatasetParser();
  ~DatasetParser();

  base::Result<Metadata> parse_metadata(std::string_view json);
  // One cell a column; `cells` keeps its memory from row to row.
  base::Status parse_row(std::string_view json, const std::vector<Column>& columns,
                         std::vector<std::string>& cells);

 private:
  struct Simd;
  std::unique_ptr<Simd> simd_;
};

}  // namespace trialward::cdisc
