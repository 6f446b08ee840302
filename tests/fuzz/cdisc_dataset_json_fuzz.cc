// Any bytes as a file: as Dataset-JSON they are refused with a reason, or give rows that fit their
// columns and records that fit their form; as lines none is longer than allowed. The first byte
// chooses whether valid metadata go before them, so that rows are reached, too.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "cdisc/line_reader.h"
#include "cdisc/sdtm.h"
#include "model/decode_record.h"

namespace {

using namespace trialward::cdisc;

constexpr std::string_view kMembers =
    R"({"datasetJSONVersion":"1.1.0","name":"LB","records":2,"columns":[{"name":"USUBJID"},)"
    R"({"name":"LBSEQ"},{"name":"LBTESTCD"},{"name":"LBORRES"},{"name":"LBORNRLO"},)"
    R"({"name":"LBSTAT"},{"name":"LBDTC"},{"name":"X"}])";
constexpr std::size_t kLineBytesMax = 100;

// A file in memory, at the path it gives.
std::string file_of(std::string_view prefix, std::string_view bytes) {
  static const int file = memfd_create("fuzz", 0);
  TW_CHECK(file >= 0 && ftruncate(file, 0) == 0);
  const auto put = [](std::string_view text, std::size_t offset) {
    const auto written = pwrite(file, text.data(), text.size(), static_cast<off_t>(offset));
    TW_CHECK(written == static_cast<ssize_t>(text.size()));
  };
  put(prefix, 0);
  put(bytes, prefix.size());
  return "/proc/self/fd/" + std::to_string(file);
}

void check_record(const SdtmMapper& mapper, const Row& row) {
  const auto record = mapper.to_record(row);
  if (record) {
    TW_CHECK(trialward::model::check_form(*record).empty());
    TW_CHECK(record->original == row.original);
    return;
  }
  TW_CHECK(!record.error().empty());
  for (const auto& fault : record.error()) TW_CHECK(!fault.reason.empty());
}

void read_dataset(const std::string& path) {
  auto reader = DatasetReader::open(path);
  if (!reader) {
    TW_CHECK(reader.error().message.starts_with(path));
    return;
  }
  const Metadata& metadata = reader->metadata();
  TW_CHECK(!metadata.columns.empty() && !metadata.name.empty());
  const auto mapper = SdtmMapper::make(metadata);
  Row row;
  for (std::uint64_t count = 0;; ++count) {
    const auto more = reader->next(row);
    if (!more) {
      TW_CHECK(more.error().message.starts_with(path));
      return;
    }
    if (!*more) {
      TW_CHECK(count == metadata.records);
      return;
    }
    TW_CHECK(row.number == count + 1 && row.cells.size() == metadata.columns.size());
    TW_CHECK(row.original.size() <= kRowBytesMax);
    if (mapper) check_record(*mapper, row);
  }
}

void read_lines(const std::string& path) {
  auto reader = LineReader::open(path, kLineBytesMax);
  if (!reader) return;
  Line line;
  for (auto more = reader->next(line); more && *more; more = reader->next(line)) {
    TW_CHECK(line.text.size() <= kLineBytesMax);
    TW_CHECK(line.text.find('\n') == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string prefixes[] = {"", std::string(kMembers) + "}\n",
                                  std::string(kMembers) + ",\"rows\":["};
  const std::string path = file_of(prefixes[data[0] % 3], bytes);
  read_dataset(path);
  read_lines(path);
  return 0;
}
