// Any bytes as a file of a formulary: they are refused with a reason, or become a list that answers
// for each of its drugs and plans, and is the same after it was written and read back.
#include <unistd.h>

#include <cstdint>
#include <fstream>

#include "base/check.h"
#include "formulary/gather.h"

using namespace trialward;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string path = "/tmp/trialward-formulary-fuzz-" + std::to_string(::getpid());
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  formulary::ListBuilder builder(std::size_t{64} << 20);
  formulary::Troubles faults, notes;
  formulary::FileReader reader(builder, faults, notes);
  auto file = base::InputFile::open(path);
  TW_CHECK(file.ok());
  file->unpack_at_most(std::uint64_t{1} << 20);
  const auto read = reader.read(std::move(file).value(), "file", formulary::FileKind::any, {});
  if (!read) TW_CHECK(!read.error().message.empty());
  for (const formulary::Trouble& fault : faults.told) {
    TW_CHECK(fault.file == "file" && !fault.reason.empty());
  }
  auto list = builder.finish({});
  if (!list) return 0;
  for (const auto& drug : list->drugs()) {
    TW_CHECK(drug.code != 0 && !list->names(drug.code).empty());
    for (const formulary::Plan& plan : list->plans()) {
      const auto found = list->coverage(drug.code, plan.id, 0);
      TW_CHECK(found.status != formulary::CoverageStatus::covered || !found.drugs.empty());
    }
  }
  TW_CHECK(formulary::write_image(path, *list, {}).ok());
  const auto image = formulary::read_image(path);
  TW_CHECK(image.ok());
  TW_CHECK(formulary::version_of(image->list) == formulary::version_of(*list));
  return 0;
}
