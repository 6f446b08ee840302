#include "cdisc/dataset_json.h"

#include <utility>

#include "cdisc/dataset_parser.h"

namespace trialward::cdisc {
namespace {}  // namespace

DatasetReader::DatasetReader(const std::string& path, base::JsonStream stream)
    : path_(path), stream_(std::move(stream)), parser_(std::make_unique<DatasetParser>()) {}
DatasetReader::~DatasetReader() = default;
DatasetReader::DatasetReader(DatasetReader&&) noexcept = default;
DatasetReader& DatasetReader::operator=(DatasetReader&&) noexcept = default;

base::Result<DatasetReader> DatasetReader::open(const std::string& path) {
  auto file = base::InputFile::open(path);
  if (!file) return base::at(path, file.error());
  return open(path, std::move(file).value());
}

base::Result<DatasetReader> DatasetReader::open(const std::string& path, base::InputFile file) {
  DatasetReader reader(path, base::JsonStream(std::move(file)));
  if (const auto status = reader.read_head(); !status) return base::at(path, status.error());
  return reader;
}

base::Result<bool> DatasetReader::accept(char expected) {
  const auto next_char = stream_.peek();
  if (!next_char) return next_char.error();
  if (*next_char != expected) return false;
  stream_.skip();
  return true;
}

base::Status DatasetReader::expect(char expected, std::string_view otherwise) {
  const auto accepted = accept(expected);
  if (!accepted) return accepted.error();
  if (!*accepted) return base::invalid(std::string(otherwise));
  return {};
}

base::Status DatasetReader::read_head() {
  const auto first = stream_.peek();
  if (!first) return first.error();
  if (*first != '{') return base::invalid("is not Dataset-JSON: it does not begin with {");
  std::string json;
  const auto rows_follow = stream_.take_object_until("rows", json, kMetadataBytesMax);
  if (!rows_follow) return rows_follow.error();
  auto metadata = parser_->parse_metadata(json);
  if (!metadata) return metadata.error();
  metadata_ = std::move(metadata).value();
  if (!*rows_follow) return {};
  form_ = Form::json;
  if (auto status = expect(':', "rows has no value"); !status) return status;
  return expect('[', "rows must be an array");
}

// Whether a row follows.
base::Result<bool> DatasetReader::at_row() {
  if (form_ == Form::json && rows_read_ > 0) {
    const auto another = accept(',');
    if (!another || !*another) return another;
  }
  const auto next_char = stream_.peek();
  if (!next_char) return next_char.error();
  if (*next_char == '[') return true;
  const bool end =
      form_ == Form::json ? *next_char == ']' && rows_read_ == 0
                          : *next_char == base::JsonStream::kEnd;
  if (!end) return base::invalid("is no array");
  return false;
}

base::Result<bool> DatasetReader::read_row(Row& row) {
  const auto more = at_row();
  if (!more || !*more) return more;
  if (const auto status = stream_.take_value(row.original, kRowBytesMax); !status) {
    return status.error();
  }
  const auto status = parser_->parse_row(row.original, metadata_.columns, row.cells);
  if (!status) return status.error();
  row.number = ++rows_read_;
  return true;
}

// What must stand behind the last row.
base::Status DatasetReader::finish() {
  if (form_ == Form::json) {
    if (auto status = expect(']', "expected , or ] after a row"); !status) return status;
    if (auto status = expect('}', "rows must be the last member"); !status) return status;
    const auto after = stream_.peek();
    if (!after) return after.error();
    if (*after != base::JsonStream::kEnd) return base::invalid("something follows the dataset");
  }
  form_ = Form::ended;
  if (rows_read_ == metadata_.records) return {};
  return base::invalid("has " + std::to_string(rows_read_) + " rows, but its metadata says " +
                       std::to_string(metadata_.records));
}

base::Result<bool> DatasetReader::next(Row& row) {
  TW_CHECK(form_ != Form::broken);
  if (form_ == Form::ended) return false;
  const auto more = read_row(row);
  if (!more) {
    form_ = Form::broken;
    return base::at(path_, base::at("row " + std::to_string(rows_read_ + 1), more.error()));
  }
  if (*more) return true;
  if (const auto status = finish(); !status) {
    form_ = Form::broken;
    return base::at(path_, status.error());
  }
  return false;
}

}  // namespace trialward::cdisc
