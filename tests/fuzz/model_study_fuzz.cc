// Any bytes as study.toml: they are refused with lines and reasons, or become a study whose parts
// fit together.
#include <cstdint>

#include "base/check.h"
#include "model/study.h"

using namespace trialward::model;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto study = load_study({{"study.toml", text}});
  if (!study) {
    TW_CHECK(!study.error().empty());
    for (const DefinitionFault& fault : study.error()) {
      TW_CHECK(fault.file == "study.toml" && fault.line >= 0 && !fault.reason.empty());
    }
    return 0;
  }
  TW_CHECK(!study->id.empty() && !study->sites.empty() && study->hash.size() == 64);
  TW_CHECK(study->default_site.empty() || study->site(study->default_site));
  for (const Site& site : study->sites) TW_CHECK(known_time_zone(site.time_zone));
  const auto again = load_study(study->files);
  TW_CHECK(again.ok() && again->hash == study->hash);
  return 0;
}
