#include "cli/import_source.h"

#include "cdisc/line_reader.h"
#include "cdisc/sdtm.h"
#include "model/decode_record.h"

namespace trialward::cli {
namespace {

using base::Result;

// Dataset-JSON's version is among its first members.
constexpr std::size_t kBeginningBytes = 4096;

class NativeSource final : public ImportSource {
 public:
  explicit NativeSource(cdisc::LineReader reader) : reader_(std::move(reader)) {}

  Result<bool> next(ImportRow& row) override {
    cdisc::Line line;
    do {
      auto more = reader_.next(line);
      if (!more || !*more) return more;
    } while (line.text.find_first_not_of(" \t") == std::string_view::npos);
    row = {.number = line.number, .original = std::string(line.text)};
    if (line.too_long) {
      row.faults = {{"", "the line is longer than " + std::to_string(model::kRecordBytesMax) +
                             " bytes"}};
      return true;
    }
    auto record = decoder_.decode(line.text);
    if (record) {
      row.record = std::move(*record);
    } else {
      row.faults = record.error();
    }
    return true;
  }
  const base::InputFile& file() const override { return reader_.file(); }
  bool native() const override { return true; }

 private:
  cdisc::LineReader reader_;
  model::RecordDecoder decoder_;
};

class DatasetSource final : public ImportSource {
 public:
  DatasetSource(cdisc::DatasetReader reader, cdisc::SdtmMapper mapper)
      : reader_(std::move(reader)), mapper_(std::move(mapper)) {}

  Result<bool> next(ImportRow& row) override {
    auto more = reader_.next(cells_);
    if (!more || !*more) return more;
    row = {.number = cells_.number, .original = cells_.original};
    auto record = mapper_.to_record(cells_);
    if (record) {
      row.record = std::move(*record);
    } else {
      row.faults = record.error();
    }
    return true;
  }
  const base::InputFile& file() const override { return reader_.file(); }
  bool enrols() const override { return reader_.metadata().name == "DM"; }
  model::Faults in_its_words(const model::Faults& faults) const override {
    return mapper_.name_variables(faults);
  }

 private:
  cdisc::DatasetReader reader_;
  const cdisc::SdtmMapper mapper_;
  cdisc::Row cells_;
};

// Opened once: what was read of a pipe is gone.
Result<std::unique_ptr<ImportSource>> open_in_its_form(const std::string& path) {
  auto file = base::InputFile::open(path);
  if (!file) return base::at(path, file.error());
  const auto beginning = file->beginning(kBeginningBytes);
  if (!beginning) return base::at(path, beginning.error());
  if (beginning->find("\"datasetJSONVersion\"") == std::string_view::npos) {
    cdisc::LineReader reader(path, std::move(*file), model::kRecordBytesMax);
    return std::unique_ptr<ImportSource>(new NativeSource(std::move(reader)));
  }
  auto reader = cdisc::DatasetReader::open(path, std::move(*file));
  if (!reader) return reader.error();
  auto mapper = cdisc::SdtmMapper::make(reader->metadata());
  if (!mapper) return base::at(path, mapper.error());
  return std::unique_ptr<ImportSource>(
      new DatasetSource(std::move(*reader), std::move(*mapper)));
}

}  // namespace

Result<std::unique_ptr<ImportSource>> ImportSource::open(const std::string& path) {
  auto source = open_in_its_form(path);
  if (source) (*source)->path_ = path;
  return source;
}

}  // namespace trialward::cli
