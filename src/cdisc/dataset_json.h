// Reads CDISC Dataset-JSON 1.1 row by row, whatever the size of the file: its NDJSON form (the
// metadata on the first line, then a row a line) and its JSON form (one object whose last member is
// "rows"), plain or compressed. https://cdisc-org.github.io/DataExchange-DatasetJson/
//
// A reader owns its file and belongs to one thread. Errors name the file, the row (from 1) and the
// reason. After one next() must not be called again: what follows a broken row cannot be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_stream.h"
#include "base/result.h"

namespace trialward::cdisc {

inline constexpr std::size_t kMetadataBytesMax = 1 << 20;
inline constexpr std::size_t kRowBytesMax = 64 << 10;

struct Column {
  std::string item_oid, name, label, data_type;
};

struct Metadata {
  std::string item_group_oid, name, label, study_oid;
  std::uint64_t records = 0;  // how many rows there are
  std::vector<Column> columns;
};

struct Row {
  std::uint64_t number = 0;        // from 1
  std::string original;            // the bytes as read, from [ to ]
  std::vector<std::string> cells;  // by column: texts, the digits of numbers, "" for null
};

class DatasetParser;

class DatasetReader {
 public:
  // Reads the metadata. Without a version, a name, columns and the count of records it is none.
  static base::Result<DatasetReader> open(const std::string& path);
  // The same of a file that is open already; `path` is its name in errors.
  static base::Result<DatasetReader> open(const std::string& path, base::InputFile file);
  ~DatasetReader();
  DatasetReader(DatasetReader&&) noexcept;
  DatasetReader& operator=(DatasetReader&&) noexcept;

  const Metadata& metadata() const { return metadata_; }
  const base::InputFile& file() const { return stream_.file(); }

  // False behind the last row. A file with more or fewer rows than its metadata says is an error.
  base::Result<bool> next(Row& row);

 private:
  enum class Form { ndjson, json, ended, broken };

  DatasetReader(const std::string& path, base::JsonStream stream);
  base::Status read_head();
  // Consumes the character if it comes next.
  base::Result<bool> accept(char expected);
  base::Status expect(char expected, std::string_view otherwise);
  base::Result<bool> at_row();
  base::Status finish();
  // Of the row that comes next.
  base::Result<bool> read_row(Row& row);

  std::string path_;
  base::JsonStream stream_;
  std::unique_ptr<DatasetParser> parser_;
  Metadata metadata_;
  Form form_ = Form::ndjson;
  std::uint64_t rows_read_ = 0;
};

}  // namespace trialward::cdisc
