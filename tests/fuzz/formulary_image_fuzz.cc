// Any bytes as the image of a list, with a digest that fits: it is refused, or is a list that can
// be asked.
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>

#include "base/check.h"
#include "base/sha256.h"
#include "formulary/list_image.h"

using namespace trialward;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::string path = "/tmp/trialward-image-fuzz-" + std::to_string(::getpid());
  const std::string content(reinterpret_cast<const char*>(data), size);
  const std::uint64_t length = size;
  std::string bytes = "TWFORM2\n" + std::string(16, '\0');
  bytes.append(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += content;
  bytes += base::as_bytes(base::sha256(content));
  std::ofstream(path, std::ios::binary)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  const auto image = formulary::read_image(path);
  if (!image) {
    TW_CHECK(image.error().code == base::Errc::corrupt);
    return 0;
  }
  for (const auto& drug : image->list.drugs()) {
    TW_CHECK(!image->list.names(drug.code).empty());
    for (const formulary::Plan& plan : image->list.plans()) {
      (void)image->list.coverage(drug.code, plan.id, 2026);
    }
  }
  return 0;
}
