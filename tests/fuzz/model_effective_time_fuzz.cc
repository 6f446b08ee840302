// Any bytes as a partial date: refused with a reason, or an interval that is the same whether asked
// for once or twice, not empty, and inside the one of each coarser part of the text.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "model/effective_time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace trialward::model;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto checked = check_effective(text);
  if (!checked) TW_CHECK(!checked.error().message.empty());
  for (const char* zone : {"UTC", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"}) {
    const auto interval = resolve_effective(text, zone);
    TW_CHECK(interval.ok() == checked.ok());
    if (!interval) continue;
    TW_CHECK(interval->from_ms < interval->until_ms);
    for (const std::size_t coarser : {4u, 7u, 10u}) {
      if (text.size() <= coarser || text.find_first_of("Z+", 10) != std::string_view::npos) break;
      if (text.size() > 16 && text.find('-', 16) != std::string_view::npos) break;  // an offset
      const auto around = resolve_effective(text.substr(0, coarser), zone);
      TW_CHECK(around.ok());
      TW_CHECK(around->from_ms <= interval->from_ms && interval->until_ms <= around->until_ms);
    }
  }
  const auto instant = parse_instant(text);
  if (instant) TW_CHECK(parse_instant(format_utc(*instant)) == instant);
  return 0;
}
