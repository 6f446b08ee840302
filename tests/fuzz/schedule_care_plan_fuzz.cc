// Any bytes as a partner's answer: as a CarePlan, and as a page of changes. What is refused has
// words; of what is read a merge ends in what both sides can have, and that is read back as it is.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "schedule/merge.h"

namespace {

using namespace trialward::schedule;

void check_care_plan(std::string_view text) {
  const auto theirs = parse_care_plan(text, "S-1");
  if (!theirs) {
    TW_CHECK(!theirs.error().message.empty());
    return;
  }
  const Merged merged = merge(
      {{.key = {"WK2", 1, 0}, .from_ms = 1, .until_ms = 1'700'000'000'000, .title = "Week 2"}},
      *theirs);
  TW_CHECK(merged.agreed.size() == 1);
  const auto again = parse_care_plan(to_json("s", "S-1", merged.agreed), "S-1");
  TW_CHECK(again.ok());
  TW_CHECK(digest_of(again->appointments) == digest_of(merged.agreed));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_care_plan(text);
  if (const auto page = parse_changes(text)) {
    TW_CHECK(page->changed.size() <= kEntriesMax);
  }
  if (const auto version = version_of_etag(text)) {
    TW_CHECK(version_of_etag(etag_of_version(*version)) == version);
  }
  return 0;
}
